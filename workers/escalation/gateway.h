/* gateway.h - messages of rungs 1 and 2 through the college's own gateway. */
#ifndef ESCALATION_GATEWAY_H
#define ESCALATION_GATEWAY_H

#include "workers/escalation/router.h"

/* Rungs 1 (SMS) and 2 (WeChat) have a gateway each. */
#define GATEWAYS 2

/* r->gateway stays NULL when the settings name none. -1 ERR_INVALID: an address that is not safe; a secret that is
 * named and not there. */
int gateway_open(struct router *r, struct err *err);
void gateway_close(struct router *r);
void gateway_forget(struct router *r); /* all that is under way: a reload finds it again */
/* Begins what is due; called when the router is idle. */
void gateway_look(struct router *r);

/* What became of one message, for the batch that writes its record. */
struct message_told {
	uint8_t case_id[16], number[8];
	int rung;
	uint64_t tries;
	const char *verdict; /* sent, refused, failed */
};

/* The key that names one message to the gateway for ever: 32 hex digits of the case and the rung. */
void gateway_key(char out[33], const uint8_t case_id[16], int rung);
enum gateway_said { GATEWAY_SENT, GATEWAY_REFUSED, GATEWAY_SILENT };
/* 2xx with {"accepted": true} is a yes, any status with {"accepted": false} a no; all else is no answer. */
enum gateway_said gateway_judge(long status, struct span body);

#endif
