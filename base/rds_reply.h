/* rds_reply.h - what rds.c and rds_sync.c share: how an address is written. */
#ifndef BASE_RDS_REPLY_H
#define BASE_RDS_REPLY_H

#include <stdbool.h>

#include "base/err.h"
#include "base/rds.h"

struct rds_address {
	bool is_unix;
	char host[128]; /* or the socket's path */
	int port;
	char text[136]; /* as it was given, for error texts */
};

/* ERR_INVALID; *out->text is set even then. */
int rds_address_parse(struct rds_address *out, const char *address, struct err *err);

#endif
