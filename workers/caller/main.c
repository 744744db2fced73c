/* main.c - hf-caller: wires agent directory, outbox, client and the view that was asked for.
 *
 * It decides nothing but when to end. Exit codes are those of sysexits: 64 usage, 65 a damaged key or
 * setting, 66 no such agent directory, 74 the disk, 75 another process has the outbox, 77 wrong PIN or
 * revoked. */
#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "workers/caller/dial.h"
#include "workers/caller/lines.h"
#include "workers/caller/office.h"
#include "workers/caller/rules.h"
#include "workers/link/client.h"
#include "workers/link/home.h"
#include "workers/link/identity.h"

#define LINGER_MS 10000
#define LOCK_S    1800

enum {
	OPT_AGENTS = 256,
	OPT_LISTEN,
	OPT_TLS,
	OPT_LOCK,
	OPT_POLICY,
	OPT_SCRIPT,
	OPT_RESETS,
	OPT_IMPORTS,
	OPT_LOCAL
};

struct options {
	const char *agent, *person, *pin_file, *agents, *listen, *policy, *script, *resets_as,
	    *imports_as, *local;
	int64_t linger_ms, lock_s;
	bool lines, office, behind_tls;
};

struct process {
	struct identity id;
	struct person_key key;
	bool is_unattended;
	struct outbox *outbox;
	struct outbox_report report;
	struct loop *loop;
	struct zctx *z;
	struct client *client;
	struct lines *lines;
	json_t *rules;
};

static const struct argp_option option_rows[] = {
    {"lines", 'l', NULL, 0, "Speak one JSON object a line on stdin and stdout", 0},
    {"agent", 'a', "DIR", 0, "The agent's directory, made by hfctl agent enrol", 0},
    {"person", 'p', "ID", 0, "Act as this person (default: the only one enrolled there)", 0},
    {"pin-file", 'f', "FILE", 0, "First line: the person's PIN", 0},
    {"linger", 'w', "MS", 0, "At the end wait so long for answers (10000)", 0},
    {"local-prefixes", OPT_LOCAL, "FILE", 0,
        "Prefixes of local mobile numbers; all others are dialled with a 0", 0},
    {"office", 'o', NULL, 0, "Serve many persons' browsers over HTTP", 1},
    {"agents", OPT_AGENTS, "DIR", 0, "Holds one agent's directory a person, named as the person",
        1},
    {"listen", OPT_LISTEN, "ADDRESS", 0, "Where browsers or the proxy come (127.0.0.1:8380)", 1},
    {"behind-tls", OPT_TLS, NULL, 0, "A TLS proxy is in front: any address, cookies only over TLS",
        1},
    {"lock", OPT_LOCK, "SECONDS", 0, "Log out a browser that asks for nothing so long (1800)", 1},
    {"policy", OPT_POLICY, "FILE", 0,
        "Names of outcomes on the screens (default: the installed policy)", 1},
    {"script", OPT_SCRIPT, "FILE", 0,
        "What must be told, on the screens (default: the installed script)", 1},
    {"resets-as", OPT_RESETS, "PERSON", 0,
        "Leaders reset PINs of their teams; hfctl signs as PERSON", 1},
    {"imports-as", OPT_IMPORTS, "PERSON", 0,
        "The data group imports rosters on its screen; hfctl signs as PERSON", 1},
    {NULL, 0, NULL, 0, NULL, 0},
};

static void
check_options(const struct options *o, const struct argp_state *state)
{
	if (o->lines == o->office)
		argp_error(state, "--lines or --office is needed");
	if (o->lines && (o->agent == NULL || o->agents != NULL))
		argp_error(state, "--lines wants --agent DIR, of one person");
	if (o->office && !o->behind_tls && !office_is_loopback(o->listen))
		argp_error(state,
		    "--listen %s: only 127.x.x.x:PORT, unless a TLS proxy is in front "
		    "(--behind-tls)",
		    o->listen);
	if (o->office &&
	    (o->agents == NULL || o->agent != NULL || o->person != NULL || o->pin_file != NULL))
		argp_error(
		    state, "--office wants --agents DIR, and no --agent, --person, --pin-file");
}

