/* list_say.c - the rows of a list that moves no case, as open records, and the wait until the ledger has them.
 *
 * Happy path: 28 cases a record, then a COMMIT with the number of rows. Failures: the outbox's; a recorder that does
 * not run (ERR_LATE: the records are accepted and come later). */
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypt.h"
#include "ctl/lists.h"

#define CASES_A_RECORD 28
#define WAIT_US        30000000

void
list_say_begin(struct list_say *s, struct acts *a, const char *what)
{
	*s = (struct list_say){.a = a, .what = what};
	crypt_random(s->import, sizeof(s->import));
}

int
list_say_cases(struct list_say *s, const uint8_t *cases, size_t n, bool valid, const char *subject,
    struct err *err)
{
	for (size_t from = 0; from < n; from += CASES_A_RECORD) {
		size_t k = n - from < CASES_A_RECORD ? n - from : CASES_A_RECORD;
		struct record_header h = acts_header(s->a, REC_IMPORT);

		field_set_b(&h, F_import, s->import, 16);
		field_set_s(&h, F_what, s->what);
		field_set_u(&h, F_valid, valid);
		field_set_b(&h, F_cases, cases + 16 * from, 16 * k);
		if (subject != NULL)
			field_set_s(&h, F_subject, subject);
		if (acts_add(s->a, &h, NULL, NULL, err) != 0)
			return -1;
		s->rows += k;
	}
	return 0;
}

int
list_say_commit(struct list_say *s, struct err *err)
{
	struct record_header h = acts_header(s->a, REC_COMMIT);

	field_set_b(&h, F_import, s->import, 16);
	field_set_u(&h, F_rows, s->rows);
	field_set_s(&h, F_what, s->what);
	if (acts_add(s->a, &h, NULL, NULL, err) != 0)
		return -1;
	return acts_done(s->a, err);
}

int
list_wait(struct ctl *c, const uint8_t import[16], struct err *err)
{
	struct pg_param p[2] = {pg_text(c->campaign), pg_bytes(import, 16)};
	int64_t end = clock_boot_us() + WAIT_US;
	struct pg_result *r;
	bool is_there;

	if (ctl_pg(c, "hf_read", err) != 0)
		return -1;
	for (;;) {
		if (pg_exec(c->pg, "SELECT 1 FROM hf.v_commit WHERE campaign = $1 AND import = $2",
		        p, 2, &r, err) != 0)
			return err_wrap(err, "PostgreSQL");
		is_there = pg_rows(r) > 0;
		pg_free(r);
		if (is_there)
			return 0;
		if (clock_boot_us() > end)
			return err_set(
			    err, ERR_LATE, "已受理, 但还没有入账 (hf-recorder 在运行吗?)");
		(void)poll(NULL, 0, 20);
	}
}
