/* task.c - the plain text of tasks and bodies: [1, key, value, ...], keys rising (PROTOCOL.md
 * 14.2).
 *
 * A table says where the text of each key lies in its struct; numbers and lists are read by name.
 * A key that is not known is passed over, since a newer sender may know more of an applicant than
 * we do. */
#include <string.h>

#include "base/check.h"
#include "proto/lists.h"

#define TEXT_MAX      1000 /* bytes of one text, notes apart */
#define NOTE_MAX      4000
#define BODY_TEXT_MAX 60000 /* a policy travels whole */

/* Keys that are not plain texts. */
enum {
	TASK_RURAL = 7,
	TASK_CHOICE = 9,
	TASK_NUMBERS_KEY = 14,
	TASK_MINOR = 15,
	TASK_EXTRA_KEY = 16,
	BODY_ROWS = 7,
};

/* Where the text of a key lies in its struct; max 0: not a text. */
struct text_key {
	size_t at, max;
};

#define TASK_TEXT(key, field)      [key] = {offsetof(struct task, field), TEXT_MAX}
#define BODY_TEXT(key, field, max) [key] = {offsetof(struct body, field), max}

static const struct text_key task_texts[TASK_EXTRA_KEY + 1] = {
    TASK_TEXT(1, no),
    TASK_TEXT(2, name),
    TASK_TEXT(3, sex),
    TASK_TEXT(4, id_no),
    TASK_TEXT(5, province),
    TASK_TEXT(6, area),
    TASK_TEXT(8, school),
    TASK_TEXT(10, major),
    TASK_TEXT(11, address),
    TASK_TEXT(12, reporter),
    TASK_TEXT(13, batch),
};

static const struct text_key body_texts[] = {
    BODY_TEXT(1, note, NOTE_MAX),
    BODY_TEXT(2, digits, TEXT_MAX),
    BODY_TEXT(3, kind, TEXT_MAX),
    BODY_TEXT(4, words, TEXT_MAX),
    BODY_TEXT(5, answered, TEXT_MAX),
    BODY_TEXT(6, name, TEXT_MAX),
    BODY_TEXT(8, text, BODY_TEXT_MAX),
};

#define TASK_KEYS (sizeof(task_texts) / sizeof(task_texts[0]))
#define BODY_KEYS (sizeof(body_texts) / sizeof(body_texts[0]))

/* Enters [1, key, value, …]; returns the number of pairs. */
static uint32_t
open_pairs(struct dec *d)
{
	uint32_t n = dec_array(d);

	if (dec_u(d) != 1 || n % 2 != 1)
		dec_fail(d);
	return d->failed ? 0 : n / 2;
}

static uint64_t
next_key(struct dec *d, uint64_t last)
{
	uint64_t key = dec_u(d);

	if (key <= last)
		dec_fail(d);
	return d->failed ? 0 : key;
}

/* False when the key is none of the table's. */
static bool
read_text(struct dec *d, void *into, const struct text_key *keys, size_t n, uint64_t key)
{
	if (key >= n || keys[key].max == 0)
		return false;
	*(struct span *)(void *)((uint8_t *)into + keys[key].at) = dec_s(d, keys[key].max);
	return true;
}

static struct span
text_at(const void *from, const struct text_key *key)
{
	struct span s = *(const struct span *)(const void *)((const uint8_t *)from + key->at);

	if (s.len > key->max)
		s.len = key->max;
	return s;
}

static void
write_text(struct buf *out, struct span s)
{
	enc_sn(out, (const char *)s.data, s.len < TEXT_MAX ? s.len : TEXT_MAX);
}

static void
read_numbers(struct dec *d, struct task *t)
{
	t->n_numbers = dec_array(d);
	if (t->n_numbers > TASK_NUMBERS) {
		t->n_numbers = 0;
		dec_fail(d);
	}
	for (uint32_t i = 0; i < t->n_numbers; i++) {
		(void)dec_array_of(d, 3);
		t->numbers[i].kind = dec_s(d, TEXT_MAX);
		t->numbers[i].digits = dec_s(d, TEXT_MAX);
		t->numbers[i].note = dec_s(d, TEXT_MAX);
	}
}

