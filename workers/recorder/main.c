/* hf-recorder: the ledger and the key store of an installation.
 *
 * Two processes under this one: `keys` answers while PostgreSQL is away and holds the KEK, `ledger` waits
 * on PostgreSQL for as long as that takes and never sees a key. They share no memory, so neither can stall
 * or corrupt the other. If one dies, the other is ended and we exit 70, for the supervisor to start
 * both again; if we die, the kernel ends both. SIGTERM: finish the batch in hand, exit 0. */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/log.h"
#include "workers/link/home.h"
#include "workers/recorder/batch.h"
#include "workers/recorder/keyserver.h"
#include "workers/recorder/recorder.h"
#include "workers/recorder/verify.h"

#define DRAIN_MS 15000

static const struct conf_key settings[] = {
    {"batch", CONF_INT, "1000", 1, BATCH_MAX, "entries", "most log entries in one transaction"},
    {"key_copy", CONF_BOOL, "true", 0, 0, NULL,
        "keep a second file of the case keys in the archive directory"},
    {"archive_same_device", CONF_BOOL, "false", 0, 0, NULL,
        "the archive may lie on the device of the installation: one disk then loses both"},
    {"archive_wait", CONF_INT, "30", 1, 3600, "s",
        "how long an entry waits for its segment of the archive at most"},
    {"log_keep", CONF_INT, "100000", 0, 10000000, "entries",
        "how many entries of Redis' log stay though archive and router have them"},
    {NULL, CONF_STR, NULL, 0, 0, NULL, NULL},
};

struct setup {
	struct home home;
	struct conf *conf;
	uint8_t sign_sk[64];
	int ready_fd; /* a child writes one byte when it stands */
	bool print, check;
	const char *verify, *key; /* directory of an archive; file of a public key */
};

/* ---- children ------------------------------------------------------------------------------------ */

static void
say_ready(void *arg)
{
	struct setup *s = arg;

	if (write(s->ready_fd, "r", 1) !=
	    1) { /* nobody would ever hear that it stands: begin anew */
		log_error("recorder.not_heard", "cause=\"%s\"", strerror(errno));
		_exit(EX_OSERR);
	}
	close(s->ready_fd);
}

static int
run_keys(struct setup *s)
{
	struct err err = ERR_INIT;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	crypt_wipe(s->sign_sk, sizeof(s->sign_sk));
	log_init("hf-recorder/keys", LOG_LVL_INFO);
	if (keyserver_run(&s->home, conf_bool(s->conf, "key_copy"), say_ready, s, &err) != 0) {
		log_error("keys.failed", "cause=\"%s\"", err.text);
		return EX_SOFTWARE;
	}
	return 0;
}

static int
run_ledger(struct setup *s, int stop_fd)
{
	struct recorder_opts o = {.home = &s->home, .stop_fd = stop_fd};

	log_init("hf-recorder/ledger", LOG_LVL_INFO);
	o.batch = (size_t)conf_int(s->conf, "batch");
	o.archive_wait_us = conf_int(s->conf, "archive_wait") * 1000000;
	o.log_keep = (uint64_t)conf_int(s->conf, "log_keep");
	o.same_device = conf_bool(s->conf, "archive_same_device");
	memcpy(o.sign_sk, s->sign_sk, sizeof(o.sign_sk));
	say_ready(s);
	recorder_run(&o);
	crypt_wipe(&o.sign_sk, sizeof(o.sign_sk));
	return 0;
}

static pid_t
start(struct setup *s, bool keys, int stop_fd)
{
	pid_t parent = getpid(), pid = fork();
	int rc;

	if (pid != 0)
		return pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(EX_OSERR);
	rc = keys ? run_keys(s) : run_ledger(s, stop_fd);
	conf_destroy(s->conf);
	exit(rc);
}

/* ---- the parent ---------------------------------------------------------------------------------- */

/* Takes the children that ended; the status of the first bad one is kept. */
static int
reap(pid_t child[2], int *ret_bad)
{
	int left = 0, status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (int i = 0; i < 2; i++) {
			if (child[i] != pid)
				continue;
			child[i] = 0;
			if (status != 0)
				*ret_bad = status;
		}
	}
	for (int i = 0; i < 2; i++)
		left += child[i] > 0;
	return left;
}

static void
signal_children(const pid_t child[2], int sig)
{
	for (int i = 0; i < 2; i++)
		if (child[i] > 0)
			(void)kill(child[i], sig);
}

/* After the first end or signal: let the others finish, then insist. */
static int
drain(pid_t child[2], int sig_fd, bool wanted)
{
	struct pollfd p = {.fd = sig_fd, .events = POLLIN};
	struct signalfd_siginfo info;
	int bad = 0;

	signal_children(child, SIGTERM);
	while (reap(child, &bad) > 0) {
		if (poll(&p, 1, DRAIN_MS) == 0)
			signal_children(child, SIGKILL);
		else if (read(sig_fd, &info, sizeof(info)) < 0 && errno != EINTR)
			break;
	}
	if (wanted)
		return 0;
	log_error("recorder.child",
	    "status=%d hint=\"a part of hf-recorder ended: start it again\"", bad);
	return EX_SOFTWARE;
}

