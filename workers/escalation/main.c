/* main.c - hf-router: the law of one campaign, at work.
 *
 * Runs until SIGTERM or SIGINT: what is in flight is answered, and the process ends with 0; everything it
 * knows is in Redis. A store, a key store or a campaign that is not there is waited for. Also checks a
 * policy file, without any server. */
#include <argp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "base/version.h"
#include "workers/escalation/compare.h"
#include "workers/escalation/gateway.h"
#include "workers/escalation/lawprint.h"
#include "workers/escalation/router.h"

#define TICK_US     200000
#define STATS_TICKS 300
#define DRAIN_US    3000000
#define FLAGS_MAX   16

const char *argp_program_version = "hf-router " HF_VERSION;

static const struct conf_key settings[] = {
    {"policy", CONF_STR, NULL, 0, 0, NULL,
        "the policy file that holds until the campaign has one of its own; empty: the shipped one"},
    {"gateway_sms", CONF_STR, NULL, 0, 0, NULL,
        "address of the college's gateway for SMS (rung 1), https; empty: the owner's own phone"},
    {"gateway_im", CONF_STR, NULL, 0, 0, NULL,
        "address of the college's gateway for WeChat (rung 2), https; empty: the owner's own "
        "phone"},
    {"gateway_ca", CONF_STR, NULL, 0, 0, NULL,
        "file of the certificates to believe the gateway by; empty: the system's"},
    {"gateway_timeout", CONF_INT, "10000", 100, 60000, "ms",
        "how long an answer of the gateway may take"},
    {"gateway_again", CONF_INT, "15000", 100, 600000, "ms",
        "when a message without an answer is posted again; twice as late each time"},
    {"gateway_tries", CONF_INT, "6", 1, 12, NULL,
        "after so many posts without an answer the owner's own phone does it"},
    {NULL, CONF_STR, NULL, 0, 0, NULL, NULL},
};

struct options {
	const char *campaign, *check_policy, *try_policy;
	const char *flags[FLAGS_MAX + 1];
	size_t n_flags;
	bool print, check, law;
	char **blobs; /* --law: what follows, NULL at the end */
};

