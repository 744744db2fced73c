/* Which column gets what. The header is decoded once more here, so that a batch need not keep it.
 *
 * Happy path: fixed columns, the header's, its open fields, the place in the log. A header that does not
 * decode, or that PostgreSQL refused, leaves its columns NULL but for what the log itself says. */
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "workers/recorder/columns.h"

static const char *const first_names[] = {"campaign", "no", "ob", "seq", "h", "prev_h", "bc", "sig",
    "header", "body", "verdict", "why", "flaw", "kind", "person", "case_ref", "token", "expect",
    "id", "again", "boot", "t_start", "t_end", "t_entry", "server_wall", "server_boot", "pc_wall",
    "quality"};

/* Fields that have another name in SQL than in proto/record.h say so. */
static const struct {
	enum field_key key;
	const char *name;
} fields[] = {
    {F_outcome, NULL},
    {F_channel, NULL},
    {F_number, "number_id"},
    {F_seconds, NULL},
    {F_next_at, NULL},
    {F_next_do, NULL},
    {F_spoke, NULL},
    {F_ticks, NULL},
    {F_script, NULL},
    {F_concerns, NULL},
    {F_decide_by, NULL},
    {F_rung, NULL},
    {F_evidence, NULL},
    {F_line, NULL},
    {F_direction, NULL},
    {F_reason, NULL},
    {F_to, "to_person"},
    {F_to_team, NULL},
    {F_count, NULL},
    {F_n, NULL},
    {F_until, NULL},
    {F_import, NULL},
    {F_rows, NULL},
    {F_ref_ob, NULL},
    {F_ref_seq, NULL},
    {F_credit, NULL},
    {F_subject, NULL},
    {F_roles, NULL},
    {F_team, NULL},
    {F_qualified, NULL},
    {F_agent, NULL},
    {F_seed, NULL},
    {F_policy, NULL},
    {F_what, NULL},
    {F_source, NULL},
    {F_valid, NULL},
    {F_items, NULL},
    {F_open, NULL},
    {F_verdict, "ruling"},
    {F_version, "case_version"},
    {F_cases, NULL},
};

static const char *const last_names[] = {"log_epoch", "log_no", "opseq", "campaign_at", "wall_at"};

#define N_FIRST  (sizeof(first_names) / sizeof(first_names[0]))
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))
#define N_LAST   (sizeof(last_names) / sizeof(last_names[0]))

void
columns_names(struct buf *out)
{
	for (size_t i = 0; i < N_FIRST; i++)
		buf_addf(out, "%s%s", i == 0 ? "" : ", ", first_names[i]);
	for (size_t i = 0; i < N_FIELDS; i++)
		buf_addf(out, ", %s",
		    fields[i].name != NULL ? fields[i].name : field_name(fields[i].key));
	for (size_t i = 0; i < N_LAST; i++)
		buf_addf(out, ", %s", last_names[i]);
}

bool
columns_wanted(const struct row *r)
{
	return r->flaw != FLAW_FRAME && !r->again && !r->dropped;
}

/* An array literal of PostgreSQL: {"a","b"}; bytes as \x hex. */
static void
add_list(struct buf *out, const struct field *f, enum field_type type)
{
	buf_addc(out, '{');
	for (size_t i = 0; i < f->n; i++) {
		const struct span *s = &f->list[i];

		buf_adds(out, i == 0 ? "\"" : ",\"");
		if (type == FIELD_BINS) {
			buf_adds(out, "\\\\x");
			buf_add_hex(out, s->data, s->len);
		}
		for (size_t k = 0; type == FIELD_STRS && k < s->len; k++) {
			if (s->data[k] == '"' || s->data[k] == '\\')
				buf_addc(out, '\\');
			buf_addc(out, (char)s->data[k]);
		}
		buf_addc(out, '"');
	}
	buf_addc(out, '}');
}

static struct pg_param
field_param(const struct field *f, enum field_type type, struct buf *scratch, size_t *ret_at)
{
	*ret_at = SIZE_MAX;
	if (!f->set)
		return pg_null();
	switch (type) {
	case FIELD_U: return pg_i64((int64_t)f->u);
	case FIELD_STR: return pg_text_span(f->bytes);
	case FIELD_REFS:
	case FIELD_BIN: return pg_bytes(f->bytes.data, f->bytes.len);
	case FIELD_STRS:
	case FIELD_BINS:
		*ret_at = scratch->len;
		add_list(scratch, f, type);
		return pg_text_span(span_of("", 0));
	case FIELD_NONE: break;
	}
	return pg_null();
}