static error_t
on_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'l': o->lines = true; break;
	case 'a': o->agent = arg; break;
	case 'p': o->person = arg; break;
	case 'f': o->pin_file = arg; break;
	case 'w':
		if (!text_to_i64(arg, strlen(arg), &o->linger_ms) || o->linger_ms > 3600000)
			argp_error(state, "--linger wants milliseconds, at most 3600000");
		break;
	case 'o': o->office = true; break;
	case OPT_AGENTS: o->agents = arg; break;
	case OPT_LISTEN: o->listen = arg; break;
	case OPT_POLICY: o->policy = arg; break;
	case OPT_SCRIPT: o->script = arg; break;
	case OPT_RESETS: o->resets_as = arg; break;
	case OPT_IMPORTS: o->imports_as = arg; break;
	case OPT_LOCAL: o->local = arg; break;
	case OPT_TLS: o->behind_tls = true; break;
	case OPT_LOCK:
		if (!text_to_i64(arg, strlen(arg), &o->lock_s) || o->lock_s < 1 ||
		    o->lock_s > 43200)
			argp_error(state, "--lock wants seconds, at most 43200");
		break;
	case ARGP_KEY_ARG: argp_usage(state); break;
	case ARGP_KEY_END: check_options(o, state); break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static int
exit_code_of(const struct err *err)
{
	switch (err->code) {
	case ERR_NOT_FOUND: return EX_NOINPUT;
	case ERR_DENIED: return EX_NOPERM;
	case ERR_BUSY: return EX_TEMPFAIL;
	case ERR_IO:
	case ERR_FULL: return EX_IOERR;
	case ERR_INVALID:
	case ERR_CORRUPT: return EX_DATAERR;
	default: return EX_SOFTWARE;
	}
}

/* ---- opening ---- */

static int
read_pin(const char *path, char *out, size_t size, struct err *err)
{
	struct buf text = BUF_INIT;
	size_t len;
	int rc = 0;

	if (file_read(&text, path, 4096, err) != 0)
		return -1;
	len = text.data != NULL ? strcspn((char *)text.data, "\r\n") : 0;
	if (len == 0 || len >= size) {
		rc = err_set(err, ERR_INVALID, "%s: its first line is no PIN", path);
	} else {
		memcpy(out, text.data, len);
		out[len] = '\0';
	}
	if (text.data != NULL)
		crypt_wipe(text.data, text.len);
	buf_done(&text);
	return rc;
}

static int
open_person(struct process *p, const struct options *o, struct err *err)
{
	name_t person;
	char pin[256] = "";
	int rc;

	if (o->person != NULL)
		(void)snprintf(person, sizeof(person), "%s", o->person);
	else if (identity_only_person(&p->id, person, err) != 0)
		return err_wrap(err, "--person");
	if (o->pin_file != NULL && read_pin(o->pin_file, pin, sizeof(pin), err) != 0)
		return -1;
	rc = identity_open_person(&p->id, person, o->pin_file != NULL ? pin : NULL, &p->key, err);
	crypt_wipe(pin, sizeof(pin));
	p->is_unattended = rc == 0 && identity_is_unattended(&p->id, person);
	return rc;
}

static int
open_all(struct process *p, const struct options *o, struct err *err)
{
	struct lines_opts lines = {
	    .linger_ms = o->linger_ms, .in = STDIN_FILENO, .out = STDOUT_FILENO};
	struct client_opts client = {
	    .id = &p->id, .on_event = lines_on_event, .on_commit = lines_on_commit};
	uint64_t until;

	if (crypt_init(err) != 0 || identity_load(&p->id, o->agent, err) != 0 ||
	    open_person(p, o, err) != 0 ||
	    outbox_open(&p->outbox, o->agent, p->id.campaign, &p->report, err) != 0)
		return -1;
	p->z = zctx_create(1, 16);
	p->loop = client.loop = lines.loop = loop_create();
	lines.outbox = client.outbox = p->outbox;
	lines.person = p->key.person;
	if (rules_words(&p->rules, o->policy, "policy/default.policy", rules_load, err) != 0)
		return -1;
	lines.rules = p->rules;
	p->lines = lines_create(&lines);
	client.z = p->z;
	client.arg = p->lines;
	if (client_create(&p->client, &client, err) != 0)
		return -1;
	/* A PIN is a login of half a day; an open key renews its tickets by itself. */
	until = p->is_unattended ? 0 : (uint64_t)(clock_wall_ms() + LOGIN_MAX_MS);
	return client_login(p->client, &p->key, until, err);
}

