/* cmd_people.c - agent enrol and revoke; person set and qualify; people import: records about who may act.
 *
 * Happy path: the words become ENROL, REVOKE and PERSON records; the router admits, brokers follow. Keys are
 * made on this machine and only their public halves leave it. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypt.h"
#include "base/file.h"
#include "base/text.h"
#include "ctl/act.h"
#include "ctl/enrol.h"
#include "ctl/say.h"
#include "workers/link/names.h"
#include "workers/link/helper.h"
#include "proto/roles.h"
#include "workers/link/identity.h"

static int
check_person(const char *person, struct err *err)
{
	if (person == NULL || !text_is_id(person, strlen(person)))
		return err_set(err, ERR_INVALID, "人员编号只能用 a-z 0-9 _ -, 最长 32 个字符");
	return 0;
}

/* "caller,leader" -> bits. */
static int
parse_roles(const char *text, uint64_t *ret, struct err *err)
{
	char word[32];

	*ret = 0;
	while (*text != '\0') {
		size_t n = strcspn(text, ",");
		uint32_t bit;

		snprintf(word, sizeof(word), "%.*s", (int)(n < 31 ? n : 31), text);
		bit = role_by_name(word);
		if (bit == 0 || bit == ROLE_SYSTEM)
			return err_set(err, ERR_INVALID,
			    "没有这个角色: %s (有 caller leader deputy strike strike-head "
			    "supervisor data callback-head back-office designated finance operator "
			    "admin leading)",
			    word);
		*ret |= bit;
		text += n + (text[n] == ',');
	}
	return 0;
}

/* ---- agents ---- */

/* Keys without a role are of no use yet; that is often forgotten. */
static void
say_without_role(struct ctl *c, const char *person)
{
	struct err why = ERR_INIT;
	struct say_person p;

	if (say_person(c, person, &p, &why) == 0 && p.roles == 0)
		fprintf(stderr,
		    "%s 还没有角色, 领不到任务: hfctl person set %s --roles caller --team T "
		    "--qualified yes\n",
		    person, person);
}

static void
say_enrolled(const struct ctl *c, const struct enrolment *e, bool made_pin)
{
	char hex[33];

	hex_encode(hex, e->id.agent, 16);
	if (c->json) {
		printf("{\"person\":\"%s\",\"agent\":\"%s\",\"dir\":\"%s\"%s%s%s}\n", e->person,
		    hex, e->out, made_pin ? ",\"pin\":\"" : "", made_pin ? e->pin : "",
		    made_pin ? "\"" : "");
		return;
	}
	printf("%s 已登记, 目录 %s\n", e->person, e->out);
	if (made_pin)
		pin_say(e->pin);
	else if (e->pin[0] == '\0' && e->added)
		fprintf(stderr,
		    "没有设 PIN: 能读 %s 的人就是 %s。要 PIN 请加 --new-pin 或 --pin-file FILE, "
		    "或用 hfctl person reset-pin。\n",
		    e->out, e->person);
}

static int
agent_enrol_one(struct ctl *c, int argc, char **argv, struct err *err)
{
	struct enrolment e = {.person = opt_take(&argc, argv, "--person", true),
	    .out = opt_take(&argc, argv, "--out", true)};
	const char *pin_file = opt_take(&argc, argv, "--pin-file", true),
	           *name = opt_take(&argc, argv, "--name", true);
	bool make_pin = opt_take(&argc, argv, "--new-pin", false) != NULL;
	int got;

	if (argc != 0 || e.out == NULL || (make_pin && pin_file != NULL))
		return ctl_usage(err, verbs_people, "agent", "enrol");
	if (check_person(e.person, err) != 0 || ctl_campaign(c, err) != 0 ||
	    (pin_file != NULL && pin_read(pin_file, e.pin, err) != 0))
		return -1;
	if (make_pin)
		pin_make(e.pin);
	got = enrol_keys(c, &e, err);
	if (got == 0 && name != NULL)
		got = names_put(e.out, e.person, name, err);
	if (got == 0)
		got = pin_enrol(c, &e.id, e.person, e.person_pk, err);
	if (got == 0) {
		say_enrolled(c, &e, make_pin);
		say_without_role(c, e.person);
	}
	crypt_wipe(e.pin, sizeof(e.pin));
	identity_done(&e.id);
	return got;
}

