/* call.c - the argv of one FCALL, the state text of a case, an entry of the log.
 *
 * Arguments lie one behind the other in one buffer; offsets become pointers only when somebody
 * asks for the argv, since the buffer moves while it grows. How many arguments an entry has is
 * known after its last one, but stands before its first: a decimal of four digits holds the place.
 * What Redis gave back is not trusted to be whole: a text that does not read says ERR_CORRUPT. */
#include "proto/call.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "proto/wire.h"

#define ARGC_DIGITS 4
#define ARGC_MAX    9999

static void
open_arg(struct call *c)
{
	if (c->n + 2 > c->cap) {
		c->cap = c->cap == 0 ? 64 : 2 * c->cap;
		c->at = xrealloc(c->at, c->cap, sizeof(*c->at));
	}
	c->at[c->n++] = c->bytes.len;
}

void
call_bytes(struct call *c, const void *data, size_t len)
{
	open_arg(c);
	buf_add(&c->bytes, data, len);
}

void
call_span(struct call *c, struct span s)
{
	call_bytes(c, s.data, s.len);
}

void
call_str(struct call *c, const char *s)
{
	call_bytes(c, s, strlen(s));
}

void
call_u(struct call *c, uint64_t v)
{
	open_arg(c);
	buf_addf(&c->bytes, "%" PRIu64, v);
}

void
call_token(struct call *c, uint64_t token)
{
	open_arg(c);
	buf_addf(&c->bytes, "%016" PRIx64, token);
}

void
call_again(struct call *c, const char *function, const char *campaign, int64_t now, int64_t wall,
    uint64_t epoch)
{
	CHECK(now >= 0 && wall >= 0);
	buf_clear(&c->bytes);
	c->n = c->entries = c->entry_argc_at = 0;
	(void)call_key(c->key, sizeof(c->key), campaign, "meta");
	call_str(c, "FCALL");
	call_str(c, function);
	call_str(c, "1");
	call_str(c, c->key);
	call_u(c, (uint64_t)now);
	call_u(c, (uint64_t)wall);
	call_u(c, epoch);
}

void
call_begin(struct call *c, const char *function, const char *campaign, int64_t now, int64_t wall,
    uint64_t epoch)
{
	memset(c, 0, sizeof(*c));
	call_again(c, function, campaign, now, wall, epoch);
}

static void
close_entry(struct call *c)
{
	char text[ARGC_DIGITS + 1];
	size_t argc;

	if (c->entry_argc_at == 0)
		return;
	argc = c->n - c->entry_argc_at - 1;
	CHECK(argc <= ARGC_MAX);
	(void)snprintf(text, sizeof(text), "%04u", (unsigned)argc);
	memcpy(c->bytes.data + c->at[c->entry_argc_at], text, ARGC_DIGITS);
}

void
call_entry(struct call *c, const char *name)
{
	close_entry(c);
	call_str(c, name);
	c->entry_argc_at = c->n;
	call_str(c, "0000");
	c->entries++;
}

const struct span *
call_argv(struct call *c, size_t *ret_argc)
{
	close_entry(c);
	c->at[c->n] = c->bytes.len;
	if (c->argv_cap < c->n) {
		c->argv_cap = c->cap;
		c->argv = xrealloc(c->argv, c->argv_cap, sizeof(*c->argv));
	}
	for (size_t i = 0; i < c->n; i++)
		c->argv[i] = span_of(c->bytes.data + c->at[i], c->at[i + 1] - c->at[i]);
	*ret_argc = c->n;
	return c->argv;
}

void
call_done(struct call *c)
{
	buf_done(&c->bytes);
	free(c->at);
	free(c->argv);
	memset(c, 0, sizeof(*c));
}

char *
call_key(char *out, size_t size, const char *campaign, const char *suffix)
{
	int n = snprintf(out, size, "hf:{%s}:%s", campaign, suffix);

	CHECK(n >= 0 && (size_t)n < size);
	return out;
}

/* The text up to the next `sep`, which is passed over; false when there is none. */
static bool
cut(struct span *rest, char sep, struct span *ret)
{
	const uint8_t *p = rest->len == 0 ? NULL : memchr(rest->data, sep, rest->len);

	if (p == NULL)
		return false;
	*ret = span_of(rest->data, (size_t)(p - rest->data));
	rest->len -= ret->len + 1;
	rest->data = p + 1;
	return true;
}

static bool
span_u(struct span s, uint64_t *ret)
{
	return text_to_u64((const char *)s.data, s.len, ret);
}

static bool
span_i(struct span s, int64_t *ret)
{
	return text_to_i64((const char *)s.data, s.len, ret);
}

static bool
span_text(struct span s, char *out, size_t size)
{
	if (s.len == 0 || s.len >= size || memchr(s.data, '\0', s.len) != NULL)
		return false;
	memcpy(out, s.data, s.len);
	out[s.len] = '\0';
	return true;
}

