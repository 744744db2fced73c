/* The bytes of the protocol are those of tests/golden/vectors.json, to the last one.
 *
 * With --write FILE it writes the vectors instead, with --corpus DIR the fuzzers' first inputs
 * (DIR/frame/HELLO and so on; the directories are there already). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/file.h"
#include "tests/lib/golden.h"

#ifndef GOLDEN
#define GOLDEN "tests/golden/vectors.json"
#endif

static void
write_file(const char *path, struct span bytes)
{
	FILE *f = fopen(path, "wb");

	if (f == NULL || (bytes.len > 0 && fwrite(bytes.data, bytes.len, 1, f) != 1) ||
	    fclose(f) != 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
}

static void
write_input(void *dir, const char *kind, const char *name, struct span bytes)
{
	char *path = xasprintf("%s/%s/%s", (const char *)dir, kind, name);

	write_file(path, bytes);
	free(path);
}

/* Where they differ first, a line says more than a number. */
static void
nothing_on_the_wire_has_changed(void **state)
{
	struct buf now = BUF_INIT, then = BUF_INIT;
	struct err err = ERR_INIT;
	size_t at = 0, line;

	(void)state;
	golden_json(&now);
	if (file_read(&then, GOLDEN, 1 << 20, &err) < 0)
		fail_msg("%s", err.text);
	while (at < now.len && at < then.len && now.data[at] == then.data[at])
		at++;
	for (line = at; line > 0 && then.data[line - 1] != '\n';)
		line--;
	if (at != now.len || at != then.len)
		fail_msg("differs at byte %zu: %.60s ... was %.80s, is %.80s", at,
		    (const char *)then.data + line, (const char *)then.data + at,
		    (const char *)now.data + at);
	buf_done(&now);
	buf_done(&then);
}

static void
write_vectors(const char *path)
{
	struct buf b = BUF_INIT;

	golden_json(&b);
	write_file(path, buf_span(&b));
	buf_done(&b);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_on_the_wire_has_changed),
	};

	if (crypt_init(NULL) < 0)
		return 1;
	if (argc == 3 && strcmp(argv[1], "--write") == 0)
		write_vectors(argv[2]);
	else if (argc == 3 && strcmp(argv[1], "--corpus") == 0)
		golden_each(write_input, argv[2]);
	else
		return cmocka_run_group_tests(tests, NULL, NULL);
	return 0;
}
