/* lawview.h - what the law remembers of cases, asked of hf-router --law: hfctl itself knows no rule. */
#ifndef CTL_LAWVIEW_H
#define CTL_LAWVIEW_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

/* Memories in the order of *ret's objects; one that does not read is null. The caller frees *ret. */
int lawview(const struct span *blobs, size_t n, json_t **ret, struct err *err);
/* What became of a number, in Chinese ("" for a new one), or the word itself. */
const char *lawview_number(const char *state);
/* An instant of the memory, 0 when there is none. */
int64_t lawview_time(const json_t *law, const char *key);

#endif
