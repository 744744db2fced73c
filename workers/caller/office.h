/* office.h - hf-caller --office: many persons' desks in one process, for browsers (HTTP on a loopback
 * address; TLS is the proxy's in front).
 *
 * DIR holds one agent's directory a person, named as the person. Each gets a session with the brokers at
 * once, so that records left from before are sent; the person's key is opened at the login, by the PIN. */
#ifndef CALLER_OFFICE_H
#define CALLER_OFFICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"

struct office_opts {
	struct loop *loop;  /* borrowed */
	const char *agents; /* DIR */
	const char *listen; /* "127.0.0.1:8380" */
	const char *policy; /* its file, or NULL: the one that is installed, if any */
	const char *script; /* likewise */
	const char
	    *resets_as; /* who signs a new key when a leader resets a PIN; NULL: nobody can */
	const char
	    *imports_as; /* who signs a roster that the data group imports; NULL: nobody can */
	bool behind_tls;
	int64_t lock_us;   /* a browser that asks for nothing so long is logged out */
	int64_t linger_ms; /* at the end wait so long for what is outstanding */
};

struct office;
int office_open(struct office **ret, const struct office_opts *o, int *ret_port, struct err *err);
void office_stop(struct office *o);  /* from a signal: no new commands, then loop_stop */
void office_close(struct office *o); /* NULL-safe */
/* Is it an address that only this machine reaches? */
bool office_is_loopback(const char *address);

#endif
