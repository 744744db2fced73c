/* lists.c - the lists in F1 of HELLO, WELCOME, GRANT and SEEN.
 *
 * Every reader checks the count before it writes into its fixed table, and looks at the end
 * whether all went well. A writer that may not fit leaves out the oldest records, never the
 * case. */
#include "proto/lists.h"

#include <string.h>

#include "base/check.h"

#define ROW_LENGTH 6 /* of SEEN */
#define ROW_MORE   9

/* The count of an array that must fit a table. */
static uint32_t
count(struct dec *d, uint32_t max)
{
	uint32_t n = dec_array(d);

	if (n > max)
		dec_fail(d);
	return d->failed ? 0 : n;
}

static int
done(struct dec *d, const char *what, struct err *err)
{
	if (!dec_end(d))
		return err_set(err, ERR_INVALID, "%s does not read", what);
	return 0;
}

int
hello_lists_decode(struct hello_lists *ret, struct span f1, struct err *err)
{
	struct dec d = dec_open(f1);

	memset(ret, 0, sizeof(*ret));
	(void)dec_array_of(&d, 2);
	ret->n_persons = count(&d, PERSONS_MAX);
	for (uint32_t i = 0; i < ret->n_persons; i++) {
		struct login *l = &ret->persons[i];

		(void)dec_array_of(&d, 4);
		dec_name(&d, l->person);
		l->from = dec_u(&d);
		l->until = dec_u(&d);
		(void)dec_bn(&d, l->sig, sizeof(l->sig));
	}
	ret->n_tickets = count(&d, LEASES_MAX);
	for (uint32_t i = 0; i < ret->n_tickets; i++)
		ret->tickets[i] = dec_b(&d, TICKET_MAX);
	return done(&d, "list of HELLO", err);
}

void
hello_lists_encode(struct buf *out, const struct hello_lists *l)
{
	CHECK(l->n_persons <= PERSONS_MAX && l->n_tickets <= LEASES_MAX);
	enc_array(out, 2);
	enc_array(out, l->n_persons);
	for (uint32_t i = 0; i < l->n_persons; i++) {
		enc_array(out, 4);
		enc_s(out, l->persons[i].person);
		enc_u(out, l->persons[i].from);
		enc_u(out, l->persons[i].until);
		enc_b(out, l->persons[i].sig, sizeof(l->persons[i].sig));
	}
	enc_array(out, l->n_tickets);
	for (uint32_t i = 0; i < l->n_tickets; i++)
		enc_span(out, l->tickets[i]);
}

static void
read_welcome_person(struct dec *d, struct welcome_person *p)
{
	(void)dec_array_of(d, 5);
	dec_name(d, p->person);
	p->ok = dec_u(d);
	p->roles = dec_u(d);
	dec_opt_name(d, p->team);
	dec_text(d, p->why, sizeof(p->why));
}

static void
read_welcome_ticket(struct dec *d, struct welcome_ticket *t)
{
	(void)dec_array_of(d, 3);
	(void)dec_bn(d, t->case_id, sizeof(t->case_id));
	t->token = dec_u(d);
	t->verdict = dec_u(d);
}

static void
read_welcome_lease(struct dec *d, struct welcome_lease *l)
{
	(void)dec_array_of(d, 5);
	(void)dec_bn(d, l->case_id, sizeof(l->case_id));
	l->token = dec_u(d);
	l->rseq = dec_u(d);
	dec_name(d, l->person);
	l->pulled = dec_u(d);
}

static void
read_welcome_key(struct dec *d, struct welcome_key *k)
{
	(void)dec_array_of(d, 2);
	(void)dec_bn(d, k->case_id, sizeof(k->case_id));
	(void)dec_bn(d, k->key, sizeof(k->key));
}

