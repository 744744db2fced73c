/* An agent's directory: made once, read again, closed to others, and a person's key only for the PIN. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/crypt.h"
#include "proto/chain.h"
#include "workers/link/identity.h"

static char top[64], dir[80];

static int
setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/hf-identity-XXXXXX");
	if (crypt_init(NULL) != 0 || mkdtemp(top) == NULL)
		return -1;
	(void)snprintf(dir, sizeof(dir), "%s/w01", top);
	return 0;
}

static int
teardown(void **state)
{
	char *command = xasprintf("rm -rf %s", top);
	int rc = system(command);

	(void)state;
	free(command);
	return rc;
}

static void
make(struct identity *id)
{
	struct err err = ERR_INIT;

	memset(id, 0, sizeof(*id));
	strcpy(id->campaign, "demo");
	strcpy(id->brokers, "tcp://127.0.0.1:1 tcp://127.0.0.1:2");
	memset(id->broker_key, 7, 32);
	memset(id->recorder_key, 8, 32);
	if (identity_create(id, dir, &err) != 0)
		fail_msg("%s", err.text);
}

static void
what_was_made_is_read_again(void **state)
{
	struct identity id, again;
	uint8_t agent[16];

	(void)state;
	make(&id);
	chain_agent_id(agent, id.curve_pk, id.sign_pk);
	assert_memory_equal(id.agent, agent, 16);
	assert_int_equal(identity_load(&again, dir, NULL), 0);
	assert_string_equal(again.campaign, "demo");
	assert_string_equal(again.brokers, id.brokers);
	assert_memory_equal(again.agent, id.agent, 16);
	assert_memory_equal(again.curve_sk, id.curve_sk, 32);
	assert_memory_equal(again.curve_pk, id.curve_pk, 32);
	assert_memory_equal(again.sign_sk, id.sign_sk, 64);
	assert_memory_equal(again.broker_key, id.broker_key, 32);
	assert_memory_equal(again.recorder_key, id.recorder_key, 32);
	identity_done(&again);
	identity_done(&id);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(id.sign_sk[i], 0);
}

static void
an_agent_is_not_made_over_another(void **state)
{
	struct identity id, second = {.campaign = "demo", .brokers = "x"};
	struct err err = ERR_INIT;

	(void)state;
	make(&id);
	assert_int_equal(identity_create(&second, dir, &err), -1);
	assert_int_equal(err.code, ERR_EXISTS);
	identity_done(&id);
}

static void
everything_secret_is_closed_to_others(void **state)
{
	static const char *const names[] = {
	    "agent.conf", "curve.key", "sign.key", "persons/w01.key"};
	struct identity id;
	uint8_t pk[32];

	(void)state;
	make(&id);
	assert_int_equal(identity_add_person(&id, "w01", NULL, pk, NULL), 0);
	for (size_t i = 0; i < 4; i++) {
		char *path = xasprintf("%s/%s", dir, names[i]);
		struct stat st;

		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		free(path);
	}
	identity_done(&id);
}

static void
a_persons_key_opens_with_the_pin_alone(void **state)
{
	struct identity id;
	struct person_key k;
	struct err err = ERR_INIT;
	uint8_t pk[32], pk2[32];

	(void)state;
	make(&id);
	assert_int_equal(identity_add_person(&id, "w01", "246810", pk, NULL), 0);
	assert_int_equal(identity_add_person(&id, "w01", "1", pk2, &err), -1);
	assert_int_equal(err.code, ERR_EXISTS);
	assert_false(identity_is_unattended(&id, "w01"));
	assert_int_equal(identity_open_person(&id, "w01", "246811", &k, &err), -1);
	assert_int_equal(err.code, ERR_DENIED);
	assert_null(strstr(err.text, "24681"));
	assert_int_equal(identity_open_person(&id, "w01", NULL, &k, &err), -1);
	assert_int_equal(err.code, ERR_DENIED);
	assert_int_equal(identity_open_person(&id, "w02", "246810", &k, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(identity_open_person(&id, "../w01", "246810", &k, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(identity_open_person(&id, "w01", "246810", &k, NULL), 0);
	assert_memory_equal(k.pk, pk, 32);
	person_key_done(&k);
	identity_done(&id);
}

static void
the_only_person_is_the_default(void **state)
{
	struct identity id;
	struct err err = ERR_INIT;
	uint8_t pk[32];
	name_t who;

	(void)state;
	make(&id);
	assert_int_equal(identity_only_person(&id, who, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(identity_add_person(&id, "w01", NULL, pk, NULL), 0);
	assert_int_equal(identity_only_person(&id, who, NULL), 0);
	assert_string_equal(who, "w01");
	assert_true(identity_is_unattended(&id, "w01"));
	assert_int_equal(identity_add_person(&id, "w02", NULL, pk, NULL), 0);
	assert_int_equal(identity_only_person(&id, who, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	identity_done(&id);
}

static void
logins_and_outboxes_are_signed_by_the_right_key(void **state)
{
	struct identity id;
	struct person_key k;
	struct buf b = BUF_INIT;
	uint8_t ob[16] = {3}, pk[32], sig[64];
	struct login l;

	(void)state;
	make(&id);
	assert_int_equal(identity_add_person(&id, "w01", NULL, pk, NULL), 0);
	assert_int_equal(identity_open_person(&id, "w01", NULL, &k, NULL), 0);
	identity_login(&id, &k, ob, 5, 6, &l);
	chain_login_bytes(&b, "demo", "w01", id.agent, ob, 5, 6);
	assert_true(crypt_verify(l.sig, pk, buf_span(&b)));
	buf_clear(&b);
	identity_sign_outbox(&id, ob, sig);
	chain_outbox_bytes(&b, "demo", id.agent, ob);
	assert_true(crypt_verify(sig, id.sign_pk, buf_span(&b)));
	buf_done(&b);
	person_key_done(&k);
	identity_done(&id);
}

static void
damage_is_named_with_its_file(void **state)
{
	struct identity id, again;
	struct err err = ERR_INIT;
	char *path;
	FILE *f;

	(void)state;
	assert_int_equal(identity_load(&again, dir, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	make(&id);
	identity_done(&id);
	path = xasprintf("%s/sign.key", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("zz\n", f);
	fclose(f);
	assert_int_equal(identity_load(&again, dir, &err), -1);
	assert_int_equal(err.code, ERR_CORRUPT);
	assert_non_null(strstr(err.text, "sign.key"));
	free(path);
}

int
main(void)
{
#define EACH(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
	    EACH(what_was_made_is_read_again),
	    EACH(an_agent_is_not_made_over_another),
	    EACH(everything_secret_is_closed_to_others),
	    EACH(a_persons_key_opens_with_the_pin_alone),
	    EACH(the_only_person_is_the_default),
	    EACH(logins_and_outboxes_are_signed_by_the_right_key),
	    EACH(damage_is_named_with_its_file),
	};

	return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
