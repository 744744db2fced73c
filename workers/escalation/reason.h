/* reason.h - why a case is where the law put it (proto/why.h), as an enumeration. */
#ifndef ESCALATION_REASON_H
#define ESCALATION_REASON_H

#include "proto/why.h"

#define REASON_TABLE WHY_TABLE

enum reason {
#define REASON_ENUM(id, code, text) REASON_##id,
	REASON_TABLE(REASON_ENUM)
#undef REASON_ENUM
	    REASONS
};
const char *reason_code(enum reason r);
const char *reason_text(enum reason r);

#endif