static void
read_extra(struct dec *d, struct task *t)
{
	t->n_extra = dec_array(d);
	if (t->n_extra > TASK_EXTRAS || t->n_extra % 2 != 0) {
		t->n_extra = 0;
		dec_fail(d);
	}
	for (uint32_t i = 0; i < t->n_extra; i++)
		t->extra[i] = dec_s(d, TEXT_MAX);
}

int
task_decode(struct task *ret, struct span plain, struct err *err)
{
	struct dec d = dec_open(plain);
	uint32_t pairs = open_pairs(&d);
	uint64_t key = 0;

	memset(ret, 0, sizeof(*ret));
	for (; pairs > 0 && !d.failed; pairs--) {
		key = next_key(&d, key);
		if (read_text(&d, ret, task_texts, TASK_KEYS, key))
			continue;
		switch (key) {
		case TASK_RURAL: ret->rural = dec_u(&d); break;
		case TASK_CHOICE: ret->choice = dec_u(&d); break;
		case TASK_NUMBERS_KEY: read_numbers(&d, ret); break;
		case TASK_MINOR: ret->minor = dec_u(&d); break;
		case TASK_EXTRA_KEY: read_extra(&d, ret); break;
		default: (void)dec_skip(&d); break;
		}
	}
	if (!dec_end(&d))
		return err_set(
		    err, ERR_INVALID, "task does not read after key %ju", (uintmax_t)key);
	return 0;
}

static void
write_number(struct buf *out, const struct task_number *n)
{
	enc_array(out, 3);
	write_text(out, n->kind);
	write_text(out, n->digits);
	write_text(out, n->note);
}

/* What a task says under a key that is not a text; false when it says nothing. */
static bool
write_task_other(struct buf *out, const struct task *t, uint64_t key)
{
	uint64_t v = key == TASK_RURAL    ? t->rural
	             : key == TASK_CHOICE ? t->choice
	             : key == TASK_MINOR  ? t->minor
	                                  : 0;

	if (v != 0) {
		enc_u(out, key);
		enc_u(out, v);
		return true;
	}
	if (key == TASK_NUMBERS_KEY && t->n_numbers > 0) {
		enc_u(out, key);
		enc_array(out, t->n_numbers);
		for (uint32_t i = 0; i < t->n_numbers; i++)
			write_number(out, &t->numbers[i]);
		return true;
	}
	if (key == TASK_EXTRA_KEY && t->n_extra > 0) {
		enc_u(out, key);
		enc_array(out, t->n_extra);
		for (uint32_t i = 0; i < t->n_extra; i++)
			write_text(out, t->extra[i]);
		return true;
	}
	return false;
}

/* Pairs are counted while they are written, behind the place where the count belongs. */
static void
write_pairs(struct buf *out, const struct buf *pairs, uint32_t n)
{
	enc_array(out, 1 + 2 * n);
	enc_u(out, 1);
	buf_add(out, pairs->data, pairs->len);
}

void
task_encode(struct buf *out, const struct task *t)
{
	struct buf pairs = BUF_INIT;
	uint32_t n = 0;

	CHECK(t->n_numbers <= TASK_NUMBERS && t->n_extra <= TASK_EXTRAS && t->n_extra % 2 == 0);
	for (uint64_t key = 1; key < TASK_KEYS; key++) {
		if (task_texts[key].max == 0) {
			n += write_task_other(&pairs, t, key);
		} else if (text_at(t, &task_texts[key]).len > 0) {
			enc_u(&pairs, key);
			write_text(&pairs, text_at(t, &task_texts[key]));
			n++;
		}
	}
	write_pairs(out, &pairs, n);
	buf_done(&pairs);
}

int
body_decode(struct body *ret, struct span plain, struct err *err)
{
	struct dec d = dec_open(plain);
	uint32_t pairs;
	uint64_t key = 0;

	memset(ret, 0, sizeof(*ret));
	if (plain.len == 0)
		return 0;
	pairs = open_pairs(&d);
	for (; pairs > 0 && !d.failed; pairs--) {
		key = next_key(&d, key);
		if (read_text(&d, ret, body_texts, BODY_KEYS, key))
			continue;
		if (key == BODY_ROWS && dec_is_array(&d))
			ret->rows = dec_skip(&d);
		else if (key == BODY_ROWS)
			dec_fail(&d);
		else
			(void)dec_skip(&d);
	}
	if (!dec_end(&d))
		return err_set(
		    err, ERR_INVALID, "body does not read after key %ju", (uintmax_t)key);
	return 0;
}

