/* frame.c - F0 between bytes and structs (PROTOCOL.md 4 to 11).
 *
 * One row per kind, one field per element in wire order; one encoder and one decoder walk the
 * rows, so that a field can be wrong in one place only. A frame fails as a whole: nothing half
 * read comes back. */
#include "proto/frame.h"

#include <stddef.h>
#include <string.h>

#include "base/check.h"
#include "proto/codec.h"

enum field_kind {
	END,
	U,        /* uint64_t */
	BIN,      /* size bytes */
	NAME,     /* name_t */
	OPT_NAME, /* name_t, may be empty */
	TEXT,     /* char[size] */
	HEADER,   /* struct span, at most size bytes */
	OPT_BIN,  /* size bytes or nil; flag */
	OPT_U,    /* uint64_t or nil; flag */
};

struct row_field {
	enum field_kind type;
	size_t at, size, flag; /* flag: offset of the bool that says whether it is there */
};

struct row {
	const char *name;
	struct row_field fields[14];
};

#define AT(field)   offsetof(struct frame, u.field)
#define SIZE(field) sizeof(((struct frame *)NULL)->u.field)
#define F_U(f)                                                                                     \
	{                                                                                          \
		U, AT(f), 0, 0                                                                     \
	}
#define F_BIN(f)                                                                                   \
	{                                                                                          \
		BIN, AT(f), SIZE(f), 0                                                             \
	}
#define F_NAME(f)                                                                                  \
	{                                                                                          \
		NAME, AT(f), 0, 0                                                                  \
	}
#define F_OPT_NAME(f)                                                                              \
	{                                                                                          \
		OPT_NAME, AT(f), 0, 0                                                              \
	}
#define F_TEXT(f)                                                                                  \
	{                                                                                          \
		TEXT, AT(f), SIZE(f), 0                                                            \
	}
#define F_HEADER(f)                                                                                \
	{                                                                                          \
		HEADER, AT(f), HEADER_MAX, 0                                                       \
	}
#define F_OPT_BIN(f, is)                                                                           \
	{                                                                                          \
		OPT_BIN, AT(f), SIZE(f), AT(is)                                                    \
	}
#define F_OPT_U(f, is)                                                                             \
	{                                                                                          \
		OPT_U, AT(f), 0, AT(is)                                                            \
	}

#define LOST_FIELDS(m)                                                                             \
	{                                                                                          \
		F_BIN(m.case_id), F_U(m.token), F_TEXT(m.reason)                                   \
	}

