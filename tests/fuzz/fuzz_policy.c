/* Any bytes as a policy file: an answer, and if it is a policy, one that the law can work with. */
#include "workers/escalation/law.h"

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
use(const struct policy *p)
{
	static struct calendar cal;
	struct law_case c;
	struct law_act a;
	struct law_placement ret;
	struct err err = ERR_INIT;
	struct law_ctx ctx = {.policy = p,
	    .calendar = &cal,
	    .now = 1772413200000,
	    .stage = 2,
	    .pass = 2,
	    .owner = "ann",
	    .team = "t1",
	    .reserved_for = ""};

	calendar_init(&cal, p);
	law_case_init(&c);
	for (int o = OUT_NONE + 1; o < OUT_COUNT; o++) {
		uint8_t blob[LAW_BLOB_MAX];

		law_act_init(&a, LAW_ATTEMPT);
		a.outcome = outcome_code((enum outcome)o);
		a.person = "ann";
		a.number = 1;
		a.at = ctx.now;
		law_fold(&c, &ctx, &a);
		CHECK(law_next(&c, &ctx, &a, &ret, &err) == 0);
		law_case_pack(blob, &c);
		ctx.now += 3 * HOUR_MS;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf problems = BUF_INIT;
	struct policy *p = NULL;

	if (policy_read(&p, "f", span_of(data, size), &problems, NULL) == 0) {
		CHECK(problems.len == 0);
		use(p);
		policy_free(p);
	} else {
		CHECK(p == NULL && problems.len > 0);
	}
	buf_done(&problems);
	return 0;
}
