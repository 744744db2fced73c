/* weekly_html.h - the weekly sheet as pages of A4 to print and sign: one of all teams, then one a team. Pure. */
#ifndef RECONCILIATION_WEEKLY_HTML_H
#define RECONCILIATION_WEEKLY_HTML_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"

/* report: what export_show says of "weekly". team: that team's page alone, NULL: all. HTML with its style inside, no
 * script, nothing from elsewhere, every text escaped. false: there is no such team. */
bool weekly_html(struct buf *out, const json_t *report, const char *team);

#endif