static int
agent_enrol(struct ctl *c, int argc, char **argv, struct err *err)
{
	return opt_take(&argc, argv, "--all", false) != NULL ? enrol_all(c, argc, argv, err)
	                                                     : agent_enrol_one(c, argc, argv, err);
}

/* Only on this machine: what screens of that directory call the person. */
static int
agent_name(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *person = opt_take(&argc, argv, "--person", true),
	           *out = opt_take(&argc, argv, "--out", true);
	char path[600];

	if (argc > 1 || out == NULL)
		return ctl_usage(err, verbs_people, "agent", "name");
	if (check_person(person, err) != 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/persons/%s.key", out, person);
	if (access(path, F_OK) != 0)
		return err_set(err, ERR_NOT_FOUND, "%s 里没有 %s 的钥匙", out, person);
	if (names_put(out, person, argc == 1 ? argv[0] : "", err) != 0)
		return -1;
	printf("%s\n", c->json ? "{}" : argc == 1 ? "已记下" : "已去掉");
	return 0;
}

static int
agent_revoke(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *person = opt_take(&argc, argv, "--person", true),
	           *agent = opt_take(&argc, argv, "--agent", true);
	uint8_t id[16], zero[32] = {0};
	struct acts *a;
	struct record_header h;
	int got;

	if (argc != 0 || (person == NULL) == (agent == NULL))
		return ctl_usage(err, verbs_people, "agent", "revoke");
	if (person != NULL && check_person(person, err) != 0)
		return -1;
	if (agent != NULL && !hex_decode(id, 16, agent, strlen(agent)))
		return err_set(err, ERR_INVALID, "--agent 要 32 位十六进制");
	if (acts_open(c, &a, err) != 0)
		return -1;
	(void)zero;
	h = acts_header(a, REC_REVOKE);
	if (person != NULL)
		field_set_s(&h, F_subject, person);
	else
		field_set_b(&h, F_agent, id, 16);
	got = acts_add(a, &h, NULL, NULL, err);
	if (got == 0)
		got = acts_done(a, err);
	acts_close(a);
	if (got == 0)
		printf("已吊销\n");
	return got;
}

/* ---- persons ---- */

struct person_row {
	const char *person, *team, *roles_text;
	uint64_t roles;
	int qualified; /* -1: as it is */
};

static int
add_person(struct acts *a, const struct person_row *p, struct err *err)
{
	struct record_header h = acts_header(a, REC_PERSON);

	field_set_s(&h, F_subject, p->person);
	if (p->roles != 0)
		field_set_u(&h, F_roles, p->roles);
	if (p->team != NULL)
		field_set_s(&h, F_team, p->team);
	if (p->qualified >= 0)
		field_set_u(&h, F_qualified, (uint64_t)p->qualified);
	return acts_add(a, &h, NULL, NULL, err);
}

static int
say_set(struct ctl *c, const struct person_row *p, struct err *err)
{
	struct acts *a;
	int got;

	if (acts_open(c, &a, err) != 0)
		return -1;
	got = add_person(a, p, err);
	if (got == 0)
		got = acts_done(a, err);
	acts_close(a);
	if (got == 0 && c->json)
		printf("{\"person\":\"%s\"}\n", p->person);
	else if (got == 0)
		printf("%s 已更新\n", p->person);
	return got;
}

static int
person_set(struct ctl *c, int argc, char **argv, struct err *err)
{
	struct person_row p = {.team = opt_take(&argc, argv, "--team", true),
	    .roles_text = opt_take(&argc, argv, "--roles", true),
	    .qualified = -1};
	const char *qualified = opt_take(&argc, argv, "--qualified", true);

	if (argc != 1 || (p.team == NULL && p.roles_text == NULL && qualified == NULL))
		return ctl_usage(err, verbs_people, "person", "set");
	p.person = argv[0];
	if (check_person(p.person, err) != 0 || (p.team != NULL && check_person(p.team, err) != 0))
		return -1;
	if (p.roles_text != NULL && parse_roles(p.roles_text, &p.roles, err) != 0)
		return -1;
	if (qualified != NULL && strcmp(qualified, "yes") != 0 && strcmp(qualified, "no") != 0)
		return err_set(err, ERR_INVALID, "--qualified 要 yes 或 no");
	if (qualified != NULL)
		p.qualified = strcmp(qualified, "yes") == 0;
	return say_set(c, &p, err);
}

static int
person_qualify(struct ctl *c, int argc, char **argv, struct err *err)
{
	struct person_row p = {.qualified = 1};

	if (argc != 1)
		return ctl_usage(err, verbs_people, "person", "qualify");
	p.person = argv[0];
	return check_person(p.person, err) != 0 ? -1 : say_set(c, &p, err);
}

/* ---- people import: lines of hf-import ---- */

struct people_file {
	struct acts *a;
	size_t good, bad;
	bool dry, whole;
};

static int
roles_of(const json_t *list, uint64_t *ret)
{
	size_t i;
	json_t *v;

	*ret = 0;
	json_array_foreach(list, i, v)
	{
		*ret |= json_is_string(v) ? role_by_name(json_string_value(v)) : 0;
	}
	return 0;
}

static int
on_people_line(void *arg, json_t *line, struct err *err)
{
	struct people_file *f = arg;
	struct person_row p = {.qualified = json_is_true(json_object_get(line, "qualified"))};

	if (json_object_get(line, "summary") != NULL) {
		f->whole = true;
		return 0;
	}
	if (json_object_get(line, "code") != NULL) {
		f->bad += strcmp(json_string_value(json_object_get(line, "level")), "error") == 0;
		fprintf(stderr, "%s\n", json_string_value(json_object_get(line, "text")));
		return 0;
	}
	p.person = json_string_value(json_object_get(line, "person"));
	p.team = json_string_value(json_object_get(line, "team"));
	if (p.person == NULL)
		return 0;
	if (p.team != NULL && p.team[0] == '\0')
		p.team = NULL;
	roles_of(json_object_get(line, "roles"), &p.roles);
	f->good++;
	return f->dry ? 0 : add_person(f->a, &p, err);
}

static int
people_import(struct ctl *c, int argc, char **argv, struct err *err)
{
	struct people_file f = {.dry = true};
	int got;

	if (argc != 1)
		return ctl_usage(err, verbs_people, "people", "import");
	/* First pass: nothing is said while any row is bad. */
	if (helper_import("people", argv[0], NULL, on_people_line, &f, err) != 0)
		return -1;
	if (!f.whole || f.bad > 0)
		return err_set(err, ERR_CORRUPT, "%zu 行有错, 没有导入任何人", f.bad);
	f = (struct people_file){.dry = false};
	if (acts_open(c, &f.a, err) != 0)
		return -1;
	got = helper_import("people", argv[0], NULL, on_people_line, &f, err);
	if (got == 0)
		got = acts_done(f.a, err);
	acts_close(f.a);
	if (got == 0 && c->json)
		printf("{\"people\":%zu}\n", f.good);
	else if (got == 0)
		printf("%zu 人已导入\n", f.good);
	return got;
}

const struct verb verbs_people[] = {
    {"agent", "enrol", agent_enrol,
        "--person P --out DIR [--name NAME] [--new-pin | --pin-file F] | --all --out DIR --slips "
        "FILE [--url U] "
        "[--names FILE]",
        "登记一个人和一台机器, 钥匙写到 DIR; --all: 所有还没登记的人, 每人一张登录条"},
    {"agent", "name", agent_name, "--person P --out DIR [NAME]",
        "这台机器上这个人叫什么, 只给屏幕看; 不写 NAME 就去掉"},
    {"agent", "revoke", agent_revoke, "--person P | --agent HEX", "吊销一个人或一台机器"},
    {"person", "set", person_set, "P [--roles A,B] [--team T] [--qualified yes|no]",
        "设角色、小组、资格"},
    {"person", "qualify", person_qualify, "P", "资格审查合格"},
    {"people", "import", people_import, "FILE", "从 .xlsx 或 .csv 导入人员"},
    {NULL, NULL, NULL, NULL, NULL},
};
