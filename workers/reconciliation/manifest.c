/* manifest.c - makes and checks the list of an export's files.
 *
 * Happy path of a check: the signature, then each file's SHA-256; nothing else lies in the directory. Failures: what
 * does not hold is said, a sheet's first altered row by its number in the sheet; all files are looked at. */
#include "workers/reconciliation/manifest.h"

#include <dirent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/text.h"
#include "workers/link/helper.h"

#define FORMAT       "hf-export-1"
#define CONTEXT      "hf1-export"
#define FILE_MAX     (512u << 20)
#define MANIFEST_MAX (256u << 20)

/* ---- rows ---- */

static int
on_row(void *arg, json_t *line, struct err *err)
{
	json_t *rows = arg;
	const json_t *cells = json_object_get(line, "cells");
	struct buf text = BUF_INIT;
	uint8_t hash[HASH_LEN];
	char hex[17];
	size_t n = json_array_size(cells);
	struct span all;

	(void)err;
	if (!json_is_array(cells))
		return 0; /* the summary */
	while (n > 0 && json_string_length(json_array_get(cells, n - 1)) == 0)
		n--;
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(&text, 0x1f);
		buf_adds(&text, json_string_value(json_array_get(cells, i)));
	}
	all = buf_span(&text);
	crypt_hash(hash, &all, 1);
	hex_encode(hex, hash, 8);
	buf_done(&text);
	json_array_append_new(rows, json_string(hex));
	return 0;
}

static json_t *
read_rows(const char *path, struct err *err)
{
	json_t *rows = json_array();

	if (helper_import("cells", path, NULL, on_row, rows, err) == 0)
		return rows;
	json_decref(rows);
	return NULL;
}

static int
hash_file(const char *path, char hex[65], size_t *ret_len, struct err *err)
{
	struct buf data = BUF_INIT;
	struct sha256 h;
	uint8_t out[32];

	if (file_read(&data, path, FILE_MAX, err) != 0) {
		buf_done(&data);
		return -1;
	}
	sha256_init(&h);
	sha256_add(&h, data.data, data.len);
	sha256_done(&h, out);
	hex_encode(hex, out, 32);
	*ret_len = data.len;
	buf_done(&data);
	return 0;
}

/* ---- making ---- */

int
manifest_add(json_t *files, const char *dir, const char *name, int64_t rows, struct err *err)
{
	char path[PATH_MAX], hex[65];
	json_t *row = NULL, *file;
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (hash_file(path, hex, &len, err) != 0)
		return -1;
	if (rows >= 0 && (row = read_rows(path, err)) == NULL)
		return err_wrap(err, "reading back what was written");
	if (rows >= 0 && (int64_t)json_array_size(row) <= rows) {
		json_decref(row);
		return err_set(err, ERR_CORRUPT, "%s 读回来行数不对; 请重新导出", path);
	}
	file = json_pack("{s:s s:I s:s s:I}", "name", name, "bytes", (json_int_t)len, "sha256", hex,
	    "rows", (json_int_t)(rows >= 0 ? rows : 0));
	if (row != NULL)
		json_object_set_new(file, "row", row);
	json_array_append_new(files, file);
	return 0;
}

static void
sign(const uint8_t seed[32], struct span text, char hex[2 * SIGN_LEN + 2])
{
	uint8_t pk[SIGN_PK_LEN], sk[SIGN_SK_LEN], sig[SIGN_LEN];
	struct buf all = BUF_INIT;

	crypt_sign_from_seed(pk, sk, seed);
	buf_adds(&all, CONTEXT);
	buf_add(&all, text.data, text.len);
	crypt_sign(sig, sk, buf_span(&all));
	crypt_wipe(sk, sizeof(sk));
	hex_encode(hex, sig, SIGN_LEN);
	hex[2 * SIGN_LEN] = '\n';
	hex[2 * SIGN_LEN + 1] = '\0';
	buf_done(&all);
}

