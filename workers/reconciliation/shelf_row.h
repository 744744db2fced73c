/* shelf_row.h - a record in words: once from the archive, once from the ledger's row, the same if nothing was altered. */
#ifndef RECONCILIATION_SHELF_ROW_H
#define RECONCILIATION_SHELF_ROW_H

#include "base/buf.h"
#include "base/crypt.h"
#include "proto/call.h"
#include "proto/frame.h"

/* An SQL expression over hf.ledger's columns: every column but campaign, no and flaw, "name=value" each, NULL left out. */
void shelf_row_sql(struct buf *out);
/* BLAKE2b-256 of the same text, of what the archive holds. false: the entry's detail does not read. */
bool shelf_row_said(uint8_t out[HASH_LEN], const struct log_entry *e, const struct msg_record *r);

#endif
