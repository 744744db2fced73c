/* The message of a rung, filled for one case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "workers/caller/rules.h"
#include "workers/caller/template.h"

static const char *
filled(json_t *task, int rung, const json_t *rules)
{
	(void)json_object_del(task, "template");
	(void)json_object_set_new(task, "rung", json_integer(rung));
	template_put(task, rules);
	return json_string_value(json_object_get(task, "template"));
}

static void
a_rung_of_messages_carries_its_text(void **state)
{
	json_t *rules = json_pack("{s:{s:s,s:s}}", "templates", "sms",
	           "{姓名}同学：{批次}，{专业}{姓名}{别的}", "im", "你好"),
	       *task = json_pack("{s:s,s:s}", "name", "样本", "major", "护理");

	(void)state;
	assert_string_equal(filled(task, 1, rules), "样本同学：，护理样本{别的}");
	assert_string_equal(filled(task, 2, rules), "你好");
	assert_null(filled(task, 4, rules));
	assert_null(filled(task, 0, rules));
	assert_null(filled(task, 1, NULL)); /* no policy file on this machine */
	json_decref(rules);
	json_decref(task);
}

static void
the_shipped_policy_has_both(void **state)
{
	struct err err = ERR_INIT;
	json_t *rules = NULL, *task = json_pack("{s:s,s:s}", "name", "样本", "batch", "单招");
	const char *text;

	(void)state;
	assert_int_equal(rules_load(&rules, "deploy/policy/default.policy", &err), 0);
	text = filled(task, 1, rules);
	assert_non_null(text);
	assert_non_null(strstr(text, "样本同学"));
	assert_null(strchr(text, '{'));
	assert_non_null(filled(task, 2, rules));
	json_decref(rules);
	json_decref(task);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_rung_of_messages_carries_its_text),
	    cmocka_unit_test(the_shipped_policy_has_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
