/* cmd_pay_close.c - pay close, pay supplement: a sheet is signed by two persons and never changes afterwards.
 *
 * Happy path: hf-reconcile makes the sheet and says that nothing speaks against it; the data group's records carry it,
 * sealed, in pieces, under the hash of the whole; a head gives (approve give N) what `pay show --sheet N` shows. What
 * changes later is a supplement, which has only the differences. Failures: something is open (exit 1, each reason said),
 * a time that lies ahead, a minimum that nobody set. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/text.h"
#include "ctl/decide.h"
#include "ctl/lists.h"
#include "ctl/show.h"
#include "proto/keys.h"
#include "workers/link/helper.h"

#define PIECE 60000 /* bytes of a body's text */

/* Where the piece that begins at `from` ends: not inside a character. */
static size_t
piece_end(const char *text, size_t len, size_t from)
{
	size_t end = len - from > PIECE ? from + PIECE : len;

	while (end < len && ((unsigned char)text[end] & 0xC0) == 0x80)
		end--;
	return end;
}

static int
say_pieces(struct acts *a, const char *what, const char *text, const uint8_t id[16],
    const uint8_t key[32], uint64_t *ret, struct err *err)
{
	size_t len = strlen(text);
	uint64_t n = 0;

	for (size_t from = 0, end; from < len; from = end) {
		struct record_header h = acts_header(a, REC_IMPORT);
		struct body body = {.note = {NULL, 0}};

		end = piece_end(text, len, from);
		body.text = span_of(text + from, end - from);
		field_set_b(&h, F_import, id, 16);
		field_set_s(&h, F_what, what);
		field_set_u(&h, F_count, ++n);
		if (acts_add(a, &h, &body, key, err) != 0)
			return -1;
	}
	*ret = n;
	return 0;
}

static int
say_all(struct ctl *c, struct acts *a, const char *what, const json_t *sheet, const char *text,
    const uint8_t id[16], struct err *err)
{
	const json_t *rules = json_object_get(sheet, "rules");
	struct record_header h = acts_header(a, REC_COMMIT);
	uint8_t key[32];
	uint64_t pieces = 0;
	int got;

	if (show_reserved_key(c, KEYS_REF_CAMPAIGN, key, err) != 0)
		return -1;
	got = say_pieces(a, what, text, id, key, &pieces, err);
	crypt_wipe(key, sizeof(key));
	if (got != 0)
		return -1;
	field_set_b(&h, F_import, id, 16);
	field_set_u(&h, F_rows, pieces);
	field_set_s(&h, F_what, what);
	field_set_u(&h, F_until, (uint64_t)json_integer_value(json_object_get(sheet, "as_of")));
	field_set_u(&h, F_policy, (uint64_t)json_integer_value(json_object_get(rules, "version")));
	if (acts_add(a, &h, NULL, NULL, err) != 0)
		return -1;
	return acts_done(a, err);
}

/* The sheet becomes records; *ret is the ledger number that a head gives. */
static int
say_sheet(struct ctl *c, const char *what, const json_t *sheet, int64_t *ret, struct err *err)
{
	char *text = json_dumps(sheet, JSON_COMPACT | JSON_SORT_KEYS);
	uint8_t hash[HASH_LEN];
	struct span all;
	struct acts *a;
	int got;

	CHECK(text != NULL);
	all = span_str(text);
	crypt_hash(hash, &all, 1);
	got = acts_open(c, &a, err);
	if (got == 0) {
		got = say_all(c, a, what, sheet, text, hash, err);
		acts_close(a);
	}
	free(text);
	if (got != 0 || list_wait(c, hash, err) != 0)
		return -1;
	return decide_newest(c, what, ret, err);
}

static int
take_time(struct ctl *c, const char *text, int64_t *ret, struct err *err)
{
	int64_t now = show_now(c);

	if (strcmp(text, "now") == 0)
		*ret = now;
	else if (!clock_parse(text, ret) || *ret <= 0)
		return err_set(err, ERR_INVALID, "--as-of 要 \"2026-09-20 18:00\" 或 now");
	return *ret <= now ? 0 : err_set(err, ERR_INVALID, "--as-of 还没有到");
}

/* What hf-reconcile says of this verb. Exit 1: not closable, its reasons stand on stderr. */
static int
ask(struct ctl *c, const char *verb, int64_t as_of, const char *minimum, json_t **ret, int *code,
    struct err *err)
{
	char program[] = "hf-reconcile", json[] = "--json", campaign[] = "--campaign",
	     at[] = "--as-of", least[] = "--minimum", when[24], word[24], n[24];
	char *argv[12] = {program, json, campaign, c->campaign};
	int k = 4;