static const struct argp_option option_rows[] = {
    {"set", 's', "KEY=VALUE", 0, "Set one key of router.conf for this run", 0},
    {"campaign", 'c', "ID", 0, "Serve this campaign (HF_CAMPAIGN; default: the only one)", 0},
    {"check-policy", 'P', "FILE", 0, "Check a policy file, name every problem, and exit", 0},
    {"try-policy", 'T', "FILE", 0,
        "Say what a policy file changes and how many open cases it concerns, and exit", 0},
    {"law", 'L', NULL, 0, "Print memories of cases, given in hex as arguments, and exit", 0},
    {"print-config", 'p', NULL, 0, "Print the settings in force and exit", 0},
    {"check-config", 'k', NULL, 0, "Read the settings and exit", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static error_t
on_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 's':
		if (o->n_flags == FLAGS_MAX)
			argp_error(state, "too many --set");
		o->flags[o->n_flags++] = arg;
		break;
	case 'c': o->campaign = arg; break;
	case 'P': o->check_policy = arg; break;
	case 'T': o->try_policy = arg; break;
	case 'p': o->print = true; break;
	case 'k': o->check = true; break;
	case 'L': o->law = true; break;
	case ARGP_KEY_ARGS:
		if (!o->law)
			argp_usage(state);
		o->blobs = state->argv + state->next;
		break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* 0 good, 1 problems found (each on stdout), else it cannot be read. */
static int
check_policy_file(const char *path)
{
	struct buf problems = BUF_INIT;
	struct policy *p = NULL;
	struct err err = ERR_INIT;
	int code = 0;

	if (policy_load(&p, path, &problems, &err) == 0) {
		printf("%s: 版本 %d，%s，%s：没有问题\n", path, p->version, p->date, p->author);
		policy_free(p);
	} else if (problems.len > 0) {
		(void)fputs((const char *)problems.data, stdout);
		code = 1;
	} else {
		fprintf(stderr, "hf-router: %s\n", err.text);
		code = EX_NOINPUT;
	}
	buf_done(&problems);
	return code;
}

/* ---- what comes from the loop ---- */

static void
on_link(void *arg, bool connected)
{
	struct router *r = arg;

	if (connected) {
		boot_begin(r);
		return;
	}
	if (r->is_ready || r->is_loading)
		log_warn("redis.lost", "decision=\"reading everything again when it is back\"");
	boot_forget(r);
}

static void
on_tail(void *arg, bool connected)
{
	struct router *r = arg;

	r->is_reading = false;
	if (connected)
		pump(r);
}

static void
on_retry(void *arg)
{
	boot_begin(arg);
}

static void
on_due(void *arg)
{
	pump(arg);
}

static void
on_tick(void *arg)
{
	struct router *r = arg;
	struct err err = ERR_INIT;
	const char *wrong;

	if (clock_open(r->home.dir, &err) != 0)
		log_warn("clock.file", "why=\"%s\" decision=\"going on as before\"", err.text);
	wrong = clock_watch_check(&r->clock, clock_wall_ms(), clock_boot_us(), 0);
	if (wrong[0] != '\0' && (r->is_ready || r->is_loading))
		router_reload(r, wrong);
	if (++r->ticks % STATS_TICKS == 0 && r->is_ready)
		log_info("stats", "records=%ju places=%ju timers=%ju mismatches=%ju cases=%zu",
		    (uintmax_t)r->n_records, (uintmax_t)r->n_places, (uintmax_t)r->n_timers,
		    (uintmax_t)r->n_mismatches, map_count(r->cases));
	pump(r);
	if (r->stop_at != 0 && (!r->is_inflight || clock_boot_us() >= r->stop_at))
		loop_stop(r->loop);
}

static void
on_stop(void *arg)
{
	struct router *r = arg;

	if (r->stop_at != 0)
		return;
	log_info("stop", "decision=\"finishing the batch in flight\"");
	r->stop_at = clock_boot_us() + DRAIN_US;
	r->is_ready = false;
	if (!r->is_inflight)
		loop_stop(r->loop);
}

static void
on_hangup(void *arg)
{
	(void)arg; /* nothing is read again; the default would end us */
}

/* ---- life ---- */

/* The shipped policy: HF_SHARE, or share/ beside the program's folder, in the tree or installed. */
static void
find_policy(struct router *r)
{
	static const char *const places[] = {"/../share/policy", "/../share/huifang/policy"};
	const char *share = getenv("HF_SHARE"), *set = conf_str(r->conf, "policy");
	char exe[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	exe[n > 0 ? n : 0] = '\0';
	slash = strrchr(exe, '/');
	if (slash != NULL)
		*slash = '\0';
	if (set[0] != '\0') {
		r->policy_path = xstrdup(set);
	} else if (share != NULL) {
		r->policy_path = xasprintf("%s/policy/default.policy", share);
	} else {
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
			free(r->policy_path);
			r->policy_path = xasprintf("%s%s/default.policy", exe, places[i]);
			if (access(r->policy_path, R_OK) == 0)
				return;
		}
	}
}

static int
start(struct router *r, struct err *err)
{
	char password[256];
	const char *secret = password;
	struct err why = ERR_INIT;

	if (clock_open(r->home.dir, err) != 0)
		return -1;
	/* None is a store without users; one that cannot be read now would be refused for ever. */
	if (home_secret(&r->home, "redis-router", password, sizeof(password), &why) != 0) {
		if (why.code != ERR_NOT_FOUND)
			return err_set(err, why.code, "%s", why.text);
		secret = NULL;
	}
	r->loop = loop_create();
	r->zctx = zctx_create(1, 64);
	if (gateway_open(r, err) != 0)
		return -1;
	r->keys = map_create();
	r->chunk = chunk_create();
	r->lock_fd = -1;
	r->retry = loop_timer_create(r->loop, on_retry, r);
	r->due_timer = loop_timer_create(r->loop, on_due, r);
	r->tick = loop_timer_create(r->loop, on_tick, r);
	boot_forget(r);
	r->link = rds_create(
	    r->loop, r->home.redis, secret == NULL ? NULL : "router", secret, on_link, r);
	r->tail = rds_create(
	    r->loop, r->home.redis, secret == NULL ? NULL : "router", secret, on_tail, r);
	crypt_wipe(password, sizeof(password));
	loop_timer_every(r->tick, TICK_US);
	loop_on_signal(r->loop, SIGTERM, on_stop, r);
	loop_on_signal(r->loop, SIGINT, on_stop, r);
	loop_on_signal(r->loop, SIGHUP, on_hangup, r);
	return 0;
}

static void
free_key(void *key)
{
	crypt_wipe(key, 32);
	free(key);
}

static void
stop(struct router *r)
{
	r->is_ready = false;
	r->generation++;
	rds_destroy(r->tail);
	rds_destroy(r->link);
	gateway_close(r);
	keyfollow_destroy(r->follow);
	boot_forget(r);
	imports_destroy(r->imports);
	map_destroy(r->cases, case_free);
	map_destroy(r->persons, person_free);
	map_destroy(r->free_hours, free);
	map_destroy(r->agents, free);
	map_destroy(r->keys, free_key);
	chunk_destroy(r->chunk);
	loop_timer_destroy(r->retry);
	loop_timer_destroy(r->due_timer);
	loop_timer_destroy(r->tick);
	zctx_destroy(r->zctx);
	loop_destroy(r->loop);
	policy_free(r->policy);
	buf_done(&r->policy_text);
	buf_done(&r->proposal);
	buf_done(&r->closing);
	buf_done(&r->answer);
	buf_done(&r->task);
	buf_done(&r->others);
	buf_done(&r->other_tasks);
	free(r->work);
	free(r->heap);
	free(r->policy_path);
	if (r->has_id)
		identity_done(&r->id);
	if (r->lock_fd >= 0)
		close(r->lock_fd);
	conf_destroy(r->conf);
}

static int
run(struct router *r)
{
	struct err err = ERR_INIT;

	find_policy(r);
	if (start(r, &err) != 0) {
		log_error("start", "why=\"%s\" decision=\"not starting\"", err.text);
		return EX_CONFIG;
	}
	log_info("start", "home=%s", r->home.dir);
	home_ready();
	loop_run(r->loop);
	stop(r);
	log_info("end", "exit=%d", r->exit_code);
	return r->exit_code;
}

static int
load_settings(struct router *r, const struct options *o, struct err *err)
{
	char *path;
	int rc;

	if (home_load(&r->home, err) != 0)
		return -1;
	path = xasprintf("%s/router.conf", r->home.dir);
	rc = conf_load(&r->conf, settings, access(path, F_OK) == 0 ? path : NULL, err);
	for (size_t i = 0; rc == 0 && i < o->n_flags; i++)
		rc = strncmp(o->flags[i], "gateway", 7) == 0
		         ? err_set(err, ERR_INVALID,
		               "gateway…: only in router.conf, a command line is read by all")
		         : conf_override(r->conf, o->flags[i], err);
	free(path);
	return rc;
}

int
main(int argc, char **argv)
{
	static struct router r;
	struct options o = {.campaign = getenv("HF_CAMPAIGN")};
	struct argp argp = {option_rows, on_option, NULL,
	    "hf-router - decides where each case of one campaign goes next.", NULL, NULL, NULL};
	struct err err = ERR_INIT;
	struct buf text = BUF_INIT;

	log_init("hf-router", LOG_LVL_INFO);
	(void)signal(SIGPIPE, SIG_IGN);
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
		return EX_USAGE;
	if (o.law)
		return lawprint(o.blobs == NULL ? (char *[]){NULL} : o.blobs);
	if (o.check_policy != NULL)
		return check_policy_file(o.check_policy);
	if (crypt_init(&err) != 0 || load_settings(&r, &o, &err) != 0) {
		log_error("settings", "why=\"%s\" decision=\"not starting\"", err.text);
		return EX_CONFIG;
	}
	r.wanted = o.campaign == NULL ? "" : o.campaign;
	if (o.try_policy != NULL) {
		find_policy(&r);
		return compare_run(&r.home, r.wanted, r.policy_path, o.try_policy);
	}
	if (!o.print && !o.check)
		return run(&r);
	if (o.print) {
		conf_print(&text, settings, r.conf);
		(void)fputs((const char *)text.data, stdout);
		buf_done(&text);
	}
	conf_destroy(r.conf);
	return 0;
}