int
manifest_write(
    const struct home *home, const char *dir, json_t *manifest, char *ret_sha, struct err *err)
{
	uint8_t pk[SIGN_PK_LEN], seed[32];
	char path[PATH_MAX], hex[65], sig[2 * SIGN_LEN + 2];
	size_t len;
	char *text;
	int got;

	if (home_keypair(home, "export", HOME_SIGN, pk, seed, err) != 0)
		return err_wrap(err, "the key of exports");
	hex_encode(hex, pk, SIGN_PK_LEN);
	json_object_set_new(manifest, "format", json_string(FORMAT));
	json_object_set_new(manifest, "key", json_string(hex));
	text = json_dumps(manifest, JSON_INDENT(1) | JSON_SORT_KEYS);
	CHECK(text != NULL);
	sign(seed, span_str(text), sig);
	crypt_wipe(seed, sizeof(seed));
	(void)snprintf(path, sizeof(path), "%s/" MANIFEST_SIG, dir);
	got = file_replace(path, span_str(sig), 0600, err);
	(void)snprintf(path, sizeof(path), "%s/" MANIFEST_NAME, dir);
	if (got == 0)
		got = file_replace(path, span_str(text), 0600, err);
	free(text);
	return got == 0 ? hash_file(path, ret_sha, &len, err) : -1;
}

/* ---- checking ---- */

struct check {
	const char *dir;
	FILE *out;
	int bad;
};

static void __attribute__((format(printf, 2, 3))) say(struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vfprintf(c->out, fmt, ap);
	va_end(ap);
	c->bad = 1;
}

static void
compare_rows(struct check *c, const char *name, const json_t *want, const json_t *got)
{
	size_t n = json_array_size(want), m = json_array_size(got), i = 0;

	while (i < n && i < m && json_equal(json_array_get(want, i), json_array_get(got, i)))
		i++;
	if (i < n && i < m)
		say(c, "ALTERED %s: 第 %zu 行被改动 (首条)\n", name, i + 1);
	else if (i < n)
		say(c, "ALTERED %s: 从第 %zu 行起少了 %zu 行\n", name, i + 1, n - m);
	else if (i < m)
		say(c, "ALTERED %s: 从第 %zu 行起多了 %zu 行\n", name, i + 1, m - n);
	else
		say(c, "ALTERED %s: 各行未变, 文件别处被改动\n", name);
}

static void
check_file(struct check *c, const json_t *file)
{
	const char *name = json_string_value(json_object_get(file, "name"));
	const char *want = json_string_value(json_object_get(file, "sha256"));
	const json_t *row = json_object_get(file, "row");
	struct err why = ERR_INIT;
	char path[PATH_MAX], hex[65];
	json_t *rows;
	size_t len;

	if (name == NULL || want == NULL || strchr(name, '/') != NULL) {
		say(c, "ALTERED " MANIFEST_NAME ": 有一条读不懂\n");
		return;
	}
	(void)snprintf(path, sizeof(path), "%s/%s", c->dir, name);
	if (hash_file(path, hex, &len, &why) != 0) {
		say(c, "ALTERED %s: %s\n", name,
		    why.code == ERR_NOT_FOUND ? "文件不在了" : why.text);
		return;
	}
	if (strcmp(hex, want) == 0)
		return;
	rows = row != NULL ? read_rows(path, &why) : NULL;
	if (rows != NULL)
		compare_rows(c, name, row, rows);
	else
		say(c, "ALTERED %s: 文件被改动%s\n", name, row != NULL ? ", 已读不成表" : "");
	json_decref(rows);
}

static void
check_strangers(struct check *c, const json_t *files)
{
	DIR *d = opendir(c->dir);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		const json_t *file;
		bool known = e->d_name[0] == '.' || strcmp(e->d_name, MANIFEST_NAME) == 0 ||
		             strcmp(e->d_name, MANIFEST_SIG) == 0;
		size_t i;

		json_array_foreach(files, i, file)
		{
			const char *name = json_string_value(json_object_get(file, "name"));

			known = known || (name != NULL && strcmp(name, e->d_name) == 0);
		}
		if (!known)
			say(c, "ALTERED %s: 不在清单里\n", e->d_name);
	}
	if (d != NULL)
		(void)closedir(d);
}

static int
key_of_file(const char *path, uint8_t pk[SIGN_PK_LEN], struct err *err)
{
	struct buf text = BUF_INIT;
	int got = file_read(&text, path, 4096, err);

	while (got == 0 && text.len > 0 && text.data[text.len - 1] <= ' ')
		text.len--;
	if (got == 0 && !hex_decode(pk, SIGN_PK_LEN, (const char *)text.data, text.len))
		got = err_set(err, ERR_INVALID, "%s: 不是 64 位十六进制的公钥", path);
	buf_done(&text);
	return got;
}

