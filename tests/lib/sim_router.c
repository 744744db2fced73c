/* sim_router.c - the real router's life in the simulation: its connections, timers, crashes and restarts.
 *
 * Its commands reach the store after a while, its answers come after another; a connection that is lost loses
 * what is on its way in both directions, a crash loses the memory as well. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/text.h"
#include "tests/lib/sim.h"

struct sim_job {
	struct sim_job *prev, *next;
	struct buf bytes;
	size_t *end; /* of each argument */
	size_t argc;
	bool is_tail, is_dead, is_done, is_blocked;
	struct fv reply;
	rds_fn *fn;
	void *arg;
};

/* What stands behind struct loop_timer and struct rds here. */
struct sim_timer {
	uint64_t armed;
	void (*fn)(void);
};
static struct sim_timer retry, due;
static char link_end, tail_end;

static void
job_free(struct sim_job *j)
{
	if (j->prev != NULL)
		j->prev->next = j->next;
	else
		sim->jobs = j->next;
	if (j->next != NULL)
		j->next->prev = j->prev;
	buf_done(&j->bytes);
	free(j->end);
	fv_done(&j->reply);
	free(j);
}

static void
answer(void *arg, uint64_t n)
{
	struct sim_job *j = arg;

	(void)n;
	if (!j->is_dead) {
		j->is_dead = true;
		j->fn(j->arg, (const struct rds_reply *)&j->reply, NULL);
	}
	job_free(j);
}

static bool
has_word(const struct span *argv, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (span_eq_str(argv[i], word))
			return true;
	return false;
}

static void
execute(void *arg, uint64_t n)
{
	struct sim_job *j = arg;
	struct span *argv = xcalloc(j->argc, sizeof(*argv));
	int64_t lag = 1 + (int64_t)sim_rnd((uint64_t)sim->lag_us);

	(void)n;
	for (size_t i = 0; i < j->argc; i++)
		argv[i] = span_of(j->bytes.data + (i == 0 ? 0 : j->end[i - 1]),
		    j->end[i] - (i == 0 ? 0 : j->end[i - 1]));
	j->is_blocked = false;
	if (j->is_dead) {
		free(argv);
		job_free(j);
		return;
	}
	if (span_eq_str(argv[0], "XREAD")) {
		struct span a[4] = {argv[0], argv[j->argc - 2], argv[j->argc - 1], span_str("256")};

		sim_cmd(a, 4, &j->reply);
		if (j->reply.type == FV_NIL && has_word(argv, j->argc, "BLOCK")) {
			j->is_blocked = true;
			free(argv);
			return;
		}
	} else {
		sim_cmd(argv, j->argc, &j->reply);
	}
	free(argv);
	sim_after(lag, answer, j, 0);
}

void
sim_router_wake(void)
{
	for (struct sim_job *j = sim->jobs; j != NULL; j = j->next) {
		if (!j->is_blocked)
			continue;
		j->is_blocked = false;
		sim_after(1 + (int64_t)sim_rnd((uint64_t)sim->lag_us), execute, j, 0);
	}
}

/* ---- what the router calls ---- */

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's --wrap names */
bool __wrap_rds_connected(const struct rds *r);
enum rds_type __wrap_rds_type(const struct rds_reply *r);
int64_t __wrap_rds_int(const struct rds_reply *r);
struct span __wrap_rds_str(const struct rds_reply *r);
size_t __wrap_rds_len(const struct rds_reply *r);
const struct rds_reply *__wrap_rds_at(const struct rds_reply *r, size_t i);
void __wrap_rds_cmd(
    struct rds *r, const struct span *argv, size_t argc, int64_t timeout_us, rds_fn *fn, void *arg);
void __wrap_loop_timer_after(struct loop_timer *t, int64_t us);
void __wrap_loop_timer_stop(struct loop_timer *t);
int __wrap_own_open(struct router *r, struct err *err);
void __wrap_own_new_outbox(struct router *r);
/* NOLINTEND(bugprone-reserved-identifier) */

bool
__wrap_rds_connected(const struct rds *r)
{
	(void)r;
	return sim->is_connected;
}

