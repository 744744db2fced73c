/* sim_store.c - the store of the simulation: every call is made here, and looked at before it is answered. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "tests/lib/sim.h"

static void
tell_time(struct fv *ret)
{
	*ret = (struct fv){.type = FV_ARRAY, .n = 2, .at = xcalloc(2, sizeof(*ret->at))};
	for (int i = 0; i < 2; i++) {
		ret->at[i].type = FV_STR;
		buf_addf(&ret->at[i].s, "%jd",
		    (intmax_t)(i == 0 ? sim_ms() / 1000 : sim_ms() % 1000 * 1000));
	}
}

void
sim_cmd(const struct span *argv, size_t argc, struct fv *ret)
{
	if (span_eq_str(argv[0], "TIME")) { /* the store's own clock is right */
		tell_time(ret);
		return;
	}
	if (!span_eq_str(argv[0], "FCALL")) {
		fake_redis_cmd(sim->store, argv, argc, ret);
		return;
	}
	sim->n_calls++;
	fake_queue_fcall(sim->queue, argv, argc, ret);
	sim_check_log();
}

void
sim_fcall(struct call *c, struct fv *ret)
{
	size_t argc;
	const struct span *argv = call_argv(c, &argc);

	sim_cmd(argv, argc, ret);
	call_done(c);
}

struct span
sim_text(const struct fv *entry, size_t i)
{
	return entry->type == FV_ARRAY && i < entry->n ? buf_span(&entry->at[i].s) : span_of("", 0);
}

static int64_t
number(const char *command, const char *suffix, const uint8_t *member, size_t len)
{
	char key[160];
	struct span argv[3] = {span_str(command),
	    span_str(call_key(key, sizeof(key), SIM_CAMPAIGN, suffix)), {member, len}};
	struct fv r;
	int64_t n;

	fake_redis_cmd(sim->store, argv, member == NULL ? 2 : 3, &r);
	n = r.type == FV_INT ? r.i : -1;
	fv_done(&r);
	return n;
}

uint64_t
sim_hget(const char *suffix, const char *field)
{
	char key[128];
	struct span argv[3] = {span_str("HGET"),
	    span_str(call_key(key, sizeof(key), SIM_CAMPAIGN, suffix)), span_str(field)};
	struct fv r;
	uint64_t n = 0;

	fake_redis_cmd(sim->store, argv, 3, &r);
	(void)text_to_u64((const char *)r.s.data, r.s.len, &n);
	fv_done(&r);
	return n;
}

uint64_t
sim_meta(const char *field)
{
	return sim_hget("meta", field);
}

uint64_t
sim_zcard(const char *suffix)
{
	return (uint64_t)number("ZCARD", suffix, NULL, 0);
}

bool
sim_zhas(const char *suffix, const uint8_t *member, size_t len)
{
	return number("ZSCORE", suffix, member, len) >= 0;
}