/* Whose signature it must be. */
static int
find_key(const char *key_file, const json_t *manifest, uint8_t pk[SIGN_PK_LEN], FILE *out,
    struct err *err)
{
	const char *own = json_string_value(json_object_get(manifest, "key"));
	struct home home;

	if (key_file != NULL)
		return key_of_file(key_file, pk, err);
	if (home_load(&home, NULL) == 0 && home_secret_key(&home, "export.pub", pk, NULL) == 0)
		return 0;
	if (own == NULL || !hex_decode(pk, SIGN_PK_LEN, own, strlen(own)))
		return err_set(err, ERR_CORRUPT, "清单里没有公钥; 请用 --key 指明 export.pub");
	fprintf(out, "公钥取自清单本身: 只证明此后没有改动; 要证明是谁签的, 用 --key\n");
	return 0;
}

static void
check_signature(struct check *c, struct span text, const uint8_t pk[SIGN_PK_LEN])
{
	struct buf sig = BUF_INIT, all = BUF_INIT;
	uint8_t raw[SIGN_LEN];
	char path[PATH_MAX], hex[2 * SIGN_LEN + 1];

	(void)snprintf(path, sizeof(path), "%s/" MANIFEST_SIG, c->dir);
	buf_adds(&all, CONTEXT);
	buf_add(&all, text.data, text.len);
	if (file_read(&sig, path, 4096, NULL) != 0 || sig.len != 2 * SIGN_LEN + 1 ||
	    sig.data[2 * SIGN_LEN] != '\n' ||
	    !hex_decode(raw, SIGN_LEN, (const char *)sig.data, 2 * SIGN_LEN))
		say(c, "ALTERED " MANIFEST_SIG ": 签名不在或读不懂\n");
	else if (hex_encode(hex, raw, SIGN_LEN), memcmp(hex, sig.data, 2 * SIGN_LEN) != 0)
		say(c, "ALTERED " MANIFEST_SIG ": 被改动\n"); /* other letters, the same number */
	else if (!crypt_verify(raw, pk, buf_span(&all)))
		say(c, "ALTERED " MANIFEST_NAME ": 与签名不符\n");
	buf_done(&sig);
	buf_done(&all);
}

static void
check_all(struct check *c, const json_t *manifest)
{
	const json_t *files = json_object_get(manifest, "files"), *file;
	json_int_t rows = 0;
	size_t i;

	json_array_foreach(files, i, file)
	{
		check_file(c, file);
		rows += json_integer_value(json_object_get(file, "rows"));
	}
	check_strangers(c, files);
	if (c->bad == 0)
		fprintf(c->out, "good: %s, %zu files, %jd rows, ledger up to %jd\n",
		    json_string_value(json_object_get(manifest, "kind")), json_array_size(files),
		    (intmax_t)rows,
		    (intmax_t)json_integer_value(json_object_get(manifest, "ledger_no")));
}

int
manifest_verify(
    const char *dir, const char *key_file, const char *archive, FILE *out, struct err *err)
{
	struct check c = {.dir = dir, .out = out};
	struct buf text = BUF_INIT;
	uint8_t pk[SIGN_PK_LEN];
	char path[PATH_MAX];
	json_t *manifest;
	int got = -1;

	(void)snprintf(path, sizeof(path), "%s/" MANIFEST_NAME, dir);
	if (file_read(&text, path, MANIFEST_MAX, err) != 0) {
		buf_done(&text);
		return -1;
	}
	manifest = json_loadb((const char *)text.data, text.len, 0, NULL);
	if (manifest == NULL) {
		fprintf(out, "ALTERED " MANIFEST_NAME ": 读不懂\n");
		got = 1;
	} else if (find_key(key_file, manifest, pk, out, err) == 0) {
		check_signature(&c, buf_span(&text), pk);
		check_all(&c, manifest);
		got = c.bad;
		if (archive != NULL && manifest_archive(manifest, archive, out) != 0)
			got = 1;
	}
	json_decref(manifest);
	buf_done(&text);
	return got;
}
