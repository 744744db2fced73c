/* The life of a batch: room, entries in order, signatures, end.
 *
 * Happy path: fold each entry (fold.c), then let the newest signatures vouch for the rows (vouch.c).
 * Failures: an entry that is not understood is noted whole; a hole in the log is an error. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "workers/recorder/batch.h"
#include "workers/recorder/fold.h"
#include "workers/recorder/vouch.h"

struct batch *
batch_create(struct book *book, size_t max)
{
	struct batch *b = xcalloc(1, sizeof(*b));

	b->book = book;
	b->row = xcalloc(max, sizeof(*b->row));
	b->odd = xcalloc(max, sizeof(*b->odd));
	b->cases = xcalloc(max, sizeof(*b->cases));
	b->leases = xcalloc(max, sizeof(*b->leases));
	b->agents = xcalloc(max, sizeof(*b->agents));
	b->persons = xcalloc(max, sizeof(*b->persons));
	b->epochs = xcalloc(max, sizeof(*b->epochs));
	b->all = xcalloc(max, sizeof(*b->all));
	b->all_at = xcalloc(max, sizeof(*b->all_at));
	b->kept = xcalloc(max, sizeof(*b->kept));
	b->indexes = xcalloc(max, sizeof(*b->indexes));
	b->case_at = map_create();
	b->lease_at = map_create();
	return b;
}

void
batch_destroy(struct batch *b)
{
	if (b == NULL)
		return;
	for (struct box *box = b->touched; box != NULL; box = box->next_touched)
		box->touched = false;
	free(b->row);
	free(b->odd);
	free(b->cases);
	free(b->leases);
	free(b->agents);
	free(b->persons);
	free(b->epochs);
	free(b->all);
	free(b->all_at);
	free(b->kept);
	free(b->indexes);
	map_destroy(b->case_at, NULL);
	map_destroy(b->lease_at, NULL);
	free(b);
}

/* Ids of one epoch are dense; a new epoch begins anywhere. */
static int
advance(struct batch *b, const struct raw_entry *raw, struct log_id *ret, struct err *err)
{
	struct book *book = b->book;

	if (!log_id_parse(raw->id, ret))
		return err_set(err, ERR_CORRUPT, "a log id does not read");
	if (ret->epoch == book->cursor.epoch && ret->no != book->cursor.no + 1)
		return err_set(err, ERR_STALE,
		    "log entry %ju-%ju comes after %ju-%ju: entries are "
		    "missing",
		    (uintmax_t)ret->epoch, (uintmax_t)ret->no, (uintmax_t)book->cursor.epoch,
		    (uintmax_t)book->cursor.no);
	book->cursor = *ret;
	b->entries++;
	return 0;
}

int
batch_add(struct batch *b, const struct raw_entry *raw, struct err *err)
{
	struct log_id at;
	bool worth;
	int rc;

	if (advance(b, raw, &at, err) != 0)
		return -1;
	b->all[b->entries - 1] = raw;
	b->all_at[b->entries - 1] = at;
	rc = fold_entry(b, raw, &worth, err);
	if (rc < 0)
		return -1;
	if (rc == 0)
		b->odd[b->odds++] = (struct odd){.raw = raw, .at = at, .flaw = FLAW_ENTRY};
	b->newest = raw;
	b->worth |= worth;
	return 0;
}

void
batch_close(struct batch *b)
{
	for (struct box *box = b->touched; box != NULL; box = box->next_touched)
		if (box->rows > 0)
			vouch_box(b, box);
}

void
batch_strip(struct batch *b, unsigned drop)
{
	CHECK(b->entries == 1);
	for (size_t i = 0; i < b->rows && (drop & (DROP_FIELDS | DROP_RECORD)) != 0; i++) {
		if (b->row[i].flaw != FLAW_FRAME)
			b->row[i].flaw = FLAW_DATABASE;
		b->row[i].dropped = (drop & DROP_RECORD) != 0;
	}
	if ((drop & DROP_STATE) == 0)
		return;
	b->n_cases = b->n_leases = b->n_agents = b->n_persons = b->n_epochs = 0;
	b->n_kept = b->n_indexes = 0;
	if (b->odds == 0 && (b->rows == 0 || b->row[0].flaw == FLAW_NONE || b->row[0].again))
		b->odd[b->odds++] =
		    (struct odd){.raw = b->newest, .at = b->book->cursor, .flaw = FLAW_DATABASE};
}

const char *
flaw_text(enum flaw flaw)
{
	static const char *const texts[] = {
#define FLAW_TEXT(id, text) [id] = text,
	    FLAW_TABLE(FLAW_TEXT)
#undef FLAW_TEXT
	};

	return texts[flaw];
}

void
raw_entry_text(struct buf *out, const struct raw_entry *raw)
{
	for (size_t i = 0; i < raw->n; i++) {
		buf_addf(out, "%zu:", raw->pair[i].len);
		buf_add(out, raw->pair[i].data, raw->pair[i].len);
	}
}
