/* finding.c - one list of findings, bounded by kind. Decides nothing else. */
#include "workers/reconciliation/finding.h"

#include <string.h>

static const char *
word(const json_t *f, const char *key)
{
	const char *s = json_string_value(json_object_get(f, key));

	return s != NULL ? s : "";
}

void
finding_add(json_t *list, const char *level, const char *kind, const char *case_hex,
    const char *here, const char *there)
{
	const json_t *f;
	size_t i, of_kind = 0;

	json_array_foreach(list, i, f)
	{
		of_kind += strcmp(word(f, "kind"), kind) == 0;
	}
	if (of_kind >= FINDINGS_OF_A_KIND)
		return;
	json_array_append_new(
	    list, json_pack("{s:s s:s s:s? s:s? s:s? s:b}", "level", level, "kind", kind, "case",
	              case_hex, "here", here, "there", there, "mended", 0));
}

json_t *
finding_both(const json_t *a, const json_t *b)
{
	json_t *both = json_array(), *f;
	const json_t *g;
	size_t i, k;

	json_array_foreach((json_t *)(uintptr_t)a, i, f)
	{
		json_array_foreach(b, k, g)
		{
			if (json_equal(f, g)) {
				json_array_append(both, f);
				break;
			}
		}
	}
	return both;
}
