/* campaign.c - simulated campaigns: whole ones, thousands of seeds, every check broken once.
 *
 *	build/tests/sim/campaign                      what `make test` runs
 *	build/tests/sim/campaign --seed N --cases M   one campaign, again exactly as it was
 *	… --seeds K (from N on)  --for SECONDS (then no further seed)  --lag MS (a slow store of the router, at most so long each way)  --calm (no loss, no crash)  --to-pass-3 (no stages 3 and 4)  --break NAME
 *	… --losses N (Redis is lost up to N times: emptied, or an older copy put back; then recovered)
 *	… --verbose (the router's log; with --break, what was noticed)  --story I (what the log says of case I)
 *
 * Prints the seed of every campaign in which a check fails. Runs in the root of the tree: it reads
 * broker/queue.lua and the shipped policy. The last line is `N passed, N failed`. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/crypt.h"
#include "tests/lib/sim.h"

static uint64_t passed, failed;
static double days; /* simulated */

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
show(const struct sim *s, double took)
{
	printf("seed %" PRIu64 ", %" PRIu64
	       " cases: %.1f days in %.1f s of processor time, %" PRIu64 " events, %" PRIu64
	       " calls, %" PRIu64 " log entries; %" PRIu64 " grants, %" PRIu64
	       " calls made (%" PRIu64 " late), %" PRIu64 " promises, %" PRIu64
	       " strike tasks, %" PRIu64 " asked in stages 3 and 4, %" PRIu64
	       " registered; lost %" PRIu64 ", doubled %" PRIu64 ", expired %" PRIu64
	       ", crashes %" PRIu64 " + %" PRIu64 " router, links lost %" PRIu64
	       ", stores lost %" PRIu64 " and %" PRIu64 " records with them\n",
	    s->o.seed, s->o.cases, (double)s->now / 86400e6, took, s->n_events, s->n_calls,
	    s->log_no, s->n_grants, s->n_records, s->n_late, s->n_promises, s->n_strikes,
	    s->n_followed, s->n_registered, s->n_lost_msgs, s->n_dup_msgs, s->n_expired,
	    s->n_person_crashes, s->n_router_crashes, s->n_link_losses, s->n_redis_losses,
	    s->n_missing);
}

static void
one(const struct sim_options *o, bool loud)
{
	struct sim counts;
	clock_t from = clock();
	int rc = sim_run(o, &counts);

	days += (double)counts.now / 86400e6;

	if (loud || rc != 0)
		show(&counts, (double)(clock() - from) / CLOCKS_PER_SEC);
	if (rc == 0) {
		passed++;
		return;
	}
	failed++;
	printf("FAILED %s; again: build/tests/sim/campaign --seed %" PRIu64 " --cases %" PRIu64
	       " --lag %" PRId64 " --losses %" PRIu64 "%s%s\n",
	    counts.failed, o->seed, o->cases, o->lag_ms, o->losses, o->calm ? " --calm" : "",
	    o->to_pass_3 ? " --to-pass-3" : "");
}

static void
many(struct sim_options o, uint64_t n, double limit)
{
	double from = seconds();
	uint64_t i = 0;

	for (; i < n && (i < 3 || limit <= 0 || seconds() - from < limit); i++, o.seed++)
		one(&o, false);
	printf("%" PRIu64 " seeds of %" PRIu64 " cases, to seed %" PRIu64 ": %.1f days in %.1f s\n",
	    i, o.cases, o.seed - 1, days, seconds() - from);
}

/* Breaks one rule; the check of that rule must see it. */
static void
broken(enum sim_break b, bool verbose)
{
	struct sim_options o = {.seed = 7, .cases = 60, .fault = b, .story = -1};

	o.to_pass_3 = b != BREAK_ARRIVAL;
	o.verbose = verbose;
	if (b >= BREAK_WITNESS) {
		o.losses = 6;
		o.cases = 300;
	}
	struct sim counts = {.n_failed = 0};

	/* In some seeds another check is faster, or it does no harm. */
	for (; o.seed < 20 && strcmp(counts.failed, sim_break_check(b)) != 0; o.seed++)
		(void)sim_run(&o, &counts);
	if (strcmp(counts.failed, sim_break_check(b)) == 0) {
		passed++;
		printf("broken %-12s noticed by %s\n", sim_break_name(b), counts.failed);
		return;
	}
	failed++;
	printf("FAILED broken %s was noticed by \"%s\", not by %s\n", sim_break_name(b),
	    counts.failed, sim_break_check(b));
}

static void
everything(void)
{
	for (int b = BREAK_NONE + 1; b < BREAKS; b++)
		broken((enum sim_break)b, false);
	/* A router that takes minutes over a command; while it reads, it opens nothing by the offers of before. */
	one(
	    &(struct sim_options){
	        .seed = 5, .cases = 300, .lag_ms = 200000, .to_pass_3 = true, .story = -1},
	    false);
	many((struct sim_options){.seed = 1, .cases = 40, .story = -1}, 20, 8);
	many((struct sim_options){.seed = 500, .cases = 40, .losses = 6, .story = -1}, 20, 8);
	one(&(struct sim_options){.seed = 1, .cases = 1403, .to_pass_3 = true, .story = -1}, true);
}

int
main(int argc, char **argv)
{
	struct sim_options o = {.seed = 1, .cases = 1403, .story = -1};
	uint64_t seeds = 1;
	double limit = 0;
	struct err err = ERR_INIT;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (crypt_init(&err) != 0)
		return 70;
	for (int i = 1; i < argc; i++) {
		const char *v = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(argv[i], "--calm") == 0) {
			o.calm = true;
		} else if (strcmp(argv[i], "--to-pass-3") == 0) {
			o.to_pass_3 = true;
		} else if (strcmp(argv[i], "--verbose") == 0) {
			o.verbose = true;
		} else if (strcmp(argv[i], "--seed") == 0) {
			o.seed = strtoull(v, NULL, 10), i++;
		} else if (strcmp(argv[i], "--story") == 0) {
			o.story = strtoll(v, NULL, 10), i++;
		} else if (strcmp(argv[i], "--losses") == 0) {
			o.losses = strtoull(v, NULL, 10), i++;
		} else if (strcmp(argv[i], "--lag") == 0) {
			o.lag_ms = strtoll(v, NULL, 10), i++;
		} else if (strcmp(argv[i], "--cases") == 0) {
			o.cases = strtoull(v, NULL, 10), i++;
		} else if (strcmp(argv[i], "--seeds") == 0) {
			seeds = strtoull(v, NULL, 10), i++;
		} else if (strcmp(argv[i], "--for") == 0) {
			limit = strtod(v, NULL), i++;
		} else if (strcmp(argv[i], "--break") == 0) {
			for (int b = 0; b < BREAKS; b++)
				if (strcmp(v, sim_break_name((enum sim_break)b)) == 0)
					o.fault = (enum sim_break)b;
			i++;
		} else {
			fprintf(stderr,
			    "campaign: %s is not known; see the head of tests/sim/campaign.c\n",
			    argv[i]);
			return 64;
		}
	}
	if (argc == 1)
		everything();
	else if (o.fault != BREAK_NONE)
		broken(o.fault, o.verbose);
	else if (seeds > 1)
		many(o, seeds, limit);
	else
		one(&o, true);
	printf("%" PRIu64 " passed, %" PRIu64 " failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}
