/* names.c - DIR/persons/PERSON.name: one line, for screens and slips. The campaign, its ledger and its logs know ids only.
 *
 * Happy path: written whole and read as it stands. Failures: a name that is none (said), a file that is not there or does
 * not read: no name. */
#include "workers/link/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#define PATH_SIZE 700

static char *
path_of(char out[PATH_SIZE], const char *dir, const char *person)
{
	(void)snprintf(out, PATH_SIZE, "%s/persons/%s.name", dir, person);
	return out;
}

static bool
is_name(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return false;
	return len < NAME_TEXT && utf8_valid((const uint8_t *)s, len);
}

int
names_put(const char *dir, const char *person, const char *name, struct err *err)
{
	char path[PATH_SIZE];

	if (!is_name(name, strlen(name)))
		return err_set(err, ERR_INVALID, "姓名要一行, 不超过 %d 个字节", NAME_TEXT - 1);
	path_of(path, dir, person);
	if (name[0] != '\0')
		return file_replace(path, span_str(name), 0600, err);
	if (unlink(path) != 0 && errno != ENOENT)
		return err_sys(err, "%s", path);
	return 0;
}

char *
names_get(char out[NAME_TEXT], const char *dir, const char *person)
{
	char path[PATH_SIZE];
	struct buf text = BUF_INIT;

	out[0] = '\0';
	if (file_read(&text, path_of(path, dir, person), 256, NULL) == 0) {
		while (text.len > 0 && text.data[text.len - 1] == '\n')
			text.len--;
		if (is_name((const char *)text.data, text.len))
			(void)snprintf(
			    out, NAME_TEXT, "%.*s", (int)text.len, (const char *)text.data);
	}
	buf_done(&text);
	return out;
}
