/* numbers.c - which number of a case is dialled next.
 *
 * Happy path: each number is found in the case's memory by its keyed id; its state and whether it was tried in
 * this round give its rank, ranks are sorted and equal ones stay in order. What became of a number stands
 * behind its note in 〔〕, with the day on which it became so. A number that the memory does not know keeps its
 * place among the untried; the reason why there is none, a number without digits, comes last. Failures: none; a full list gives up its last number for one that was found. */
#include "workers/escalation/numbers.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "proto/chain.h"
#include "workers/escalation/law_parts.h"

#define MARK_OPEN  "〔"
#define MARK_CLOSE "〕"

static const char *const words[NUMBER_STATES] = {
    [NUMBER_NEW] = "",
    [NUMBER_GOOD] = "打通过",
    [NUMBER_RELAY] = "他人接听",
    [NUMBER_SILENT] = "没人接",
    [NUMBER_REFUSED] = "拒接",
    [NUMBER_OFF] = "关机",
    [NUMBER_SUSPENDED] = "停机",
    [NUMBER_OFF_HOURS] = "无人值守",
    [NUMBER_BLOCKED] = "要求别再打",
    [NUMBER_DEAD] = "空号",
    [NUMBER_WRONG] = "错号",
    [NUMBER_RETIRED] = "已停用",
};

static const struct law_number *
known(const struct law_case *c, const uint8_t case_key[32], struct span digits)
{
	char text[32] = "";
	uint8_t id[8];

	if (digits.len == 0 || digits.len >= sizeof(text))
		return NULL;
	memcpy(text, digits.data, digits.len);
	chain_number_id(id, case_key, text);
	for (int i = 0; i < c->n_numbers; i++)
		if (c->numbers[i].id == be64_get(id))
			return &c->numbers[i];
	return NULL;
}

static int
rank(const struct law_number *n)
{
	if (n == NULL)
		return 1;
	if (!law_number_usable(n->state))
		return 3;
	return n->tried ? 2 : n->state == NUMBER_GOOD ? 0 : 1;
}

/* What is known of it here, and that it was somebody else's in another case: a warning until it was good here. */
static void
say_state(char out[64], const struct law_number *n)
{
	bool warn = n->wrong_elsewhere && n->state != NUMBER_GOOD && law_number_usable(n->state);
	const char *word = words[n->state];

	(void)snprintf(
	    out, 64, "%s%s%s", word, warn && word[0] != '\0' ? "，" : "", warn ? "别处错号" : "");
}

/* "note〔空号 03-09〕": the mark is replaced when the state is another one. False: it stays as it is. */
static bool
mark(char out[NUMBER_NOTE], struct span note, const struct law_number *n, int64_t at)
{
	const uint8_t *open =
	    note.len == 0 ? NULL : memmem(note.data, note.len, MARK_OPEN, strlen(MARK_OPEN));
	size_t plain = open == NULL ? note.len : (size_t)(open - note.data);
	char word[64];
	struct civil day = clock_civil(at);

	say_state(word, n);
	if (open != NULL && word[0] != '\0') {
		struct span rest =
		    span_of(open + strlen(MARK_OPEN), note.len - plain - strlen(MARK_OPEN));

		if (rest.len > strlen(word) && memcmp(rest.data, word, strlen(word)) == 0 &&
		    rest.data[strlen(word)] == ' ')
			return false;
	}
	if (word[0] == '\0' && open == NULL)
		return false;
	if (plain > NUMBER_NOTE - 80)
		plain = NUMBER_NOTE - 80;
	while (plain > 0 && !utf8_valid(note.data, plain))
		plain--;
	(void)snprintf(out, NUMBER_NOTE, "%.*s", (int)plain, (const char *)note.data);
	if (word[0] != '\0')
		(void)snprintf(out + plain, NUMBER_NOTE - plain,
		    MARK_OPEN "%s %02u-%02u" MARK_CLOSE, word, (unsigned)day.month % 100,
		    (unsigned)day.day % 100);
	return true;
}

/* A stable sort of at most TASK_NUMBERS. */
static bool
sort(struct task *t, int *ranks)
{
	bool moved = false;

	for (uint32_t i = 1; i < t->n_numbers; i++) {
		struct task_number n = t->numbers[i];
		int mine = ranks[i];
		uint32_t at = i;

		for (; at > 0 && ranks[at - 1] > mine; at--) {
			t->numbers[at] = t->numbers[at - 1];
			ranks[at] = ranks[at - 1];
			moved = true;
		}
		t->numbers[at] = n;
		ranks[at] = mine;
	}
	return moved;
}

/* Why there is no number of this kind: one reason a kind. */
static bool
add_reason(struct task *t, const struct task_number *none)
{
	if (none->kind.len == 0 || none->note.len == 0)
		return false;
	for (uint32_t i = 0; i < t->n_numbers; i++) {
		struct task_number *n = &t->numbers[i];
		bool news = !span_eq(n->note, none->note);

		if (n->digits.len > 0 || !span_eq(n->kind, none->kind))
			continue;
		n->note = none->note;
		return news;
	}
	if (t->n_numbers == TASK_NUMBERS)
		return false;
	t->numbers[t->n_numbers++] = *none;
	return true;
}

static void
drop_reason(struct task *t, struct span kind)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->n_numbers; i++)
		if (t->numbers[i].digits.len > 0 || !span_eq(t->numbers[i].kind, kind))
			t->numbers[n++] = t->numbers[i];
	t->n_numbers = n;
}

/* At the end: the sort brings it forward. */
static bool
add_found(struct task *t, const struct task_number *found)
{
	if (found->digits.len == 0)
		return add_reason(t, found);
	drop_reason(t, found->kind);
	for (uint32_t i = 0; i < t->n_numbers; i++)
		if (span_eq(t->numbers[i].digits, found->digits))
			return false;
	if (t->n_numbers == TASK_NUMBERS)
		t->n_numbers--;
	t->numbers[t->n_numbers++] = *found;
	return true;
}

bool
numbers_arrange(struct task *t, struct number_notes *notes, const struct law_case *c,
    const uint8_t case_key[32], const struct task_number *found, int64_t at)
{
	int ranks[TASK_NUMBERS];
	bool changed = add_found(t, found);

	for (uint32_t i = 0; i < t->n_numbers; i++) {
		const struct law_number *n = known(c, case_key, t->numbers[i].digits);

		ranks[i] = t->numbers[i].digits.len == 0 ? 4 : rank(n);
		if (ranks[i] < 2 && span_eq(t->numbers[i].digits, found->digits))
			ranks[i] = -1;
		if (n == NULL || !mark(notes->text[i], t->numbers[i].note, n, at))
			continue;
		t->numbers[i].note = span_str(notes->text[i]);
		changed = true;
	}
	return sort(t, ranks) || changed;
}
