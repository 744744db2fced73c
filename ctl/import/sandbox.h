/* sandbox.h - gives up everything but reading and writing what is open already. */
#ifndef CTL_IMPORT_SANDBOX_H
#define CTL_IMPORT_SANDBOX_H

#include <stdint.h>

#include "base/err.h"

struct sandbox_limits {
	int64_t memory_bytes; /* address space; ignored under sanitizers, which reserve it all */
	int64_t cpu_seconds;  /* SIGXCPU beyond */
};

/* For the calling process, for good: no new privileges, no core dumps, no open, no sockets, no
 * processes. Any other system call kills the process (SIGSYS). */
int sandbox_enter(const struct sandbox_limits *limits, struct err *err);

#endif