void
body_encode(struct buf *out, const struct body *b)
{
	struct buf pairs = BUF_INIT;
	uint32_t n = 0;

	for (uint64_t key = 1; key < BODY_KEYS; key++) {
		struct span s = key == BODY_ROWS ? b->rows : text_at(b, &body_texts[key]);

		if (s.len == 0)
			continue;
		enc_u(&pairs, key);
		if (key == BODY_ROWS)
			buf_add(&pairs, s.data, s.len);
		else
			enc_sn(&pairs, (const char *)s.data, s.len);
		n++;
	}
	if (n > 0)
		write_pairs(out, &pairs, n);
	buf_done(&pairs);
}

uint32_t
import_rows_open(struct dec *d, struct span rows)
{
	*d = dec_open(rows);
	return dec_array(d);
}

bool
import_row_next(struct dec *d, struct import_row *ret)
{
	memset(ret, 0, sizeof(*ret));
	(void)dec_array_of(d, 5);
	(void)dec_bn(d, ret->case_id, sizeof(ret->case_id));
	(void)dec_bn(d, ret->no_index, sizeof(ret->no_index));
	ret->task = dec_b(d, F1_MAX);
	ret->indexes = dec_b(d, F1_MAX);
	dec_opt_name(d, ret->reporter);
	if (ret->indexes.len % 8 != 0)
		dec_fail(d);
	return !d->failed;
}

void
import_row_encode(struct buf *out, const struct import_row *row)
{
	CHECK(row->indexes.len % 8 == 0);
	enc_array(out, 5);
	enc_b(out, row->case_id, sizeof(row->case_id));
	enc_b(out, row->no_index, sizeof(row->no_index));
	enc_span(out, row->task);
	enc_span(out, row->indexes);
	enc_s(out, row->reporter);
}

bool
arrival_row_next(struct dec *d, struct arrival_row *ret)
{
	memset(ret, 0, sizeof(*ret));
	(void)dec_array_of(d, 3);
	(void)dec_bn(d, ret->case_id, sizeof(ret->case_id));
	ret->came = dec_u(d);
	ret->at = dec_u(d);
	if (ret->came > 1)
		dec_fail(d);
	return !d->failed;
}

void
arrival_row_encode(struct buf *out, const struct arrival_row *row)
{
	enc_array(out, 3);
	enc_b(out, row->case_id, sizeof(row->case_id));
	enc_u(out, row->came);
	enc_u(out, row->at);
}

void
task_keep_numbers(struct task *t, const struct task *old)
{
	struct task mine = *t;

	memcpy(t->numbers, old->numbers, sizeof(t->numbers));
	t->n_numbers = old->n_numbers;
	for (uint32_t i = 0; i < mine.n_numbers && t->n_numbers < TASK_NUMBERS; i++) {
		uint32_t at = 0;

		while (at < old->n_numbers &&
		       !span_eq(old->numbers[at].digits, mine.numbers[i].digits))
			at++;
		if (at == old->n_numbers)
			t->numbers[t->n_numbers++] = mine.numbers[i];
	}
}

/* What became of a number stands behind its note (14.8); one of these is of no use. */
static bool
is_of_use(struct span note)
{
	static const char *const marks[] = {"〔空号", "〔错号", "〔已停用"};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (note.len > 0 && memmem(note.data, note.len, marks[i], strlen(marks[i])) != NULL)
			return false;
	return true;
}

unsigned
task_missing(const struct task *t)
{
	unsigned missing = TASK_NO_SELF | TASK_NO_PARENT;

	for (uint32_t i = 0; i < t->n_numbers; i++) {
		const struct task_number *n = &t->numbers[i];

		if (!is_of_use(n->note))
			continue;
		if (span_eq_str(n->kind, "self"))
			missing &= ~(unsigned)TASK_NO_SELF;
		if (span_eq_str(n->kind, "father") || span_eq_str(n->kind, "mother") ||
		    span_eq_str(n->kind, "parent") || span_eq_str(n->kind, "guardian"))
			missing &= ~(unsigned)TASK_NO_PARENT;
	}
	return missing;
}
