/* Finds the way from the package to the sheet: _rels/.rels -> workbook -> its relations -> parts.
 *
 * Happy path: one workbook, one visible sheet, shared strings or none. Failures: a zip that is no
 * workbook, parts that are missing, relations that lead out of the file (hyperlinks may: nobody
 * follows them). */

#include "ctl/import/xlsx.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "ctl/import/xlsx_sheet.h"

#define RELATIONS 256
#define SHEETS    200

struct relation {
	char *id, *type, *target; /* owned */
};

struct relations {
	struct relation all[RELATIONS];
	size_t n;
};

struct sheets {
	struct {
		char *id; /* owned */
		bool is_hidden, is_named;
	} all[SHEETS];
	size_t n;
};

static char *
copy(struct span s)
{
	char *text = xmalloc(s.len + 1);

	if (s.len > 0)
		memcpy(text, s.data, s.len);
	text[s.len] = '\0';
	return text;
}

static bool
ends_with(struct span s, const char *end)
{
	size_t n = strlen(end);

	return s.len >= n && memcmp(s.data + s.len - n, end, n) == 0;
}

static int
on_relation(void *arg, const struct xml_tag *tag, struct refusal *no)
{
	struct relations *r = arg;
	struct span id, type, target, mode;

	if (strcmp(tag->name, "Relationship") != 0 || !xml_attr(tag, "Id", &id) ||
	    !xml_attr(tag, "Type", &type) || !xml_attr(tag, "Target", &target))
		return 0;
	if (xml_attr(tag, "TargetMode", &mode) && span_eq_str(mode, "External")) {
		if (ends_with(type, "/hyperlink"))
			return 0;
		return refuse(no, REFUSE_EXTERNAL,
		    "文件引用了外部文件或网址，没有读取；请复制名单，"
		    "用“选择性粘贴—数值”贴到新的工作簿再导入");
	}
	if (r == NULL || r->n == RELATIONS)
		return 0;
	r->all[r->n++] = (struct relation){copy(id), copy(type), copy(target)};
	return 0;
}

static const struct xml_events relation_events = {on_relation, NULL, NULL};

static void
relations_done(struct relations *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->all[i].id);
		free(r->all[i].type);
		free(r->all[i].target);
	}
	r->n = 0;
}

/* Every part's relations, also of parts that we never read. */
static int
check_relations(struct pack *p, struct refusal *no)
{
	for (int i = 0; i < pack_count(p); i++)
		if (ends_with(span_str(pack_name(p, i)), ".rels") &&
		    xml_parse(p, i, &relation_events, NULL, no) != 0)
			return -1;
	return 0;
}

static int
on_sheet(void *arg, const struct xml_tag *tag, struct refusal *no)
{
	struct sheets *s = arg;
	struct span id, name, state;

	(void)no;
	if (strcmp(tag->name, "sheet") != 0 || s->n == SHEETS || !xml_attr(tag, "id", &id))
		return 0;
	s->all[s->n].is_named = xml_attr(tag, "name", &name) && span_eq_str(name, "名单");
	s->all[s->n].is_hidden = xml_attr(tag, "state", &state) && !span_eq_str(state, "visible");
	s->all[s->n++].id = copy(id);
	return 0;
}

static const char *
choose(const struct sheets *s, int *ret_others)
{
	const char *id = NULL;

	*ret_others = -1;
	for (size_t i = 0; i < s->n; i++) {
		*ret_others += !s->all[i].is_hidden;
		if (id == NULL && !s->all[i].is_hidden)
			id = s->all[i].id;
	}
	for (size_t i = 0; i < s->n; i++)
		if (s->all[i].is_named) {
			if (s->all[i].is_hidden)
				++*ret_others;
			return s->all[i].id;
		}
	return id;
}

/* The entry that a relation of `base` (a folder, "" or "xl/") leads to, or -1. */
static int
find_target(const struct pack *p, const char *base, const char *target)
{
	char *path;
	int index;

	if (target[0] == '/')
		return pack_find(p, target + 1);
	path = xasprintf("%s%s", base, target);
	index = pack_find(p, path);
	free(path);
	return index;
}

