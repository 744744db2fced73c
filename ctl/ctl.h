/* ctl.h - what all verbs of hfctl share: the installation, the campaign, how to answer.
 *
 * A verb is a function of ctl and its own arguments. It prints data on stdout and nothing else there;
 * a failure is returned as err and main says it on stderr with the fitting exit code. */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stdbool.h>

#include "base/err.h"
#include "base/pg.h"
#include "base/rds.h"
#include "proto/call.h"
#include "proto/frame.h"
#include "workers/link/home.h"

/* Exit codes beyond those of sysexits: the check found something. */
#define EXIT_FOUND 1

struct ctl {
	struct home home;
	name_t campaign;    /* after ctl_campaign */
	const char *wanted; /* --campaign, borrowed, or NULL */
	const char *as;     /* --as, borrowed, or NULL */
	bool json;
	bool read_only;         /* as the store's user that may only look */
	struct rds_sync *redis; /* opened by ctl_redis, owned */
	struct pg *pg;          /* opened by ctl_pg, owned */
};

/* An answer of 0 is exit 0, EXIT_FOUND exit 1, another positive number that exit code; -1 is err. */
typedef int verb_fn(struct ctl *c, int argc, char **argv, struct err *err);
struct verb {
	const char *noun, *verb; /* verb NULL: the noun alone ("why") */
	verb_fn *run;
	const char *usage; /* after noun and verb */
	const char *doc;   /* one line, for the list of --help */
};

/* Tables of the cmd_*.c files, in the order of --help; each ended by a row without noun. */
/* clang-format off */
#define CTL_VERBS(X) \
	X(campaign) \
	X(people) \
	X(pin) \
	X(roster) \
	X(arrivals) \
	X(records) \
	X(admitted) \
	X(ruling) \
	X(pass) \
	X(finding) \
	X(case) \
	X(strike) \
	X(move) \
	X(late) \
	X(question) \
	X(notice) \
	X(service) \
	X(absence) \
	X(hours) \
	X(queue) \
	X(pause) \
	X(holidays) \
	X(policy) \
	X(spotcheck) \
	X(flags) \
	X(number) \
	X(wanted) \
	X(top) \
	X(evidence) \
	X(pay_close) \
	X(figures) \
	X(reconcile) \
	X(export) \
	X(recover) \
	X(system)
/* clang-format on */
#define CTL_VERBS_EXTERN(name) extern const struct verb verbs_##name[];
CTL_VERBS(CTL_VERBS_EXTERN)

int ctl_redis(struct ctl *c, const char *user, struct err *err);
int ctl_campaign(struct ctl *c, struct err *err); /* opens Redis as admin if need be */
int ctl_pg(struct ctl *c, const char *user, struct err *err);
/* One command to Redis given as words (binary-safe through spans). Error replies are failures here. */
int ctl_cmd(struct ctl *c, const struct span *argv, size_t n, const struct rds_reply **ret,
    struct err *err);
/* Sends a built batch; the reply is [mode, epoch, opseq, logno, entries…]. */
/* n commands of argc words each at once; all replies are the caller's, and none is an error. */
int ctl_cmd_many(struct ctl *c, const struct span *argv, size_t argc, size_t n,
    const struct rds_reply **ret, struct err *err);
int ctl_fcall(struct ctl *c, struct call *call, const struct rds_reply **ret, struct err *err);
int ctl_load_library(struct ctl *c, struct err *err); /* the queue's functions into Redis */
/* ERR_INVALID "usage: hfctl …" */
int ctl_usage(struct err *err, const struct verb *table, const char *noun, const char *verb);
/* Becomes hf-reconcile with this verb and these words; comes back only when that cannot be run. */
int ctl_become(struct ctl *c, const char *verb, int argc, char **argv, struct err *err);
/* Where installed data files are: HF_SHARE, else ../share beside the program. Returns out. */
char *ctl_share(char *out, size_t size, const char *name);

/* A long option of a verb: --name VALUE or --name=VALUE. Takes it out of argv and answers its value,
 * NULL when it is not there. A flag (has_value false) answers "". */
const char *opt_take(int *argc, char **argv, const char *name, bool has_value);
/* After all opt_take: an argument that begins with -- is unknown. */
int opt_none_left(int argc, char **argv, struct err *err);

#endif