static const struct fv *
fv_of(const struct rds_reply *r)
{
	return (const struct fv *)(const void *)r;
}

enum rds_type
__wrap_rds_type(const struct rds_reply *r)
{
	static const enum rds_type types[] = {[FV_NIL] = RDS_NIL,
	    [FV_INT] = RDS_INT,
	    [FV_STR] = RDS_STR,
	    [FV_ARRAY] = RDS_ARRAY,
	    [FV_ERROR] = RDS_ERROR};

	return r == NULL ? RDS_NIL : types[fv_of(r)->type];
}

int64_t
__wrap_rds_int(const struct rds_reply *r)
{
	return r == NULL || fv_of(r)->type != FV_INT ? 0 : fv_of(r)->i;
}

struct span
__wrap_rds_str(const struct rds_reply *r)
{
	return r == NULL || (fv_of(r)->type != FV_STR && fv_of(r)->type != FV_ERROR)
	           ? span_of("", 0)
	           : buf_span(&fv_of(r)->s);
}

size_t
__wrap_rds_len(const struct rds_reply *r)
{
	return r == NULL || fv_of(r)->type != FV_ARRAY ? 0 : fv_of(r)->n;
}

const struct rds_reply *
__wrap_rds_at(const struct rds_reply *r, size_t i)
{
	return i < __wrap_rds_len(r) ? (const struct rds_reply *)(const void *)&fv_of(r)->at[i]
	                             : NULL;
}

void
__wrap_rds_cmd(
    struct rds *r, const struct span *argv, size_t argc, int64_t timeout_us, rds_fn *fn, void *arg)
{
	struct sim_job *j = xcalloc(1, sizeof(*j));
	bool is_tail = (const void *)r == (const void *)&tail_end;
	int64_t *at = &sim->link_at[is_tail];

	(void)timeout_us;
	j->end = xcalloc(argc, sizeof(*j->end));
	for (size_t i = 0; i < argc; i++) {
		buf_add(&j->bytes, argv[i].data, argv[i].len);
		j->end[i] = j->bytes.len;
	}
	j->argc = argc;
	j->is_tail = is_tail;
	j->fn = fn;
	j->arg = arg;
	j->next = sim->jobs;
	if (j->next != NULL)
		j->next->prev = j;
	sim->jobs = j;
	*at = *at > sim->now ? *at : sim->now;
	*at += 1 + (int64_t)sim_rnd((uint64_t)sim->lag_us);
	sim_after(*at - sim->now, execute, j, 0);
}

static void
timer_fires(void *arg, uint64_t n)
{
	struct sim_timer *t = arg;

	if (t->armed == n)
		t->fn();
}

void
__wrap_loop_timer_after(struct loop_timer *t, int64_t us)
{
	struct sim_timer *s = (struct sim_timer *)(void *)t;

	s->armed = sim->event_no + 1;
	sim_after(us, timer_fires, s, s->armed);
}

void
__wrap_loop_timer_stop(struct loop_timer *t)
{
	((struct sim_timer *)(void *)t)->armed = 0;
}

int
__wrap_own_open(struct router *r, struct err *err)
{
	(void)err;
	memset(r->ob, 'R', 16);
	memset(r->id.agent, 0xab, 16);
	r->has_id = true;
	return 0;
}

void
__wrap_own_new_outbox(struct router *r)
{
	(void)r;
	sim_fail("records_kept", "the router's own chain is refused");
}

/* ---- life: what main.c does ---- */

static void
on_retry(void)
{
	boot_begin(sim->router);
}

static void
on_due(void)
{
	pump(sim->router);
}

/* All that is on its way fails; its outcome stays unknown. */
static void
cut(void)
{
	struct err err = ERR_INIT;
	struct sim_job *next;

	(void)err_set(&err, ERR_GONE, "connection lost");
	sim->is_connected = false;
	for (struct sim_job *j = sim->jobs; j != NULL; j = next) {
		next = j->next;
		if (j->is_dead)
			continue;
		j->is_dead = true;
		j->fn(j->arg, NULL, &err);
		if (j->is_blocked)
			job_free(j);
	}
}

