/* Writes the list of people. Failures are those of the file. */
#include "ctl/sample/people.h"

#include <stdio.h>

#include "base/check.h"
#include "ctl/sample/invent.h"

#define CALLERS  48
#define PER_TEAM 6

static const struct {
	const char *id, *roles;
} others[] = {
    {"s1", "突击组、突击组长"},
    {"s2", "突击组"},
    {"s3", "突击组"},
    {"s4", "突击组"},
    {"d1", "督查组"},
    {"d2", "督查组"},
    {"g1", "数据组"},
    {"g2", "数据组"},
    {"g3", "数据组"},
    {"h1", "回访组长"},
    {"l1", "领导小组"},
    {"b1", "招办后台"},
    {"z1", "专人"},
    {"f1", "财务"},
    {"o1", "操作员"},
};

#define OTHERS (sizeof(others) / sizeof(others[0]))

static int
write_person(struct out *o, uint64_t seed, int64_t index, const char *id, const char *team,
    const char *roles, struct err *err)
{
	struct buf name = BUF_INIT;
	struct span cells[5];
	int rc;

	invent_name(seed, index, &name);
	cells[0] = span_str(id);
	cells[1] = buf_span(&name);
	cells[2] = span_str(team);
	cells[3] = span_str(roles);
	cells[4] = span_str("是");
	rc = out_row(o, cells, err);
	buf_done(&name);
	return rc;
}

static int
write_callers(struct out *o, uint64_t seed, struct err *err)
{
	for (int i = 0; i < CALLERS; i++) {
		const char *roles = "组员";
		char id[8], team[8];

		if (i % PER_TEAM == 0)
			roles = "组员、组长";
		else if (i % PER_TEAM == 1)
			roles = "组员、副组长";
		snprintf(id, sizeof(id), "p%02d", i + 1);
		snprintf(team, sizeof(team), "t%d", i / PER_TEAM + 1);
		if (write_person(o, seed, i, id, team, roles, err) != 0)
			return -1;
	}
	return 0;
}

int
people_write(const char *path, enum out_format format, uint64_t seed, struct err *err)
{
	static const char *const headers[] = {"工号", "姓名", "小组", "角色", "合格"};
	struct out *o;
	int rc;

	if (out_open(&o, path, format, headers, 5, err) != 0)
		return -1;
	rc = write_callers(o, seed, err);
	for (size_t i = 0; rc == 0 && i < OTHERS; i++)
		rc = write_person(
		    o, seed, (int64_t)(CALLERS + i), others[i].id, "", others[i].roles, err);
	return out_close(o, rc == 0 ? err : NULL) == 0 ? rc : -1;
}
