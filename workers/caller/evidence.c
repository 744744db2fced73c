/* evidence.c - a photo or paper comes to a desk: sealed, stored, on its way, named by its hash from then on.
 *
 * Happy path: the bytes are a JPEG, PNG or PDF of a case that was opened here; what is answered is its hash, and when
 * all of it has reached the broker {"evidence-sent"}. Failures store nothing: no such case here, no such file, a file
 * of another type or too large, a full disk. */
#include <string.h>

#include "base/file.h"
#include "base/map.h"
#include "base/text.h"
#include "workers/caller/desk_int.h"

static const char *
words_of(const struct err *err, const char **ret_code)
{
	switch (err->code) {
	case ERR_NOT_FOUND: *ret_code = "no-key"; return "本机没有打开过这个名单, 不能加照片";
	case ERR_INVALID:
		*ret_code = "bad-evidence";
		return "只收 JPEG、PNG 图片或 PDF, 不超过 10 MiB";
	default: *ret_code = "disk"; return "本机磁盘出错, 没有存下; 请换一台电脑并告诉管理员";
	}
}

bool
desk_evidence(struct desk *d, const uint8_t case_id[16], struct span plain, void *tag)
{
	const struct hold *hold = desk_hold(d, case_id);
	const uint8_t *key = hold != NULL ? hold->key : map_get(d->keys, case_id, 16);
	struct err err = ERR_INIT;
	const char *code, *text;
	char hex[33], hash_hex[65];
	uint8_t hash[32];

	if (client_evidence(d->client, case_id, key, plain, hash, &err) != 0) {
		text = words_of(&err, &code);
		desk_answer(d, "error", desk_error_object(code, text, NULL), tag);
		return false;
	}
	hex_encode(hex, case_id, 16);
	hex_encode(hash_hex, hash, 32);
	desk_answer(d, "evidence",
	    json_pack("{s:s s:s s:I s:s}", "case", hex, "hash", hash_hex, "size",
	        (json_int_t)plain.len, "type", evidence_type(plain)),
	    tag);
	return true;
}

/* Only who was shown the case has its key. */
int
desk_open_evidence(const struct desk *d, const uint8_t case_id[16], struct span sealed,
    struct buf *out, struct err *err)
{
	const struct hold *hold = desk_hold(d, case_id);
	const uint8_t *key = hold != NULL ? hold->key : map_get(d->keys, case_id, 16);

	return key == NULL ? err_set(err, ERR_NOT_FOUND, "evidence: no key of this case")
	                   : evidence_unseal(out, case_id, key, sealed, err);
}

/* {"do":"evidence","case":…,"file":…}; where a command may name files. */
int
evidence_do(struct desk *d, const json_t *o, void *tag, struct refusal *why)
{
	const char *path = json_string_value(json_object_get(o, "file"));
	struct buf plain = BUF_INIT;
	struct err err = ERR_INIT;
	uint8_t case_id[16];

	if (!d->o.files)
		return refuse(why, "unknown-do", "不认识的命令 evidence");
	if (!entry_case(o, case_id, why))
		return -1;
	if (path == NULL)
		return refuse(why, "missing-field", "缺少字段 file");
	if (file_read(&plain, path, EVIDENCE_PLAIN_MAX, &err) != 0) {
		buf_done(&plain);
		return err.code == ERR_FULL ? refuse(why, "bad-evidence", "文件超过 10 MiB")
		                            : refuse(why, "no-file", "读不了这个文件: 请核对路径");
	}
	(void)desk_evidence(d, case_id, buf_span(&plain), tag);
	buf_done(&plain);
	return 0;
}

void
evidence_is_sent(struct desk *d, struct span hash)
{
	char hex[65];

	hex_encode(hex, hash.data, 32);
	desk_say(d, "evidence-sent", json_pack("{s:s}", "hash", hex));
}