/* Lists lie in scratch, which may move while it grows, so they are pointed at in the end. */
static void
field_columns(struct pg_param *out, const struct record_header *h, struct buf *scratch)
{
	size_t at[N_FIELDS + 1];

	for (size_t i = 0; i < N_FIELDS; i++)
		out[i] =
		    field_param(&h->f[fields[i].key], field_type(fields[i].key), scratch, &at[i]);
	at[N_FIELDS] = scratch->len;
	for (size_t i = 0, end; i < N_FIELDS; i++) {
		if (at[i] == SIZE_MAX)
			continue;
		for (end = i + 1; at[end] == SIZE_MAX; end++)
			;
		out[i] = pg_text_span(span_of(scratch->data + at[i], at[end] - at[i]));
	}
}

static void
header_columns(struct pg_param *out, const struct record_header *h)
{
	size_t i = 0;

	out[i++] = pg_i64((int64_t)h->kind);
	out[i++] = pg_text(h->person);
	out[i++] = h->has_case ? pg_bytes(h->case_id, sizeof(h->case_id)) : pg_null();
	out[i++] = pg_i64((int64_t)h->token);
	out[i++] = pg_i64((int64_t)h->expect);
	out[i++] = pg_bytes(h->id, sizeof(h->id));
	out[i++] = pg_bool(h->again != 0);
	out[i++] = pg_bytes(h->boot, sizeof(h->boot));
	out[i++] = pg_i64((int64_t)h->t_start);
	out[i++] = pg_i64((int64_t)h->t_end);
	out[i++] = pg_i64((int64_t)h->t_entry);
	out[i++] = pg_i64((int64_t)h->server_wall);
	out[i++] = pg_i64((int64_t)h->server_boot);
	out[i++] = pg_i64((int64_t)h->pc_wall);
	out[i++] = pg_i64((int64_t)h->quality);
}

static size_t
fixed_columns(struct pg_param *out, const struct row *r, const struct book *book, uint64_t no)
{
	size_t i = 0;

	out[i++] = pg_text(book->campaign);
	out[i++] = pg_i64((int64_t)no);
	out[i++] = pg_bytes(r->box->ob, sizeof(r->box->ob));
	out[i++] = pg_i64((int64_t)r->seq);
	out[i++] = pg_bytes(r->rec.h, sizeof(r->rec.h));
	out[i++] = pg_bytes(r->rec.prev_h, sizeof(r->rec.prev_h));
	out[i++] = pg_bytes(r->rec.bc, sizeof(r->rec.bc));
	out[i++] = pg_bytes(r->rec.sig, sizeof(r->rec.sig));
	out[i++] = pg_bytes(r->rec.header.data, r->rec.header.len);
	out[i++] = pg_bytes(r->e.f1.data, r->e.f1.len);
	out[i++] = pg_i64((int64_t)r->verdict);
	out[i++] = pg_text(r->why[0] == '\0' ? NULL : r->why);
	out[i++] = pg_text(flaw_text(r->flaw));
	return i;
}

void
columns_fill(struct columns *c, const struct row *r, const struct book *book, uint64_t no)
{
	size_t i = fixed_columns(c->p, r, book, no);
	struct pg_param *last = c->p + N_FIRST + N_FIELDS;

	CHECK(N_FIRST + N_FIELDS + N_LAST == LEDGER_COLUMNS && columns_wanted(r));
	buf_clear(&c->lists);
	if (r->flaw != FLAW_DATABASE &&
	    record_header_decode(&c->header, r->rec.header, NULL) == 0) {
		header_columns(c->p + i, &c->header);
		field_columns(c->p + N_FIRST, &c->header, &c->lists);
	} else {
		for (size_t k = i; k < N_FIRST + N_FIELDS; k++)
			c->p[k] = pg_null();
		c->p[i] = pg_i64((int64_t)r->kind);
		c->p[i + 1] = pg_text(r->person);
		if (r->e.has_case)
			c->p[i + 2] = pg_bytes(r->e.case_id, sizeof(r->e.case_id));
	}
	last[0] = pg_i64((int64_t)r->e.epoch);
	last[1] = pg_i64((int64_t)r->e.no);
	last[2] = pg_i64((int64_t)r->e.opseq);
	last[3] = pg_i64(r->e.now);
	last[4] = pg_i64(r->e.wall);
}

void
columns_done(struct columns *c)
{
	buf_done(&c->lists);
}
