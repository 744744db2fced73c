/* test_pay_examples.c - tests/golden/pay_examples.txt by the law in C: every worked example under every reading that it
 * names, every boundary, the traps of floating point. The same file is read against the law in SQL (test_pay_twice.py). */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "workers/reconciliation/pay.h"

#define TABLE    "tests/golden/pay_examples.txt"
#define CELLS    12
#define EXAMPLES 26
#define MEMBERS  16

enum { EXAMPLE, READING, PEOPLE, CALLED, MINIMUM, SLACK, N3, N5, SETTINGS, STANDARD, PAY, BONUS };

static const struct {
	const char *word;
	size_t at;
	int value;
} settings[] = {
    {"q1=inclusive", offsetof(struct pay_policy, tier), PAY_TIER_INCLUSIVE},
    {"q1=strict", offsetof(struct pay_policy, tier), PAY_TIER_STRICT},
    {"q2=B", offsetof(struct pay_policy, step_in), PAY_STEP_FROM_93},
    {"q3=off", offsetof(struct pay_policy, step), PAY_STEP_OFF},
    {"q3=auto", offsetof(struct pay_policy, step), PAY_STEP_AUTO},
    {"q4=strict93", offsetof(struct pay_policy, n2), PAY_N2_STRICT93},
    {"q6=per_short", offsetof(struct pay_policy, n1), PAY_N1_PER_SHORT},
    {"q6=per_called", offsetof(struct pay_policy, n1), PAY_N1_PER_CALLED},
    {"q7=mean", offsetof(struct pay_policy, team_rate), PAY_TEAM_MEAN},
    {"q18=total", offsetof(struct pay_policy, n5), PAY_N5_OF_TOTAL},
};

static void
set(struct pay_policy *p, const char *word)
{
	if (strcmp(word, "q2_top=0") == 0) {
		p->step_in_top = false;
		return;
	}
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (strcmp(word, settings[i].word) != 0)
			continue;
		memcpy((char *)p + settings[i].at, &settings[i].value, sizeof(int));
		return;
	}
	fail_msg("no such setting: %s", word);
}

static void
split(char *line, char *cell[CELLS])
{
	int n = 0;

	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; i < CELLS; i++)
		cell[i] = line;
	for (char *at = line; at != NULL && n < CELLS; n++) {
		char *next = strstr(at, " | ");

		cell[n] = at;
		at = next != NULL ? next + 3 : NULL;
		if (next != NULL)
			*next = '\0';
	}
	assert_int_equal(n, CELLS);
}

/* "44/50 10/10": the first leads and has what the row says. */
static size_t
people_of(char *const cell[CELLS], struct pay_row rows[MEMBERS])
{
	char text[200], *save = NULL;
	size_t n = 0;

	(void)snprintf(text, sizeof(text), "%s", cell[PEOPLE]);
	for (char *t = strtok_r(text, " ", &save); t != NULL; t = strtok_r(NULL, " ", &save)) {
		char *slash = strchr(t, '/');

		assert_true(slash != NULL && n < MEMBERS);
		rows[n++] = (struct pay_row){.rate = {atoll(t), atoll(slash + 1)}};
	}
	rows[0].called = atoll(cell[CALLED]);
	rows[0].minimum = atoll(cell[MINIMUM]);
	rows[0].slack = cell[SLACK][0] == '1';
	rows[0].wrong_withdrawal = cell[N3][0] == '1';
	rows[0].deduction = atoi(cell[N5]);
	rows[0].leader = true;
	return n;
}

static void
hold(char *const cell[CELLS], const char *what, const char *want, int64_t got)
{
	bool never = want[0] == '!';

	if (strcmp(want, "-") != 0 && (atoll(want + never) == got) == never)
		fail_msg("example %s, %s, %s: the %s is %" PRId64 ", the table says %s",
		    cell[EXAMPLE], cell[READING], cell[PEOPLE], what, got, want);
}

static void
one(char *const cell[CELLS])
{
	struct pay_policy p = pay_policy_default();
	struct pay_row rows[MEMBERS];
	size_t n = people_of(cell, rows);
	struct pay_team team = pay_team_of(rows, n);
	struct pay pay;
	char words[100], *save = NULL;

	(void)snprintf(words, sizeof(words), "%s", cell[SETTINGS]);
	for (char *w = strtok_r(words, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		if (strcmp(w, "-") != 0)
			set(&p, w);
	pay = pay_of(&p, &rows[0]);
	hold(cell, "standard", cell[STANDARD], pay.standard);
	hold(cell, "pay", cell[PAY], pay.amount);
	hold(cell, "bonus", cell[BONUS], pay_bonus(&p, &team, &rows[0]));
}

static void
table(void **state)
{
	FILE *f = fopen(TABLE, "re");
	bool seen[EXAMPLES + 1] = {false};
	char line[400], *cell[CELLS];
	int rows = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		split(line, cell);
		one(cell);
		rows++;
		if (atoi(cell[EXAMPLE]) >= 1 && atoi(cell[EXAMPLE]) <= EXAMPLES)
			seen[atoi(cell[EXAMPLE])] = true;
	}
	(void)fclose(f);
	for (int i = 1; i <= EXAMPLES; i++)
		if (!seen[i])
			fail_msg("example %d is not in the table", i);
	assert_in_range(rows, 200, 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(table)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