/* clang-format off */
static const struct row rows[] = {
	[MSG_HELLO] = {"HELLO",
	    {F_NAME(hello.campaign), F_BIN(hello.ob), F_BIN(hello.agent), F_BIN(hello.ob_sig),
	     F_U(hello.epoch_seen), F_U(hello.opseq_seen), F_U(hello.head_seq),
	     F_BIN(hello.head_h)}},
	[MSG_WELCOME] = {"WELCOME",
	    {F_NAME(welcome.campaign), F_U(welcome.epoch), F_U(welcome.opseq), F_U(welcome.mode),
	     F_U(welcome.accepted_upto), F_BIN(welcome.accepted_h), F_U(welcome.settled_upto),
	     F_U(welcome.released_upto), F_U(welcome.lease_ms), F_U(welcome.guard_ms),
	     F_U(welcome.wall), F_U(welcome.campaign_time)}},
	[MSG_NEXT] = {"NEXT", {F_U(next.next_no), F_NAME(next.person)}},
	[MSG_TAKE] = {"TAKE",
	    {F_U(take.next_no), F_NAME(take.person), F_OPT_BIN(take.case_id, take.has_case)}},
	[MSG_GRANT] = {"GRANT",
	    {F_U(grant.next_no), F_NAME(grant.person), F_BIN(grant.case_id), F_U(grant.token),
	     F_U(grant.rseq), F_U(grant.lease_ms), F_U(grant.pulled), F_U(grant.version),
	     F_U(grant.due), F_TEXT(grant.why), F_BIN(grant.key)}},
	[MSG_NONE] = {"NONE",
	    {F_U(none.next_no), F_NAME(none.person), F_TEXT(none.reason), F_U(none.retry_ms),
	     F_OPT_NAME(none.who)}},
	[MSG_RENEW] = {"RENEW",
	    {F_BIN(renew.case_id), F_U(renew.token), F_U(renew.rseq)}},
	[MSG_RENEWED] = {"RENEWED",
	    {F_BIN(renewed.case_id), F_U(renewed.token), F_U(renewed.rseq), F_U(renewed.lease_ms)}},
	[MSG_LOST] = {"LOST", LOST_FIELDS(lost)},
	[MSG_GIVEBACK] = {"GIVEBACK", LOST_FIELDS(giveback)},
	[MSG_RECORD] = {"RECORD",
	    {F_BIN(record.ob), F_U(record.seq), F_BIN(record.prev_h), F_BIN(record.h),
	     F_BIN(record.bc), F_HEADER(record.header), F_BIN(record.sig),
	     F_OPT_U(record.next_no, record.has_next)}},
	[MSG_ACCEPTED] = {"ACCEPTED",
	    {F_BIN(accepted.ob), F_U(accepted.seq), F_BIN(accepted.h), F_U(accepted.verdict),
	     F_U(accepted.epoch), F_U(accepted.opseq), F_BIN(accepted.receipt),
	     F_TEXT(accepted.why)}},
	[MSG_NACK] = {"NACK",
	    {F_TEXT(nack.code), F_U(nack.kind), F_U(nack.ref), F_U(nack.expected),
	     F_TEXT(nack.text)}},
	[MSG_BLOB] = {"BLOB",
	    {F_NAME(blob.person), F_BIN(blob.hash), F_U(blob.size), F_U(blob.offset)}},
	[MSG_HAVE] = {"HAVE", {F_BIN(have.hash), F_U(have.upto)}},
	[MSG_RECEIPT] = {"RECEIPT",
	    {F_U(receipt.level), F_BIN(receipt.ob), F_U(receipt.upto), F_BIN(receipt.h),
	     F_BIN(receipt.incarnation), F_BIN(receipt.sig)}},
	[MSG_SYNC] = {"SYNC",
	    {F_BIN(sync.ob), F_U(sync.head_seq), F_BIN(sync.head_h), F_U(sync.settled_seen),
	     F_U(sync.released_seen)}},
	[MSG_SYNCED] = {"SYNCED",
	    {F_BIN(synced.ob), F_U(synced.accepted_upto), F_BIN(synced.accepted_h),
	     F_U(synced.settled_upto), F_U(synced.released_upto), F_U(synced.mode),
	     F_U(synced.epoch), F_U(synced.opseq), F_U(synced.wall), F_U(synced.campaign_time)}},
	[MSG_LOOK] = {"LOOK",
	    {F_U(look.look_no), F_NAME(look.person), F_TEXT(look.what), F_U(look.page),
	     F_OPT_BIN(look.case_id, look.has_case)}},
	[MSG_SEEN] = {"SEEN",
	    {F_U(seen.look_no), F_TEXT(seen.what), F_U(seen.page), F_U(seen.pages),
	     F_U(seen.as_of), F_TEXT(seen.code)}},
};
/* clang-format on */

static const struct row *
row_of(uint64_t kind)
{
	if (kind >= sizeof(rows) / sizeof(rows[0]) || rows[kind].name == NULL)
		return NULL;
	return &rows[kind];
}

static uint32_t
row_length(const struct row *r)
{
	uint32_t n = 0;

	while (n < sizeof(r->fields) / sizeof(r->fields[0]) && r->fields[n].type != END)
		n++;
	return n;
}

static void
read_field(struct dec *d, struct frame *f, const struct row_field *field)
{
	uint8_t *at = (uint8_t *)f + field->at;
	bool *flag = (bool *)((uint8_t *)f + field->flag);
	struct span *borrowed = (struct span *)(void *)at;
	uint64_t *number = (uint64_t *)(void *)at;

	switch (field->type) {
	case U: *number = dec_u(d); break;
	case BIN: (void)dec_bn(d, at, field->size); break;
	case NAME: dec_name(d, (char *)at); break;
	case OPT_NAME: dec_opt_name(d, (char *)at); break;
	case TEXT: dec_text(d, (char *)at, field->size); break;
	case HEADER: *borrowed = dec_b(d, field->size); break;
	case OPT_BIN:
		*flag = !dec_nil(d);
		if (*flag)
			(void)dec_bn(d, at, field->size);
		break;
	case OPT_U:
		*flag = !dec_nil(d);
		if (*flag)
			*number = dec_u(d);
		break;
	case END: break;
	}
}

