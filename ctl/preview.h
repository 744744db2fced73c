/* preview.h - a row of a roster as it may be looked at before it is imported. */
#ifndef CTL_PREVIEW_H
#define CTL_PREVIEW_H

#include <jansson.h>

/* What can be compared with the paper, masked; owned. */
json_t *preview_row(const json_t *line);

#endif