int
welcome_lists_decode(struct welcome_lists *ret, struct span f1, struct err *err)
{
	struct dec d = dec_open(f1);

	memset(ret, 0, sizeof(*ret));
	(void)dec_array_of(&d, 5);
	ret->n_persons = count(&d, PERSONS_MAX);
	for (uint32_t i = 0; i < ret->n_persons; i++)
		read_welcome_person(&d, &ret->persons[i]);
	ret->n_tickets = count(&d, LEASES_MAX);
	for (uint32_t i = 0; i < ret->n_tickets; i++)
		read_welcome_ticket(&d, &ret->tickets[i]);
	ret->n_leases = count(&d, LEASES_MAX);
	for (uint32_t i = 0; i < ret->n_leases; i++)
		read_welcome_lease(&d, &ret->leases[i]);
	ret->n_receipts = count(&d, 2);
	for (uint32_t i = 0; i < ret->n_receipts; i++)
		ret->receipts[i] = dec_b(&d, F0_MAX);
	ret->n_keys = count(&d, sizeof(ret->keys) / sizeof(ret->keys[0]));
	for (uint32_t i = 0; i < ret->n_keys; i++)
		read_welcome_key(&d, &ret->keys[i]);
	return done(&d, "list of WELCOME", err);
}

static void
write_welcome_person(struct buf *out, const struct welcome_person *p)
{
	enc_array(out, 5);
	enc_s(out, p->person);
	enc_u(out, p->ok);
	enc_u(out, p->roles);
	enc_s(out, p->team);
	enc_s(out, p->why);
}

static void
write_welcome_lease(struct buf *out, const struct welcome_lease *l)
{
	enc_array(out, 5);
	enc_b(out, l->case_id, sizeof(l->case_id));
	enc_u(out, l->token);
	enc_u(out, l->rseq);
	enc_s(out, l->person);
	enc_u(out, l->pulled);
}

void
welcome_lists_encode(struct buf *out, const struct welcome_lists *l)
{
	CHECK(l->n_persons <= PERSONS_MAX && l->n_tickets <= LEASES_MAX);
	CHECK(l->n_leases <= LEASES_MAX && l->n_receipts <= 2);
	CHECK(l->n_keys <= sizeof(l->keys) / sizeof(l->keys[0]));
	enc_array(out, 5);
	enc_array(out, l->n_persons);
	for (uint32_t i = 0; i < l->n_persons; i++)
		write_welcome_person(out, &l->persons[i]);
	enc_array(out, l->n_tickets);
	for (uint32_t i = 0; i < l->n_tickets; i++) {
		enc_array(out, 3);
		enc_b(out, l->tickets[i].case_id, sizeof(l->tickets[i].case_id));
		enc_u(out, l->tickets[i].token);
		enc_u(out, l->tickets[i].verdict);
	}
	enc_array(out, l->n_leases);
	for (uint32_t i = 0; i < l->n_leases; i++)
		write_welcome_lease(out, &l->leases[i]);
	enc_array(out, l->n_receipts);
	for (uint32_t i = 0; i < l->n_receipts; i++)
		enc_span(out, l->receipts[i]);
	enc_array(out, l->n_keys);
	for (uint32_t i = 0; i < l->n_keys; i++) {
		enc_array(out, 2);
		enc_b(out, l->keys[i].case_id, sizeof(l->keys[i].case_id));
		enc_b(out, l->keys[i].key, sizeof(l->keys[i].key));
	}
}

static void
read_one_last(struct dec *d, struct last_record *last)
{
	(void)dec_array_of(d, 4);
	(void)dec_bn(d, last->ob, sizeof(last->ob));
	last->seq = dec_u(d);
	last->header = dec_b(d, HEADER_MAX);
	last->body = dec_b(d, F1_MAX);
}

static uint32_t
read_last(struct dec *d, struct last_record last[LAST_MAX])
{
	uint32_t n = count(d, LAST_MAX);

	for (uint32_t i = 0; i < n; i++)
		read_one_last(d, &last[i]);
	return n;
}

static void
write_one_last(struct buf *out, const struct last_record *last)
{
	enc_array(out, 4);
	enc_b(out, last->ob, sizeof(last->ob));
	enc_u(out, last->seq);
	enc_span(out, last->header);
	enc_span(out, last->body);
}

static void
write_last(struct buf *out, const struct last_record *last, uint32_t n)
{
	enc_array(out, n);
	for (uint32_t i = 0; i < n; i++)
		write_one_last(out, &last[i]);
}

int
grant_lists_decode(struct grant_lists *ret, struct span f1, struct err *err)
{
	struct dec d = dec_open(f1);

	memset(ret, 0, sizeof(*ret));
	(void)dec_array_of(&d, 3);
	ret->task = dec_b(&d, F1_MAX);
	ret->ticket = dec_b(&d, TICKET_MAX);
	ret->n_last = read_last(&d, ret->last);
	return done(&d, "list of GRANT", err);
}