static void
write_field(struct buf *out, const struct frame *f, const struct row_field *field)
{
	const uint8_t *at = (const uint8_t *)f + field->at;
	const bool *flag = (const bool *)((const uint8_t *)f + field->flag);
	const struct span *borrowed = (const struct span *)(const void *)at;
	const uint64_t *number = (const uint64_t *)(const void *)at;

	switch (field->type) {
	case U: enc_u(out, *number); break;
	case BIN: enc_b(out, at, field->size); break;
	case NAME:
	case OPT_NAME:
	case TEXT: enc_s(out, (const char *)at); break;
	case HEADER: enc_span(out, *borrowed); break;
	case OPT_BIN:
		if (*flag)
			enc_b(out, at, field->size);
		else
			enc_nil(out);
		break;
	case OPT_U:
		if (*flag)
			enc_u(out, *number);
		else
			enc_nil(out);
		break;
	case END: break;
	}
}

/* What is left of an array that we do not speak: well-formed, or not. */
static int
refuse_unknown(struct dec *d, uint32_t left, struct err *err)
{
	while (left-- > 0)
		(void)dec_skip(d);
	if (!dec_end(d))
		return err_set(err, ERR_INVALID, "frame is not a well-formed array");
	return err_set(err, ERR_NOT_FOUND, "frame has an unknown version or kind");
}

int
frame_decode(struct frame *ret, struct span f0, struct err *err)
{
	struct dec d = dec_open(f0);
	const struct row *r;
	uint64_t version, kind;
	uint32_t n;

	memset(ret, 0, sizeof(*ret));
	if (f0.len > F0_MAX)
		return err_set(
		    err, ERR_INVALID, "frame has %zu bytes, more than %d", f0.len, F0_MAX);
	n = dec_array(&d);
	if (n < 2)
		return err_set(err, ERR_INVALID, "frame is not an array of version and kind");
	version = dec_u(&d);
	kind = dec_u(&d);
	if (d.failed)
		return err_set(err, ERR_INVALID, "frame's version or kind is not a number");
	r = row_of(kind);
	ret->kind = kind <= UINT8_MAX ? (enum msg_kind)kind : 0;
	if (version != HFP_VERSION || r == NULL)
		return refuse_unknown(&d, n - 2, err);
	if (n != 2 + row_length(r))
		return err_set(
		    err, ERR_INVALID, "%s has %u fields, not %u", r->name, n - 2, row_length(r));
	for (uint32_t i = 0; i < n - 2 && !d.failed; i++) {
		read_field(&d, ret, &r->fields[i]);
		if (d.failed) {
			memset(&ret->u, 0, sizeof(ret->u));
			return err_set(
			    err, ERR_INVALID, "%s: field %u is not right", r->name, i + 1);
		}
	}
	if (!dec_end(&d)) {
		memset(&ret->u, 0, sizeof(ret->u));
		return err_set(err, ERR_INVALID, "%s has bytes after its end", r->name);
	}
	return 0;
}

void
frame_encode(struct buf *out, const struct frame *f)
{
	const struct row *r = row_of((uint64_t)f->kind);
	size_t start = out->len;
	uint32_t n;

	CHECK(r != NULL);
	n = row_length(r);
	enc_array(out, 2 + n);
	enc_u(out, HFP_VERSION);
	enc_u(out, (uint64_t)f->kind);
	for (uint32_t i = 0; i < n; i++)
		write_field(out, f, &r->fields[i]);
	CHECK(out->len - start <= F0_MAX);
}

uint64_t
frame_ref(const struct frame *f)
{
	switch (f->kind) {
	case MSG_NEXT: return f->u.next.next_no;
	case MSG_TAKE: return f->u.take.next_no;
	case MSG_RECORD: return f->u.record.seq;
	case MSG_LOOK: return f->u.look.look_no;
	default: return 0;
	}
}

const char *
frame_kind_name(enum msg_kind kind)
{
	const struct row *r = row_of((uint64_t)kind);

	return r == NULL ? "?" : r->name;
}
