/* Pushes an entry through libxml2's SAX2 parser.
 *
 * The push parser and not the text reader: it hands text on in pieces, so that a string of a
 * gigabyte costs time but no memory, and a million cells build no nodes. Failures: not well-formed,
 * a document type or entity (which honest sheets never have), or a refusal of the listener. */

#include "ctl/import/xml.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <string.h>

#include "base/check.h"

#define READ_BYTES 32768

struct parse {
	const struct xml_events *events;
	void *arg;
	struct refusal *no;
	xmlParserCtxtPtr ctxt;
	bool stopped;
};

static void
stop(struct parse *p)
{
	p->stopped = true;
	xmlStopParser(p->ctxt);
}

static void
on_open(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int nb_ns,
    const xmlChar **ns, int n, int n_defaulted, const xmlChar **attrs)
{
	struct parse *p = arg;
	struct xml_tag tag = {(const char *)name, n, attrs};

	(void)prefix;
	(void)uri;
	(void)nb_ns;
	(void)ns;
	(void)n_defaulted;
	if (!p->stopped && p->events->open(p->arg, &tag, p->no) != 0)
		stop(p);
}

static void
on_close(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct parse *p = arg;

	(void)prefix;
	(void)uri;
	if (!p->stopped && p->events->close != NULL &&
	    p->events->close(p->arg, (const char *)name, p->no) != 0)
		stop(p);
}

static void
on_text(void *arg, const xmlChar *text, int len)
{
	struct parse *p = arg;

	if (!p->stopped && p->events->text != NULL &&
	    p->events->text(p->arg, span_of(text, (size_t)len), p->no) != 0)
		stop(p);
}

static void
on_doctype(void *arg, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
	struct parse *p = arg;

	(void)name;
	(void)public_id;
	(void)system_id;
	refuse(p->no, REFUSE_UNSAFE,
	    "文件里有表格文件不该有的内容（DTD），没有读取；请把名单复制到新的工作簿再导入");
	stop(p);
}

static xmlEntityPtr
on_entity(void *arg, const xmlChar *name)
{
	(void)arg;
	return xmlGetPredefinedEntity(name);
}

static void
on_error(void *arg, xmlErrorPtr error)
{
	(void)arg;
	(void)error; /* libxml2 quotes the document: never shown */
}

static void
on_message(void *arg, const char *fmt, ...)
{
	(void)arg;
	(void)fmt;
}

void
xml_prepare(void)
{
	xmlInitParser();
	xmlSetGenericErrorFunc(NULL, on_message);
	xmlSetStructuredErrorFunc(NULL, on_error);
}

void
xml_cleanup(void)
{
	xmlCleanupParser();
}

static int
push(struct parse *p, struct pack_stream *in)
{
	char bytes[READ_BYTES];
	size_t n;

	do {
		if (pack_stream_read(in, bytes, sizeof(bytes), &n, p->no) != 0)
			return -1;
		xmlParseChunk(p->ctxt, bytes, (int)n, n == 0);
		if (p->stopped)
			return -1;
		if (!p->ctxt->wellFormed)
			return refuse(p->no, REFUSE_DAMAGED,
			    "表格内容损坏；请用 Excel 或 WPS 打开，另存为 .xlsx 再导入");
	} while (n > 0);
	return 0;
}

int
xml_parse(
    struct pack *pack, int index, const struct xml_events *events, void *arg, struct refusal *no)
{
	struct parse p = {.events = events, .arg = arg, .no = no};
	struct pack_stream *in;
	xmlSAXHandler sax;
	int rc;

	if (pack_stream_open(&in, pack, index, no) != 0)
		return -1;
	memset(&sax, 0, sizeof(sax));
	sax.initialized = XML_SAX2_MAGIC;
	sax.startElementNs = on_open;
	sax.endElementNs = on_close;
	sax.characters = on_text;
	sax.ignorableWhitespace = on_text;
	sax.cdataBlock = on_text;
	sax.internalSubset = on_doctype;
	sax.getEntity = on_entity;
	sax.serror = on_error;
	p.ctxt = xmlCreatePushParserCtxt(&sax, &p, NULL, 0, NULL);
	CHECK(p.ctxt != NULL);
	/* other encodings would be loaded from disk, which the sandbox forbids */
	xmlCtxtUseOptions(p.ctxt, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
	rc = push(&p, in);
	xmlFreeParserCtxt(p.ctxt);
	pack_stream_close(in);
	return rc;
}

bool
xml_attr(const struct xml_tag *tag, const char *name, struct span *ret)
{
	const xmlChar *const *a = tag->attrs;

	/* five pointers each: name, prefix, uri, value, end of value */
	for (int i = 0; i < tag->n; i++, a += 5)
		if (strcmp((const char *)a[0], name) == 0) {
			*ret = span_of(a[3], (size_t)(a[4] - a[3]));
			return true;
		}
	return false;
}
