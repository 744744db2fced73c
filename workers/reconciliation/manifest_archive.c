/* manifest_archive.c - is the checkpoint that an export's manifest names one of this archive?
 *
 * Happy path: the segments from the first to the one that is named hang on each other, and that one has the hash of the
 * manifest: so all before it are what they were when the export was made. Failures: the first segment that is missing,
 * does not read, does not hang on, or has another hash is named. */
#include <limits.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "workers/reconciliation/manifest.h"
#include "workers/reconciliation/shelf.h"

struct chain {
	uint64_t wanted; /* segment of the manifest */
	const char *hash;
	FILE *out;
	uint64_t last; /* read and good so far */
	bool is_bad, is_found;
};

static void
judge(struct chain *c, const struct shelf_segment *s)
{
	char hex[2 * HASH_LEN + 1];

	hex_encode(hex, s->hash, HASH_LEN);
	if (!s->chained) {
		c->is_bad = true;
		fprintf(c->out,
		    "ALTERED 档案: 第 %012" PRIu64
		    " 段接不上前一段 (首处), 其前一段或它本身被改动\n",
		    s->number);
		return;
	}
	c->last = s->number;
	if (s->number != c->wanted)
		return;
	c->is_found = strcmp(hex, c->hash) == 0;
	if (!c->is_found) {
		c->is_bad = true;
		fprintf(c->out,
		    "ALTERED 档案: 第 %012" PRIu64
		    " 段不是清单所指的那一份 (首处): 清单 %s, 档案 %s\n",
		    s->number, c->hash, hex);
	}
}

/* Ends the walk, with no word of its own, once it is clear. */
static int
on_segment(void *arg, const struct shelf_segment *s, const struct log_entry *e, struct err *err)
{
	struct chain *c = arg;

	(void)err;
	if (e == NULL)
		judge(c, s);
	return c->is_bad || c->is_found ? -1 : 0;
}

/* The folder of segments: the one given, or that of the campaign in an archive. */
static void
folder_of(char out[PATH_MAX], const char *dir, const char *campaign)
{
	(void)snprintf(out, PATH_MAX, "%s/records/%s", dir, campaign);
	if (access(out, F_OK) != 0)
		(void)snprintf(out, PATH_MAX, "%s", dir);
}

int
manifest_archive(const json_t *manifest, const char *dir, FILE *out)
{
	const json_t *a = json_object_get(manifest, "archive");
	const char *campaign = json_string_value(json_object_get(manifest, "campaign"));
	const char *hash = json_string_value(json_object_get(a, "hash"));
	struct chain c = {
	    .wanted = (uint64_t)json_integer_value(json_object_get(a, "segment")), .out = out};
	struct err why = ERR_INIT;
	char folder[PATH_MAX];

	if (hash == NULL || campaign == NULL || c.wanted == 0) {
		fprintf(out, "清单没有档案的检查点: 导出时档案还没有封到这一条, 无从比对\n");
		return 1;
	}
	c.hash = hash;
	folder_of(folder, dir, campaign);
	if (shelf_walk_dir(folder, 1, NULL, on_segment, &c, &why) != 0 && !c.is_bad &&
	    !c.is_found) {
		c.is_bad = true;
		fprintf(
		    out, "ALTERED 档案: 第 %012" PRIu64 " 段 (首处): %s\n", c.last + 1, why.text);
	}
	if (!c.is_bad && !c.is_found) {
		c.is_bad = true;
		fprintf(out,
		    "ALTERED 档案: 只到第 %012" PRIu64 " 段, 清单所指的第 %012" PRIu64
		    " 段不在: %s\n",
		    c.last, c.wanted, folder);
	}
	if (c.is_found)
		fprintf(out, "档案: 第 1 到 %012" PRIu64 " 段与清单的检查点一致\n", c.wanted);
	return c.is_bad ? 1 : 0;
}
