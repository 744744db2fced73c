/* The tables of PROTOCOL.md and those of the code say the same: kinds of frames, roles, fields,
 * records. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/file.h"
#include "proto/frame.h"
#include "proto/record.h"
#include "proto/roles.h"

#define CELLS 16

static struct buf text;

/* The cells of a table's row, trimmed; 0 when the line is none. Cuts the line up. */
static size_t
cells_of(char *line, char *cells[CELLS])
{
	size_t n = 0;

	if (line[0] != '|')
		return 0;
	for (char *at = line + 1; n < CELLS;) {
		char *end = strchr(at, '|');

		if (end == NULL)
			break;
		for (char *p = end; p > at && p[-1] == ' ';)
			*--p = '\0';
		*end = '\0';
		while (*at == ' ')
			at++;
		cells[n++] = at;
		at = end + 1;
	}
	return n;
}

typedef void row_fn(char *cells[CELLS], size_t n);

/* Every row of the tables between two headings. */
static void
each_row(const char *from, const char *to, row_fn *fn)
{
	char *start = strstr((char *)text.data, from), *part, *save = NULL;
	const char *end;

	assert_non_null(start);
	end = strstr(start, to);
	assert_non_null(end);
	part = strndup(start, (size_t)(end - start));
	for (char *line = strtok_r(part, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char *cells[CELLS];
		size_t n = cells_of(line, cells);

		if (n > 0)
			fn(cells, n);
	}
	free(part);
}

static int rows_seen;

static void
frame_row(char *cells[CELLS], size_t n)
{
	for (size_t i = 0; i + 3 <= n; i += 3) {
		if (!isdigit((unsigned char)cells[i][0]))
			continue;
		assert_string_equal(frame_kind_name((enum msg_kind)atoi(cells[i])), cells[i + 1]);
		rows_seen++;
	}
}

static void
kinds_of_frames(void **state)
{
	(void)state;
	rows_seen = 0;
	each_row("| kind | name | direction |", "## 3 ", frame_row);
	assert_int_equal(rows_seen, 20);
}

static void
role_row(char *cells[CELLS], size_t n)
{
	for (size_t i = 0; i + 3 <= n; i += 3) {
		uint32_t bit = (uint32_t)atoi(cells[i]);

		if (bit == 0)
			continue;
		assert_string_equal(role_name(bit), cells[i + 1]);
		assert_true(strncmp(cells[i + 2], role_zh(bit), strlen(role_zh(bit))) == 0);
		rows_seen++;
	}
}

static void
roles(void **state)
{
	(void)state;
	rows_seen = 0;
	each_row("\n## 13 ", "\n## 14 ", role_row);
	assert_int_equal(rows_seen, 15);
}

static void
field_row(char *cells[CELLS], size_t n)
{
	static const char *const types[] = {[FIELD_U] = "u",
	    [FIELD_STR] = "s",
	    [FIELD_BIN] = "b",
	    [FIELD_STRS] = "[s]",
	    [FIELD_BINS] = "[b32]",
	    [FIELD_REFS] = "b"};

	for (size_t i = 0; i + 3 <= n; i += 3) {
		enum field_key key = (enum field_key)atoi(cells[i]);

		if (key == 0 || key == FIELD_KEYS)
			continue;
		assert_string_equal(field_name(key), cells[i + 1]);
		assert_true(strncmp(cells[i + 2], types[field_type(key)],
		                strlen(types[field_type(key)])) == 0);
		rows_seen++;
	}
}

static void
fields(void **state)
{
	(void)state;
	rows_seen = 0;
	each_row("| key | name | type |", "Bytes of a string", field_row);
	assert_int_equal(rows_seen, FIELD_KEYS - 1);
}

/* "owner, leader, caller (own)" */
static uint32_t
roles_in(char *who)
{
	uint32_t bits = 0;
	char *save = NULL;

	for (char *word = strtok_r(who, ",", &save); word != NULL;
	     word = strtok_r(NULL, ",", &save)) {
		char *own = strstr(word, " (");

		word += strspn(word, " ");
		if (own != NULL)
			*own = '\0';
		if (strncmp(word, "everybody", 9) == 0)
			bits |= ROLE_ANY;
		else if (strcmp(word, "owner") == 0)
			bits |= ROLE_OWNER;
		else if (strcmp(word, "the record's own person") == 0)
			bits |= ROLE_SELF;
		else if (role_by_name(word) != 0)
			bits |= role_by_name(word);
		else
			fail_msg("\"%s\" is no role", word);
	}
	return bits;
}

/* "**1**, 2, 4-6 (0: all)": bold ones are required. */
static void
fields_in(const char *at, uint64_t *required, uint64_t *allowed)
{
	*required = *allowed = 0;
	while (*at != '\0' && *at != '(') {
		bool bold = strncmp(at, "**", 2) == 0;
		char *end;
		unsigned long from, to;

		if (!isdigit((unsigned char)*at) && !(bold && isdigit((unsigned char)at[2]))) {
			at++;
			continue;
		}
		from = to = strtoul(at + (bold ? 2 : 0), &end, 10);
		if (*end == '-')
			to = strtoul(end + 1, &end, 10);
		for (; from <= to; from++)
			*(bold ? required : allowed) |= 1ULL << from;
		at = end + (bold ? 2 : 0);
	}
}

static void
record_row(char *cells[CELLS], size_t n)
{
	enum record_kind kind = (enum record_kind)atoi(cells[0]);
	const struct record_rule *r = record_rule(kind);
	uint64_t required, allowed;

	if (kind == 0)
		return;
	assert_int_equal(n, 7);
	assert_non_null(r);
	assert_string_equal(r->name, cells[1]);
	assert_int_equal(r->token, strcmp(cells[2], "0") == 0 ? RULE_NEVER : RULE_MAY);
	assert_int_equal(r->case_id, strcmp(cells[3], "yes") == 0  ? RULE_MUST
	                             : strcmp(cells[3], "no") == 0 ? RULE_NEVER
	                                                           : RULE_MAY);
	assert_int_equal(r->moves, strcmp(cells[4], "yes") == 0);
	assert_int_equal(r->roles, roles_in(cells[5]));
	fields_in(cells[6], &required, &allowed);
	assert_true(r->required == required);
	if (r->allowed != allowed)
		fail_msg("kind %s: other fields may be there", r->name);
	rows_seen++;
}

static void
kinds_of_records(void **state)
{
	(void)state;
	rows_seen = 0;
	each_row("### 14.3", "\"Moves the case\"", record_row);
	assert_int_equal(rows_seen, REC_KINDS - 1);
}

static int
read_text(void **state)
{
	(void)state;
	return file_read(&text, "proto/PROTOCOL.md", 1 << 20, NULL);
}

static int
forget_text(void **state)
{
	(void)state;
	buf_done(&text);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kinds_of_frames),
	    cmocka_unit_test(roles),
	    cmocka_unit_test(fields),
	    cmocka_unit_test(kinds_of_records),
	};

	return cmocka_run_group_tests(tests, read_text, forget_text);
}
