/* xml.h - XML as a stream of events; the one wrapper of libxml2.
 *
 * Document types, entities of the document's own and encodings other than UTF-8 are refused. Names
 * come without their prefix. Text of any length comes in pieces, so memory does not grow with it. */
#ifndef CTL_IMPORT_XML_H
#define CTL_IMPORT_XML_H

#include "base/buf.h"
#include "ctl/import/pack.h"

struct xml_tag {
	const char *name;
	int n;             /* attributes */
	const void *attrs; /* libxml2's */
};

/* Each returns 0, or -1 with the refusal filled in: parsing stops. NULL: not interested. */
struct xml_events {
	int (*open)(void *arg, const struct xml_tag *tag, struct refusal *no);
	int (*close)(void *arg, const char *name, struct refusal *no);
	int (*text)(void *arg, struct span text, struct refusal *no);
};

void xml_prepare(void); /* once, before the sandbox */
void xml_cleanup(void); /* for leak checkers */
/* Parses the whole entry. */
int xml_parse(
    struct pack *p, int index, const struct xml_events *events, void *arg, struct refusal *no);
/* True if the tag has the attribute; the value is borrowed until the event returns. */
bool xml_attr(const struct xml_tag *tag, const char *name, struct span *ret);

#endif
