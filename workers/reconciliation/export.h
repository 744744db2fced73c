/* export.h - one export: what it may show, its files, its manifest, its row in export_log. */
#ifndef RECONCILIATION_EXPORT_H
#define RECONCILIATION_EXPORT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/map.h"
#include "base/pg.h"
#include "workers/link/home.h"
#include "workers/reconciliation/page.h"
#include "workers/reconciliation/readings.h"

struct export
{
	const struct home *home;
	struct pg *pg;
	const char *campaign, *kind, *dir;
	enum page_format format;
	const char *person, *day, *purpose; /* NULL when not given */
	bool unmasked;
	int64_t as_of; /* ledger number; -1: the newest */
	struct readings rules;

	/* filled by the frame */
	int64_t head_no, ledger_no;   /* the newest row, the row that is shown */
	int64_t as_of_wall, as_of_at; /* its wall and campaign time, ms; 1 when there is none */
	int64_t as_of_until; /* campaign ms: states that changed later belong to a later row */
	int64_t log_epoch, log_no;  /* its place in the log */
	char first[33], second[33]; /* who approved, "" nobody */
	struct map *names, *keys;   /* case -> struct name_of, case -> key; NULL until names_load */
	json_t *files;
	int64_t rows;
	json_t *shown; /* of a report: its page and its text go here instead of into files */
};

/* Writes a kind's files into x->dir; the frame does the rest. */
typedef int export_fn(struct export *x, struct err *err);
export_fn export_ledger, export_personal, export_audit, export_pay, export_daily, export_weekly,
    export_admission, export_withdrawals;

/* Writes the page in x->format (or this one) and lists it. */
int export_page(struct export *x, const struct page *p, struct err *err);
int export_page_as(
    struct export *x, const struct page *p, enum page_format format, struct err *err);
/* A file beside the sheets, as it is. */
int export_text(struct export *x, const char *name, struct span text, struct err *err);
/* Two persons, the same purpose, not older than a day: RULING export-<kind>. */
int export_approved(struct export *x, struct err *err);

/* All of it. 0, 1 (not handed out: what was said on stderr must be mended first), or -1. */
int export_run(struct export *x, struct err *err);
/* A kind that holds figures only (daily, weekly), shown instead of written: {"kind", "title", "note", "columns", "rows"
 * of objects, "text" to paste, "ledger_no", "as_of"}; nothing of it is noted, since nothing leaves. */
int export_show(struct export *x, json_t **ret, struct err *err);

/* `hf-reconcile export …` and `hf-reconcile verify …` with all their words. Answers the exit code. */
int export_main(int argc, char **argv);

/* ---- names ---- */

struct name_of {
	char no[40], name[100], major[200], phone[40];
};
/* Opens every task of the campaign with the keys of the key store. */
int names_load(struct export *x, struct err *err);
void names_drop(struct export *x); /* wipes */
/* The case's, masked unless the export is not; never NULL. out is filled. */
const struct name_of *names_get(
    const struct export *x, const struct pg_result *r, int row, int col, struct name_of *out);
/* The evidence of this hash (hex), opened with the case's key, from beside the archive. ERR_NOT_FOUND: it is not there
 * (yet). */
int names_evidence(const struct export *x, const struct pg_result *r, int row, int col,
    struct span hash_hex, struct buf *out, struct err *err);
/* The text of a record without a case (campaign's key), into out; false when it does not open. */
bool names_campaign_text(const struct export *x, const uint8_t ob[16], uint64_t seq,
    struct span sealed, struct buf *out);

/* ---- words ---- */

const char *zh_outcome(struct span code); /* the code itself is kept by the caller when NULL */
const char *zh_channel(struct span code);
const char *zh_spoke(struct span code);
const char *zh_kind(int64_t kind);

#endif
