/* template.h - the message of a rung, filled for one case, to copy into one's own phone. */
#ifndef CALLER_TEMPLATE_H
#define CALLER_TEMPLATE_H

#include <jansson.h>

/* task: as show_task made it. Rung 1 (短信) and 2 (微信、QQ) get `template`, if the rules have a text for it. */
void template_put(json_t *task, const json_t *rules);

#endif
