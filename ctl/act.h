/* act.h - hfctl says records: through its own agent and outbox, as --as PERSON, and waits for the effect.
 *
 *	struct acts *a; acts_open(c, &a, err);
 *	struct record_header h = act_header(a, REC_PERSON); field_set_…;
 *	acts_add(a, &h, NULL, err);           stored (fsynced) in the outbox
 *	acts_finish(a, &result, err);         accepted by a broker, folded by the router
 *	acts_close(a);
 *
 * ERR_LATE from acts_finish (exit 75): no effect within the limit; the records are kept and arrive later. */
#ifndef CTL_ACT_H
#define CTL_ACT_H

#include "ctl/ctl.h"
#include "proto/lists.h"
#include "proto/record.h"

struct acts;

struct acts_result {
	size_t effective, late, quarantined;
	char why[64]; /* of the last one that was not effective */
};

int acts_open(struct ctl *c, struct acts **ret, struct err *err);
void acts_close(struct acts *a); /* NULL-safe */
/* Says HELLO and sends what the outbox still holds; ERR_LATE when no broker took it within limit_ms. */
int acts_resend(struct ctl *c, int64_t limit_ms, struct err *err);
struct record_header acts_header(const struct acts *a, enum record_kind kind);
/* body may be NULL; key seals it: a case's key, or the campaign's for a record without a case. */
int acts_add(struct acts *a, const struct record_header *h, const struct body *body,
    const uint8_t key[32], struct err *err);
/* Waits until all were accepted and the router's cursor has passed the last. limit_ms without any
 * progress: ERR_LATE. */
int acts_finish(struct acts *a, struct acts_result *ret, int64_t limit_ms, struct err *err);
/* fn is called now and then while acts_finish waits, and says how far it is: another number is progress. NULL: none. */
void acts_watch(struct acts *a, uint64_t (*fn)(void *), void *arg);
/* The usual end of a verb: finish within 10 s, and a failure unless all are effective. */
int acts_done(struct acts *a, struct err *err);

#endif