static const struct relation *
by_type(const struct relations *r, const char *type)
{
	for (size_t i = 0; i < r->n; i++)
		if (ends_with(span_str(r->all[i].type), type))
			return &r->all[i];
	return NULL;
}

static int
read_relations(struct relations *r, struct pack *p, const char *name, struct refusal *no)
{
	int index = pack_find(p, name);

	if (index < 0)
		return refuse(no, REFUSE_FORMAT,
		    "这个压缩包不是 .xlsx；请用 Excel 或 WPS 另存为 .xlsx 再导入");
	return xml_parse(p, index, &relation_events, r, no);
}

/* The workbook's folder ("xl/") and entry. */
static int
find_workbook(struct pack *p, char **ret_folder, char **ret_rels, struct refusal *no)
{
	struct relations r = {.n = 0};
	const struct relation *workbook;
	const char *target, *slash;
	int index = -1;

	if (read_relations(&r, p, "_rels/.rels", no) != 0) {
		relations_done(&r);
		return -1;
	}
	workbook = by_type(&r, "/officeDocument");
	if (workbook != NULL)
		index = find_target(p, "", workbook->target);
	if (index < 0) {
		relations_done(&r);
		return refuse(no, REFUSE_FORMAT,
		    "这个压缩包不是 .xlsx；请用 Excel 或 WPS 另存为 .xlsx 再导入");
	}
	target = workbook->target + (workbook->target[0] == '/');
	slash = strrchr(target, '/');
	target = slash == NULL ? target : slash + 1;
	*ret_folder = copy(span_of(workbook->target + (workbook->target[0] == '/'),
	    (size_t)(target - workbook->target) - (workbook->target[0] == '/')));
	*ret_rels = xasprintf("%s_rels/%s.rels", *ret_folder, target);
	relations_done(&r);
	return index;
}

static int
find_parts(struct pack *p, int *ret_sheet, int *ret_strings, int *ret_others, struct refusal *no)
{
	static const struct xml_events events = {on_sheet, NULL, NULL};
	struct relations r = {.n = 0};
	struct sheets sheets = {.n = 0};
	char *folder = NULL, *rels = NULL;
	const struct relation *strings;
	const char *id;
	int rc = -1, workbook = find_workbook(p, &folder, &rels, no);

	if (workbook < 0 || xml_parse(p, workbook, &events, &sheets, no) != 0 ||
	    read_relations(&r, p, rels, no) != 0)
		goto out;
	*ret_sheet = -1;
	id = choose(&sheets, ret_others);
	for (size_t i = 0; id != NULL && i < r.n; i++)
		if (strcmp(r.all[i].id, id) == 0 &&
		    ends_with(span_str(r.all[i].type), "/worksheet"))
			*ret_sheet = find_target(p, folder, r.all[i].target);
	strings = by_type(&r, "/sharedStrings");
	*ret_strings = strings == NULL ? -1 : find_target(p, folder, strings->target);
	rc = 0;
	if (*ret_sheet < 0)
		rc = refuse(no, REFUSE_FORMAT, "工作簿里没有可读的工作表；请另存为 .xlsx 再导入");
out:
	for (size_t i = 0; i < sheets.n; i++)
		free(sheets.all[i].id);
	relations_done(&r);
	free(folder);
	free(rels);
	return rc;
}

void
xlsx_prepare(void)
{
	xml_prepare();
}

int
xlsx_read(const struct input *in, const struct sheet_sink *sink, int *ret_other_sheets,
    struct refusal *no)
{
	struct xlsx_strings *strings = NULL;
	struct pack *p;
	int sheet, shared, rc = -1;

	if (pack_open(&p, in, no) != 0)
		return -1;
	if (check_relations(p, no) == 0 &&
	    find_parts(p, &sheet, &shared, ret_other_sheets, no) == 0 &&
	    xlsx_strings_read(&strings, p, shared, no) == 0)
		rc = xlsx_sheet_read(p, sheet, strings, sink, no);
	xlsx_strings_destroy(strings);
	pack_close(p);
	return rc;
}
