/* figures.h - the rows of `hf-reconcile rates`, `ids` and `census`. */
#ifndef RECONCILIATION_FIGURES_H
#define RECONCILIATION_FIGURES_H

#include <jansson.h>

#include "base/err.h"
#include "base/pg.h"
#include "base/rds.h"
#include "workers/reconciliation/past.h"

enum figures_by { BY_CALLER, BY_TEAM, BY_CAMPAIGN, BY_STAGE };

/* {"as_of_ledger":N,"as_of":MS,"log":"epoch-no","provisional":bool,"rows":[{"who":"p01","team":"t1","cases":N,
 * "attempted":N,"attempts":N,"contacts":N,"seconds":N,"confirmed":N,"considering":N,"unreachable":N,"withdrawn":N,
 * "admitted":N,"registered":N,"rate":"93.103" or null,"missing_93":N,"missing_95":N}]}; cases nobody owns stand under
 * who "". By stage who is "2", or "2.1" for a pass of it; its cases are those that were called in it. */
/* person: of this one's cases alone, "-": of nobody's, NULL: all. past: as it stood then, and "asked" is the time that was asked for; NULL: now. */
int figures_rates(struct pg *pg, const char *campaign, enum figures_by by, const char *person,
    const struct past *past, json_t **ret, struct err *err);
/* The moment that what this transaction reads is true for: as_of_ledger, as_of, log, provisional. */
int figures_moment(
    struct pg *pg, const char *campaign, const struct past *past, json_t *out, struct err *err);

/* Whose figure: NULL is everybody; person "-" is nobody. stage "2" or "2.1". */
struct figures_of {
	const char *figure, *person, *team, *stage;
};
/* What a figure of figures_rates counts: the moment, and {"figure":F,"count":N,"cases":["hex",…]}; of attempts, contacts
 * and seconds also "records":[ledger number,…], one a case of "cases", and "total": the seconds. ERR_INVALID: no such
 * figure or stage. */
int figures_ids(struct pg *pg, const char *campaign, const struct figures_of *of,
    const struct past *past, json_t **ret, struct err *err);

/* A place in the log. */
struct case_mark {
	int64_t epoch, no;
};

/* Cases that PostgreSQL has from after `from`: looked at alone, by a run that has little to do. n of them; findings
 * gets those that are not where their state says. */
struct moved {
	struct case_mark from;
	size_t n;
	json_t *findings;
};

/* {"imported":N,"lanes":{…},"leases":N,"adds_up":true,"differences":[{"case":"…","redis":"…","postgres":"…"}],
 * "behind":N}. Differences are listed (at most 100) only when the recorder has caught up; behind = log entries
 * that it has not recorded yet. *mark: what a later look at moved cases may begin from. moved NULL: all cases. */
int figures_census(struct pg *pg, struct rds_sync *redis, const char *campaign,
    struct case_mark *mark, struct moved *moved, json_t **ret, struct err *err);

#endif
