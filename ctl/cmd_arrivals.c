/* cmd_arrivals.c - arrivals import, payments import: which list, in which words; lists.c does it.
 *
 * Happy path and failures: those of lists.c. */
#include "ctl/lists.h"

static int
arrivals_import(struct ctl *c, int argc, char **argv, struct err *err)
{
	return lists_import(c, &list_arrivals, argc, argv, verbs_arrivals, err);
}

static int
payments_import(struct ctl *c, int argc, char **argv, struct err *err)
{
	return lists_import(c, &list_payments, argc, argv, verbs_arrivals, err);
}

const struct verb verbs_arrivals[] = {
    {"arrivals", "import", arrivals_import, "FILE [--dry-run] [--partial]",
        "导入报到名单 (考生号, 报到或报到时间), 更正就再导入一次"},
    {"payments", "import", payments_import, "FILE [--dry-run] [--partial]",
        "导入缴费名单 (考生号, 缴费或缴费时间), 更正就再导入一次"},
    {NULL, NULL, NULL, NULL, NULL},
};