static void
connect_again(void *arg, uint64_t n)
{
	(void)arg;
	if (n != sim->router_life || !sim->is_router_up)
		return;
	sim->is_connected = true;
	sim->router_up_at = sim->now;
	boot_begin(sim->router);
}

void
sim_router_cut(void)
{
	if (!sim->is_router_up || !sim->is_connected)
		return;
	sim->router_down_at = sim->now;
	cut();
	boot_forget(sim->router);
	sim_after((int64_t)sim_rnd(30) * SIM_SECOND, connect_again, NULL, sim->router_life);
}

static void
lose_link(void *arg, uint64_t n)
{
	(void)arg;
	if (n != sim->router_life) /* another life, with losses of its own */
		return;
	if (sim->is_router_up && sim->is_connected) {
		sim->n_link_losses++;
		sim_router_cut();
	}
	if (!sim->is_closing)
		sim_after(
		    (int64_t)(1 + sim_rnd(600)) * SIM_MINUTE, lose_link, NULL, sim->router_life);
}

static void
tick(void *arg, uint64_t n)
{
	(void)arg;
	if (n != sim->router_life || !sim->is_router_up || sim->is_over)
		return;
	if (sim->is_connected)
		pump(sim->router);
	sim_after(sim->tick_us, tick, NULL, n);
}

static void
start(void *arg, uint64_t n)
{
	static const uint8_t none[16];
	struct router *r = xcalloc(1, sizeof(*r));
	uint8_t *key;

	(void)arg;
	(void)n;
	retry = (struct sim_timer){0, on_retry};
	due = (struct sim_timer){0, on_due};
	sim->router = r;
	sim->router_life++;
	sim->is_router_up = true;
	r->wanted = SIM_CAMPAIGN;
	r->lock_fd = -1;
	r->policy_path = xstrdup(sim->policy_path);
	r->keys = map_create();
	key = xmalloc(sizeof(sim->campaign_key));
	memcpy(key, sim->campaign_key, sizeof(sim->campaign_key));
	map_put(r->keys, none, sizeof(none), key);
	r->chunk = chunk_create();
	r->retry = (struct loop_timer *)(void *)&retry;
	r->due_timer = (struct loop_timer *)(void *)&due;
	r->link = (struct rds *)(void *)&link_end;
	r->tail = (struct rds *)(void *)&tail_end;
	boot_forget(r);
	connect_again(NULL, sim->router_life);
	sim_after(10 * SIM_SECOND, tick, NULL, sim->router_life);
	if (!sim->o.calm) {
		sim_after((int64_t)(1 + sim_rnd(900)) * SIM_MINUTE, sim_router_crash, NULL,
		    sim->router_life);
		sim_after(
		    (int64_t)(1 + sim_rnd(600)) * SIM_MINUTE, lose_link, NULL, sim->router_life);
	}
}

void
sim_router_start(void)
{
	start(NULL, 0);
}

void
sim_router_stop(void)
{
	struct router *r = sim->router;

	if (r == NULL)
		return;
	cut();
	sim->is_router_up = false;
	retry.armed = due.armed = 0;
	boot_forget(r);
	imports_destroy(r->imports);
	map_destroy(r->cases, case_free);
	map_destroy(r->persons, person_free);
	map_destroy(r->free_hours, free);
	map_destroy(r->agents, free);
	map_destroy(r->keys, free);
	chunk_destroy(r->chunk);
	policy_free(r->policy);
	buf_done(&r->policy_text);
	buf_done(&r->closing);
	buf_done(&r->proposal);
	buf_done(&r->answer);
	free(r->work);
	free(r->heap);
	free(r->policy_path);
	free(r);
	sim->router = NULL;
}

void
sim_router_crash(void *arg, uint64_t n)
{
	(void)arg;
	if (n != sim->router_life || sim->is_closing)
		return;
	sim->n_router_crashes++;
	sim->router_down_at = sim->now;
	sim_router_stop();
	sim_after((int64_t)(1 + sim_rnd(120)) * SIM_SECOND, start, NULL, 0);
}
