/* statements.h - the SQL of a batch, by name. */
#ifndef RECORDER_STATEMENTS_H
#define RECORDER_STATEMENTS_H

#include "base/pg.h"

#define STMT_LEDGER       "ledger"
#define STMT_QUARANTINE   "quarantine"
#define STMT_EQUIVOCATION "equivocation"
#define STMT_BOX_NEW      "box_new"
#define STMT_BOX          "box"
#define STMT_CASE         "case"
#define STMT_LEASE        "lease"
#define STMT_AGENT        "agent"
#define STMT_PERSON       "person"
#define STMT_EPOCH        "epoch"
#define STMT_CURSOR_NEW   "cursor_new"
#define STMT_CURSOR       "cursor"
#define STMT_COUNT        "count"
#define STMT_KEPT         "kept"
#define STMT_INDEX        "index"

int statements_prepare(struct pg *pg, struct err *err);

#endif
