/* show.h - reading the queue for people: cases, lanes, reasons in Chinese. */
#ifndef CTL_SHOW_H
#define CTL_SHOW_H

#include "ctl/ctl.h"

/* A case reference (32 hex digits) or a 考生号 -> the case. The latter asks the key store for the
 * campaign's index key. ERR_NOT_FOUND. */
int show_resolve(struct ctl *c, const char *no, uint8_t case_id[16], struct err *err);
/* A reserved key of the campaign (proto/keys.h: KEYS_REF_*). Wipe it after use. */
int show_reserved_key(struct ctl *c, uint8_t which, uint8_t key[32], struct err *err);
/* The state of a case; text is what *s borrows from and is freed by the caller. */
int show_state(struct ctl *c, const uint8_t case_id[16], struct buf *text, struct case_state *s,
    struct err *err);
/* 池 / 张三的首拨 … in words; out >= 128. Returns out. */
char *show_lane(char *out, const char *lane);
const char *show_why(
    const char *reason);              /* a placement's reason word in Chinese, or the word itself */
const char *show_kind(unsigned kind); /* a record kind's name */
/* The campaign's clock as hfctl knows it (wall time, or the demo's). */
int64_t show_now(struct ctl *c);

#endif
