/* draftkey.c - the key under which a person's browsers seal what is typed and not yet recorded.
 *
 * Happy path: 32 random bytes in the person's directory, made when first asked for and handed to whoever has logged in;
 * a browser keeps it in memory. Not made from the person's key: a PIN that is lost replaces that key, and drafts must
 * outlive it. Failures: the file cannot be made or read: the caller says so. */
#include <stdio.h>
#include <string.h>

#include "base/crypt.h"
#include "base/file.h"
#include "base/text.h"
#include "workers/caller/office_int.h"

#define KEY_LEN 32

int
draft_key(const struct room *r, char hex[2 * KEY_LEN + 1], struct err *err)
{
	char path[600];
	struct buf text = BUF_INIT;
	struct err why = ERR_INIT;
	uint8_t key[KEY_LEN];
	int got = 0;

	(void)snprintf(path, sizeof(path), "%s/draft.key", r->id.dir);
	if (file_read(&text, path, 2 * KEY_LEN + 1, &why) == 0) {
		text.len -= text.len > 0 && text.data[text.len - 1] == '\n';
		if (!hex_decode(key, KEY_LEN, (char *)text.data, text.len))
			got = err_set(err, ERR_CORRUPT, "%s is no key of 64 hex digits", path);
	} else if (why.code == ERR_NOT_FOUND) {
		crypt_random(key, KEY_LEN);
		hex_encode(hex, key, KEY_LEN);
		got = file_replace(path, span_of(hex, 2 * KEY_LEN), 0600, err);
	} else {
		*err = why;
		got = -1;
	}
	if (got == 0)
		hex_encode(hex, key, KEY_LEN);
	crypt_wipe(key, sizeof(key));
	if (text.data != NULL)
		crypt_wipe(text.data, text.cap);
	buf_done(&text);
	return got;
}