static int
supervise(int ready_fd, int sig_fd, pid_t child[2])
{
	struct pollfd p[] = {{.fd = sig_fd, .events = POLLIN}, {.fd = ready_fd, .events = POLLIN}};
	struct signalfd_siginfo info;
	char byte[2];
	ssize_t up = 0;

	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return drain(child, sig_fd, false);
		if (p[1].revents != 0) {
			ssize_t n = read(ready_fd, byte, sizeof(byte));

			up += n > 0 ? n : 0;
			if (n <= 0 || up == 2)
				p[1].fd = -1;
			if (up == 2)
				home_ready();
		}
		if (p[0].revents == 0 || read(sig_fd, &info, sizeof(info)) < 0)
			continue;
		if (info.ssi_signo != SIGCHLD)
			return drain(child, sig_fd, true);
		for (int i = 0; i < 2; i++) {
			siginfo_t which = {0};

			if (waitid(P_PID, (id_t)child[i], &which, WEXITED | WNOHANG | WNOWAIT) ==
			        0 &&
			    which.si_pid != 0)
				return drain(child, sig_fd, false);
		}
	}
}

static int
run(struct setup *s)
{
	pid_t child[2];
	sigset_t set;
	int fds[2], sig_fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || pipe(fds) != 0 ||
	    (sig_fd = signalfd(-1, &set, SFD_CLOEXEC)) < 0) {
		log_error("recorder.start", "cause=\"%s\"", strerror(errno));
		return EX_OSERR;
	}
	s->ready_fd = fds[1];
	child[0] = start(s, true, -1);
	/* Its own signalfd reads its own signals: the set is per process, the descriptor may be shared. */
	child[1] = start(s, false, sig_fd);
	close(fds[1]);
	if (child[0] < 0 || child[1] < 0) {
		log_error("recorder.start", "cause=\"%s\"", strerror(errno));
		return drain(child, sig_fd, false);
	}
	return supervise(fds[0], sig_fd, child);
}

/* ---- set-up -------------------------------------------------------------------------------------- */

static error_t
on_option(int key, char *arg, struct argp_state *state)
{
	struct setup *s = state->input;

	switch (key) {
	case 'p': s->print = true; break;
	case 'c': s->check = true; break;
	case 'k': s->key = arg; break;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0 && strcmp(arg, "verify") == 0)
			break;
		if (state->arg_num == 1) {
			s->verify = arg;
			break;
		}
		argp_error(state, "unknown argument: %s", arg);
		break;
	case ARGP_KEY_END:
		if (state->arg_num == 1)
			argp_error(state, "verify what? name the archive's directory");
		break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option options[] = {
    {"print-config", 'p', NULL, 0, "print the settings as a file for HF_HOME/recorder.conf", 0},
    {"check-config", 'c', NULL, 0, "read all settings and end", 0},
    {"key", 'k', "FILE", 0, "verify: the recorder's public key (default: the installation's)", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};
static const struct argp argp = {options, on_option, "\nverify DIR",
    "Reads the log of accepted records into PostgreSQL and keeps the case keys.", NULL, NULL, NULL};

static int
load(struct setup *s, struct err *err)
{
	char path[PATH_MAX];
	uint8_t pk[32], seed[32];

	if (home_load(&s->home, err) != 0 || clock_open(s->home.dir, err) != 0)
		return -1;
	snprintf(path, sizeof(path), "%s/recorder.conf", s->home.dir);
	if (conf_load(&s->conf, settings, access(path, F_OK) == 0 ? path : NULL, err) != 0)
		return -1;
	if (s->check)
		return 0;
	if (home_keypair(&s->home, "recorder", HOME_SIGN, pk, seed, err) != 0)
		return -1;
	crypt_sign_from_seed(pk, s->sign_sk, seed);
	crypt_wipe(seed, sizeof(seed));
	return 0;
}

/* Needs no secret, no store, and no installation when the key is named. */
static int
run_verify(struct setup *s)
{
	struct err err = ERR_INIT;
	uint8_t pk[32];
	int rc = s->key != NULL ? verify_key(s->key, pk, &err) : home_load(&s->home, &err);

	if (rc == 0 && s->key == NULL)
		rc = home_secret_key(&s->home, "recorder.pub", pk, &err);
	if (rc == 0)
		rc = verify_archive(s->verify, pk, stdout, &err);
	if (rc < 0)
		fprintf(stderr, "hf-recorder: verify: %s\n", err.text);
	return rc < 0 ? EX_NOINPUT : rc;
}

int
main(int argc, char **argv)
{
	struct setup s = {0};
	struct err err = ERR_INIT;
	struct buf text = BUF_INIT;
	int rc;

	if (argp_parse(&argp, argc, argv, 0, NULL, &s) != 0)
		return EX_USAGE;
	(void)signal(SIGPIPE, SIG_IGN); /* a store that went away is an error of a write, no more */
	log_init("hf-recorder", LOG_LVL_INFO);
	if (s.print) {
		conf_print(&text, settings, NULL);
		fwrite(text.data, 1, text.len, stdout);
		buf_done(&text);
		return 0;
	}
	(void)umask(0007);
	if (s.verify != NULL)
		return crypt_init(&err) != 0 ? EX_OSERR : run_verify(&s);
	if (crypt_init(&err) != 0 || load(&s, &err) != 0) {
		log_error("recorder.start", "cause=\"%s\"", err.text);
		return EX_CONFIG;
	}
	rc = s.check ? 0 : run(&s);
	conf_destroy(s.conf);
	crypt_wipe(s.sign_sk, sizeof(s.sign_sk));
	return rc;
}
