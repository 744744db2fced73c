/* cmd_pin.c - person reset-pin: a person who forgot the PIN, or never had one, gets a new one.
 *
 * Happy path: the key in the agent's directory is sealed anew; the PIN is shown once and kept nowhere. A key
 * whose PIN is lost cannot be opened: then a new key is made, and enrolled by a record, since the old
 * one is no longer that person's. Failures: no such directory or person there; a record without effect
 * (exit 75): then ask again, which makes another key. */
#include <stdio.h>
#include <string.h>

#include "base/crypt.h"
#include "base/file.h"
#include "base/text.h"
#include "ctl/act.h"
#include "ctl/pin.h"
#include "ctl/say.h"
#include "proto/roles.h"

int
pin_read(const char *path, char pin[PIN_SIZE], struct err *err)
{
	struct buf text = BUF_INIT;
	int got = 0;

	if (file_read(&text, path, 4096, err) != 0)
		return -1;
	text.len = strcspn((char *)text.data, "\r\n");
	if (text.len < 4 || text.len >= PIN_SIZE)
		got = err_set(err, ERR_INVALID, "%s: PIN 要 4 到 63 个字符", path);
	else
		snprintf(pin, PIN_SIZE, "%.*s", (int)text.len, (char *)text.data);
	crypt_wipe(text.data, text.cap);
	buf_done(&text);
	return got;
}

void
pin_make(char pin[PIN_SIZE])
{
	uint32_t n;

	do
		crypt_random(&n, sizeof(n));
	while (n >= 4294000000U); /* a multiple of a million */
	snprintf(pin, PIN_SIZE, "%06u", n % 1000000U);
}

void
pin_say(const char *pin)
{
	printf("PIN %s\n", pin);
	fprintf(stderr, "PIN 只显示这一次, 请当面交给本人。\n");
}

struct record_header
pin_enrolment(const struct acts *a, const struct identity *id, const char *person,
    const uint8_t person_pk[32])
{
	struct record_header h = acts_header(a, REC_ENROL);

	field_set_s(&h, F_subject, person);
	field_set_b(&h, F_agent, id->agent, 16);
	field_set_b(&h, F_curve_pk, id->curve_pk, 32);
	field_set_b(&h, F_sign_pk, id->sign_pk, 32);
	field_set_b(&h, F_person_pk, person_pk, 32);
	return h;
}

int
pin_enrol(struct ctl *c, const struct identity *id, const char *person, const uint8_t person_pk[32],
    struct err *err)
{
	struct acts *a;
	struct record_header h;
	int got;

	if (acts_open(c, &a, err) != 0)
		return -1;
	h = pin_enrolment(a, id, person, person_pk);
	got = acts_add(a, &h, NULL, NULL, err);
	if (got == 0)
		got = acts_done(a, err);
	acts_close(a);
	return got;
}

static int
reset(
    struct ctl *c, const struct identity *id, const char *person, const char *pin, struct err *err)
{
	uint8_t pk[32];
	bool is_new;

	if (strcmp(id->campaign, c->campaign) != 0)
		return err_set(err, ERR_INVALID, "%s 属于活动 %s", id->dir, id->campaign);
	if (identity_reset_pin(id, person, pin, pk, &is_new, err) != 0)
		return -1;
	return is_new ? pin_enrol(c, id, person, pk, err) : 0;
}

/* A leader's own team, and nobody who is more than a caller there; an administrator everybody. */
static int
judge(struct ctl *c, const char *who, const char *person, struct err *err)
{
	struct say_person w, p;

	if (say_person(c, who, &w, err) != 0 || say_person(c, person, &p, err) != 0)
		return -1;
	if (w.active && strcmp(who, person) != 0 &&
	    ((w.roles & ROLE_ADMIN) != 0 ||
	        ((w.roles & (ROLE_LEADER | ROLE_DEPUTY)) != 0 && w.team[0] != '\0' &&
	            strcmp(w.team, p.team) == 0 && p.roles == ROLE_CALLER)))
		return 0;
	return err_set(err, ERR_DENIED, "%s 只能给自己小组的组员换 PIN", who);
}

static int
person_reset_pin(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *person = opt_take(&argc, argv, "--person", true),
	           *out = opt_take(&argc, argv, "--out", true),
	           *pin_file = opt_take(&argc, argv, "--pin-file", true),
	           *who = opt_take(&argc, argv, "--for", true);
	char pin[PIN_SIZE];
	struct identity id;
	int got;

	if (argc != 0 || out == NULL || person == NULL)
		return ctl_usage(err, verbs_pin, "person", "reset-pin");
	if (ctl_campaign(c, err) != 0 || (who != NULL && judge(c, who, person, err) != 0) ||
	    identity_load(&id, out, err) != 0 ||
	    (pin_file != NULL && pin_read(pin_file, pin, err) != 0))
		return -1;
	if (pin_file == NULL)
		pin_make(pin);
	got = reset(c, &id, person, pin, err);
	identity_done(&id);
	if (got == 0 && c->json)
		printf("{\"person\":\"%s\"%s%s%s}\n", person, pin_file == NULL ? ",\"pin\":\"" : "",
		    pin_file == NULL ? pin : "", pin_file == NULL ? "\"" : "");
	else if (got == 0 && pin_file == NULL)
		pin_say(pin);
	crypt_wipe(pin, sizeof(pin));
	return got;
}

const struct verb verbs_pin[] = {
    {"person", "reset-pin", person_reset_pin, "--person P --out DIR [--pin-file F] [--for LEADER]",
        "给一个人新的 PIN, 只显示一次; --for: 组长要的, 只限本组组员"},
    {NULL, NULL, NULL, NULL, NULL},
};