static void
close_all(struct process *p)
{
	client_destroy(p->client);
	lines_destroy(p->lines);
	outbox_close(p->outbox);
	json_decref(p->rules);
	if (p->loop != NULL)
		loop_destroy(p->loop);
	zctx_destroy(p->z);
	person_key_done(&p->key);
	identity_done(&p->id);
}

static void
on_stop(void *arg)
{
	lines_end(arg);
}

static int
run_lines(const struct options *o)
{
	struct process p = {.outbox = NULL};
	struct err err = ERR_INIT;
	int code;

	if (open_all(&p, o, &err) != 0) {
		log_error("caller.not_started", "cause=\"%s\"", err.text);
		close_all(&p);
		return exit_code_of(&err);
	}
	if (p.report.cut > 0)
		log_warn("outbox.cut", "bytes=%zu decision=\"a torn write was never promised\"",
		    p.report.cut);
	lines_report(p.lines, &p.report);
	loop_on_signal(p.loop, SIGTERM, on_stop, p.lines);
	loop_on_signal(p.loop, SIGINT, on_stop, p.lines);
	lines_start(p.lines, p.client);
	client_start(p.client);
	loop_run(p.loop);
	code = lines_exit_code(p.lines);
	close_all(&p);
	return code;
}

static void
on_office_stop(void *arg)
{
	office_stop(arg);
}

static int
run_office(const struct options *o)
{
	struct office_opts opts = {.agents = o->agents,
	    .listen = o->listen,
	    .policy = o->policy,
	    .script = o->script,
	    .resets_as = o->resets_as,
	    .imports_as = o->imports_as,
	    .behind_tls = o->behind_tls,
	    .lock_us = o->lock_s * 1000000,
	    .linger_ms = o->linger_ms};
	struct err err = ERR_INIT;
	struct office *office = NULL;
	int port = 0, code = EX_OK;

	opts.loop = loop_create();
	if (crypt_init(&err) != 0 || office_open(&office, &opts, &port, &err) != 0) {
		log_error("office.not_started", "cause=\"%s\"", err.text);
		code = exit_code_of(&err);
	} else {
		loop_on_signal(opts.loop, SIGTERM, on_office_stop, office);
		loop_on_signal(opts.loop, SIGINT, on_office_stop, office);
		log_info("start", "port=%d version=%s", port, HF_VERSION);
		home_ready();
		loop_run(opts.loop);
		log_info("stop", "port=%d", port);
	}
	office_close(office);
	loop_destroy(opts.loop);
	return code;
}

int
main(int argc, char **argv)
{
	static const struct argp argp = {.options = option_rows,
	    .parser = on_option,
	    .doc = "The caller's program: takes cases, keeps what was said until it is safe.\v"
	           "Exit: 0, or 64 usage, 65 damaged settings, 66 no such directory, 74 disk, "
	           "75 already running, 77 wrong PIN or revoked."};
	struct options o = {.linger_ms = LINGER_MS, .lock_s = LOCK_S, .listen = "127.0.0.1:8380"};
	struct err err = ERR_INIT;
	int code;

	argp_err_exit_status = EX_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) !=
	    0) { /* its own words end the program: no memory */
		(void)fputs("hf-caller: no memory for the options\n", stderr);
		return EX_OSERR;
	}
	log_init("hf-caller", LOG_LVL_INFO);
	if (o.local != NULL && dial_load(o.local, &err) != 0) {
		log_error("caller.not_started", "cause=\"%s\"", err.text);
		return exit_code_of(&err);
	}
	code = o.office ? run_office(&o) : run_lines(&o);
	dial_forget();
	return code;
}
