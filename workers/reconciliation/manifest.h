/* manifest.h - what an export holds, signed: manifest.json and manifest.sig in its directory.
 *
 * manifest.json: {"format":"hf-export-1","campaign","kind","ledger_no","as_of","masked","purpose","approved_by":[…],
 * "archive":{"segment","hash","log"} or null,"files":[{"name","bytes","sha256","rows","row":["16 hex", …]}],"key"}.
 * A row is the first 8 bytes of BLAKE2b-256 over its cells, joined by 0x1f, without empty ones at the end, the header
 * counted; a file that is no sheet has no "row". manifest.sig: Ed25519 over "hf1-export" || manifest.json, in hex. */
#ifndef RECONCILIATION_MANIFEST_H
#define RECONCILIATION_MANIFEST_H

#include <jansson.h>
#include <stdio.h>

#include "base/err.h"
#include "workers/link/home.h"

#define MANIFEST_NAME "manifest.json"
#define MANIFEST_SIG  "manifest.sig"

/* Adds dir/name to the list. Sheets are read back with hf-import: what cannot be read by others is not handed out.
 * rows: how many it must have below its header (and title), -1: no sheet. */
int manifest_add(json_t *files, const char *dir, const char *name, int64_t rows, struct err *err);
/* Signs with secrets/export.key, made when missing, and writes both files. ret_sha: 65 bytes of hex. */
int manifest_write(
    const struct home *home, const char *dir, json_t *manifest, char *ret_sha, struct err *err);
/* Checks dir. key_file may be NULL: the installation's export.pub if there is one, else the manifest's own, which is
 * said. archive may be NULL: a folder of segments, or an archive with that of the campaign, which must have the
 * checkpoint. 0 good, 1 altered (out says what, and the first row), -1 cannot be read. */
int manifest_verify(
    const char *dir, const char *key_file, const char *archive, FILE *out, struct err *err);
/* The last part alone: 0 the archive has the checkpoint, 1 not, or there is none. */
int manifest_archive(const json_t *manifest, const char *dir, FILE *out);

#endif