/* "-" is the empty name. */
static bool
span_name(struct span s, char *out, size_t size)
{
	if (!span_text(s, out, size))
		return false;
	if (span_eq_str(s, "-"))
		out[0] = '\0';
	return true;
}

/* "<epoch>-<no>" */
static bool
span_log_id(struct span s, uint64_t *epoch, uint64_t *no)
{
	struct span first;

	return cut(&s, '-', &first) && span_u(first, epoch) && span_u(s, no);
}

bool
token_parse(uint64_t *ret, struct span hex16)
{
	uint8_t bytes[8];

	if (hex16.len != 16 || !hex_decode(bytes, 8, (const char *)hex16.data, 16))
		return false;
	*ret = be64_get(bytes);
	return true;
}

static bool
state_flags(struct case_state *s, struct span flags)
{
	for (size_t i = 0; i < flags.len; i++) {
		switch (flags.data[i]) {
		case 'h': s->held = true; break;
		case 'p': s->pulled = true; break;
		case 't': s->triage_after = true; break;
		case 'a': s->acted = true; break; /* by a person's act */
		case 'm': s->moved = true; break;
		case 'x':
		case 'g':
		case 'd': s->ended = (char)flags.data[i]; break;
		default: return false;
		}
	}
	return true;
}

int
case_state_decode(struct case_state *ret, struct span text, struct err *err)
{
	struct case_state s = {0};
	struct span part[12];

	for (size_t i = 0; i < 12; i++) {
		if (!cut(&text, '|', &part[i]))
			return err_set(
			    err, ERR_CORRUPT, "case state ends after %zu of 12 parts", i);
	}
	if (!span_u(part[0], &s.version) || !span_name(part[1], s.owner, sizeof(s.owner)) ||
	    !span_name(part[2], s.hand, sizeof(s.hand)) ||
	    !span_name(part[3], s.lane, sizeof(s.lane)) || !span_i(part[4], &s.due) ||
	    !token_parse(&s.token, part[5]) || !span_u(part[6], &s.rseq) ||
	    !span_u(part[7], &s.given) || !state_flags(&s, part[8]) ||
	    !span_name(part[9], s.ob, sizeof(s.ob)) ||
	    !span_log_id(part[10], &s.law_epoch, &s.law_no) ||
	    !span_name(part[11], s.why, sizeof(s.why)))
		return err_set(err, ERR_CORRUPT, "case state has a part that does not read");
	s.blob = text;
	*ret = s;
	return 0;
}

/* "<type> <opseq> <now> <wall>" */
static bool
log_head(struct log_entry *e, struct span text)
{
	struct span type, opseq, now;

	return cut(&text, ' ', &type) && type.len > 0 && cut(&text, ' ', &opseq) &&
	       cut(&text, ' ', &now) && span_text(type, e->type, sizeof(e->type)) &&
	       span_u(opseq, &e->opseq) && span_i(now, &e->now) && span_i(text, &e->wall);
}

int
log_entry_decode(
    struct log_entry *ret, struct span id, const struct span *pairs, size_t n, struct err *err)
{
	struct log_entry e = {0};
	bool ok = span_log_id(id, &e.epoch, &e.no) && n % 2 == 0;
	bool has_head = false;

	for (size_t i = 0; ok && i < n; i += 2) {
		struct span value = pairs[i + 1];

		if (pairs[i].len != 1)
			continue;
		switch (pairs[i].data[0]) {
		case 'e': ok = has_head = log_head(&e, value); break;
		case 'c':
			ok = value.len == 0 || value.len == 16;
			e.has_case = value.len == 16;
			if (ok && e.has_case)
				memcpy(e.case_id, value.data, 16);
			break;
		case 's': e.state = value; break;
		case 'd': e.detail = value; break;
		case 'r': e.f0 = value; break;
		case 'b': e.f1 = value; break;
		case 'l': e.blob = value; break;
		case 'k': e.task = value; break;
		case 'n': e.indexes = value; break;
		default: break;
		}
	}
	if (!ok || !has_head)
		return err_set(err, ERR_CORRUPT, "log entry does not read");
	*ret = e;
	return 0;
}

/* ob(16) BE64(seq) BE32(length of header) header body */
int
last_entry_decode(struct last_record *ret, struct span entry, struct err *err)
{
	uint32_t len = entry.len < 28 ? 0 : be32_get(entry.data + 24);

	if (entry.len < 28 || len > entry.len - 28)
		return err_set(err, ERR_CORRUPT, "entry among the last records does not read");
	memcpy(ret->ob, entry.data, 16);
	ret->seq = be64_get(entry.data + 16);
	ret->header = span_of(entry.data + 28, len);
	ret->body = span_of(entry.data + 28 + len, entry.len - 28 - len);
	return 0;
}