	if (as_of != 0) {
		(void)snprintf(when, sizeof(when), "%" PRId64, as_of);
		argv[k++] = at;
		argv[k++] = when;
	}
	if (minimum != NULL) {
		(void)snprintf(n, sizeof(n), "%s", minimum);
		argv[k++] = least;
		argv[k++] = n;
	}
	(void)snprintf(word, sizeof(word), "%s", verb);
	argv[k++] = word;
	argv[k] = NULL;
	if (helper_json(argv, ret, code, err) != 0)
		return -1;
	if (*ret == NULL && *code == 0)
		return err_set(err, ERR_CORRUPT, "hf-reconcile said nothing");
	return 0;
}

static int
finish(struct ctl *c, const char *what, json_t *sheet, const char *zh, struct err *err)
{
	size_t rows = json_array_size(json_object_get(sheet, "rows"));
	int64_t no = 0;

	if (say_sheet(c, what, sheet, &no, err) != 0)
		return -1;
	if (c->json)
		printf("{\"no\":%" PRId64 ",\"rows\":%zu}\n", no, rows);
	else
		printf("%s %zu 人; 第二个人看过 (hfctl pay show --sheet %" PRId64
		       ") 以后: hfctl --as 回访组长 approve give %" PRId64 "\n",
		    zh, rows, no, no);
	return 0;
}

static int
pay_close(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *when = opt_take(&argc, argv, "--as-of", true),
	           *minimum = opt_take(&argc, argv, "--minimum", true);
	json_t *sheet = NULL;
	uint64_t n;
	int64_t as_of;
	int code = 0, got;

	if (argc != 0 || when == NULL)
		return ctl_usage(err, verbs_pay_close, "pay", "close");
	if (minimum == NULL || strlen(minimum) > 9 || !text_to_u64(minimum, strlen(minimum), &n))
		return err_set(err, ERR_INVALID,
		    "关帐要领导小组定的最低工作量: --minimum N (hfctl pay show 给出建议数)");
	if (ctl_campaign(c, err) != 0 || take_time(c, when, &as_of, err) != 0 ||
	    ask(c, "close", as_of, minimum, &sheet, &code, err) != 0)
		return -1;
	got = code == 0 ? finish(c, "pay", sheet, "补贴表", err) : code;
	json_decref(sheet);
	return got;
}

static const char *
text(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));

	return s != NULL ? s : "-";
}

static void
show(const struct ctl *c, const json_t *sheet)
{
	const json_t *row;
	size_t i;

	if (c->json) {
		json_dumpf(sheet, stdout, JSON_COMPACT);
		printf("\n");
		return;
	}
	json_array_foreach(json_object_get(sheet, "rows"), i, row)
	{
		printf("%-15s 补贴差额 %s (%s -> %s), 组长奖励差额 %s (%s -> %s)\n",
		    text(row, "person"), text(row, "pay_difference"), text(row, "pay_was"),
		    text(row, "pay_now"), text(row, "bonus_difference"), text(row, "bonus_was"),
		    text(row, "bonus_now"));
	}
}

/* Without --as-of it is only shown. */
static int
pay_supplement(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *when = opt_take(&argc, argv, "--as-of", true);
	json_t *sheet = NULL;
	int64_t as_of = 0;
	int code = 0, got;

	if (argc != 0)
		return ctl_usage(err, verbs_pay_close, "pay", "supplement");
	if (ctl_campaign(c, err) != 0 || (when != NULL && take_time(c, when, &as_of, err) != 0) ||
	    ask(c, "supplement", as_of, NULL, &sheet, &code, err) != 0)
		return -1;
	got = code;
	if (code == 0 && json_array_size(json_object_get(sheet, "rows")) == 0)
		printf("%s\n", c->json ? "{\"rows\":[]}" : "没有差额");
	else if (code == 0 && when != NULL)
		got = finish(c, "supplement", sheet, "补发表", err);
	else if (sheet != NULL)
		show(c, sheet);
	json_decref(sheet);
	return got;
}

const struct verb verbs_pay_close[] = {
    {"pay", "close", pay_close, "--as-of TIME|now --minimum N",
        "关帐: 签字后不再改的补贴表; 第二个人用 approve give 同意"},
    {"pay", "supplement", pay_supplement, "[--as-of TIME|now]",
        "关帐以后的差额; 有 --as-of 就作为补发表签字"},
    {NULL, NULL, NULL, NULL, NULL},
};