void
grant_lists_encode(struct buf *out, const struct grant_lists *l)
{
	size_t start = out->len;

	CHECK(l->n_last <= LAST_MAX);
	for (uint32_t n = l->n_last;; n--) {
		out->len = start;
		enc_array(out, 3);
		enc_span(out, l->task);
		enc_span(out, l->ticket);
		write_last(out, l->last, n);
		if (n == 0 || out->len - start <= F1_MAX)
			return;
	}
}

static void
read_meters(struct dec *d, struct seen_row *row)
{
	struct meters *m = &row->meters;
	uint64_t asked;

	row->has_meters = !dec_nil(d);
	if (!row->has_meters)
		return;
	(void)dec_array_of(d, 6);
	m->attempts = dec_u(d);
	m->contacts = dec_u(d);
	m->seconds = dec_u(d);
	m->since = dec_u(d);
	m->deadline = dec_u(d);
	asked = dec_u(d);
	m->asked = asked != 0;
	if (asked > 1)
		dec_fail(d);
}

/* What follows the six is left out by who was not asked, and passed over where it is not known. */
static void
read_row(struct dec *d, struct seen_row *row)
{
	uint32_t n = dec_array(d);

	if (n < ROW_LENGTH)
		dec_fail(d);
	(void)dec_bn(d, row->case_id, sizeof(row->case_id));
	dec_text(d, row->lane, sizeof(row->lane));
	row->due = dec_u(d);
	row->version = dec_u(d);
	(void)dec_bn(d, row->key, sizeof(row->key));
	row->task = dec_b(d, F1_MAX);
	row->more = n >= ROW_MORE;
	if (row->more) {
		dec_text(d, row->why, sizeof(row->why));
		read_meters(d, row);
		row->has_last = !dec_nil(d);
		if (row->has_last)
			read_one_last(d, &row->last);
	}
	for (uint32_t i = row->more ? ROW_MORE : ROW_LENGTH; i < n && !d->failed; i++) {
		(void)dec_skip(d);
		row->unknown++;
	}
}

uint32_t
seen_rows_open(struct dec *d, struct span f1)
{
	*d = dec_open(f1);
	return dec_array(d);
}

bool
seen_row_next(struct dec *d, struct seen_row *ret)
{
	memset(ret, 0, sizeof(*ret));
	read_row(d, ret);
	return !d->failed;
}

static void
write_meters(struct buf *out, const struct seen_row *row)
{
	const struct meters *m = &row->meters;

	if (!row->has_meters) {
		enc_nil(out);
		return;
	}
	enc_array(out, 6);
	enc_u(out, m->attempts);
	enc_u(out, m->contacts);
	enc_u(out, m->seconds);
	enc_u(out, m->since);
	enc_u(out, m->deadline);
	enc_u(out, m->asked ? 1 : 0);
}

void
seen_row_encode(struct buf *out, const struct seen_row *row)
{
	enc_array(out, row->more ? ROW_MORE : ROW_LENGTH);
	enc_b(out, row->case_id, sizeof(row->case_id));
	enc_s(out, row->lane);
	enc_u(out, row->due);
	enc_u(out, row->version);
	enc_b(out, row->key, sizeof(row->key));
	enc_span(out, row->task);
	if (!row->more)
		return;
	enc_s(out, row->why);
	write_meters(out, row);
	if (row->has_last)
		write_one_last(out, &row->last);
	else
		enc_nil(out);
}

int
seen_case_decode(struct seen_case *ret, struct span f1, struct err *err)
{
	struct dec d = dec_open(f1);

	memset(ret, 0, sizeof(*ret));
	(void)dec_array_of(&d, 2);
	read_row(&d, &ret->row);
	ret->n_last = read_last(&d, ret->last);
	return done(&d, "page of SEEN case", err);
}

void
seen_case_encode(struct buf *out, const struct seen_case *s)
{
	size_t start = out->len;

	CHECK(s->n_last <= LAST_MAX);
	for (uint32_t n = s->n_last;; n--) {
		out->len = start;
		enc_array(out, 2);
		seen_row_encode(out, &s->row);
		write_last(out, s->last, n);
		if (n == 0 || out->len - start <= F1_MAX)
			return;
	}
}
