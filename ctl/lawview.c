/* lawview.c - memories of cases through hf-router --law, in lots that fit a command line.
 *
 * Happy path: the blobs go out in hex, an array comes back in the same order. Failures: hf-router cannot be run, or
 * answers less than it was asked. */
#include "ctl/lawview.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "workers/link/helper.h"

#define LOT 200

static int
lot(const struct span *blobs, size_t n, json_t *to, struct err *err)
{
	char name[] = "hf-router", option[] = "--law", end[] = "--";
	char *argv[LOT + 4] = {name, option, end, NULL};
	json_t *got = NULL;
	int code = 0, rc;

	for (size_t i = 0; i < n; i++) {
		argv[3 + i] = xmalloc(2 * blobs[i].len + 1);
		hex_encode(argv[3 + i], blobs[i].data, blobs[i].len);
		argv[3 + i][2 * blobs[i].len] = '\0';
	}
	rc = helper_json(argv, &got, &code, err);
	if (rc == 0 && (code != 0 || json_array_size(got) != n))
		rc = err_set(err, ERR_GONE, "hf-router --law 没有回答 (%d)", code);
	if (rc == 0)
		(void)json_array_extend(to, got);
	json_decref(got);
	for (size_t i = 0; i < n; i++)
		free(argv[3 + i]);
	return rc;
}

int
lawview(const struct span *blobs, size_t n, json_t **ret, struct err *err)
{
	*ret = json_array();
	for (size_t at = 0; at < n; at += LOT)
		if (lot(blobs + at, n - at < LOT ? n - at : LOT, *ret, err) != 0) {
			json_decref(*ret);
			*ret = NULL;
			return -1;
		}
	return 0;
}

const char *
lawview_number(const char *state)
{
	static const char *const words[][2] = {{"new", ""}, {"good", "打通过"},
	    {"relay", "他人接听"}, {"silent", "没人接"}, {"refused", "拒接"}, {"off", "关机"},
	    {"suspended", "停机"}, {"off-hours", "无人值守"}, {"blocked", "要求别再打"},
	    {"dead", "空号"}, {"wrong", "错号"}, {"retired", "已停用"}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i][0], state) == 0)
			return words[i][1];
	return state;
}

int64_t
lawview_time(const json_t *law, const char *key)
{
	return json_integer_value(json_object_get(law, key));
}
