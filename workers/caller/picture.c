/* picture.c - a photo or paper that a record names, for who signs or reads that record.
 *
 * Happy path: the archive of this server has it, the person was shown the case, so the desk has its key; the answer is the
 * plain bytes, kept by no cache. Each look is in the log. Failures: no installation on this machine (503), not archived
 * yet or no such file (404), a case that was not shown (403), a file that does not open (410: altered or shredded). */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypt.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "workers/caller/office_int.h"
#include "workers/link/evidence.h"
#include "workers/link/home.h"

#define SEALED_MAX ((size_t)EVIDENCE_PLAIN_MAX + 40)

static const char *
type_text(struct span plain)
{
	const char *type = evidence_type(plain);

	return type == NULL               ? "application/octet-stream"
	       : strcmp(type, "jpg") == 0 ? "image/jpeg"
	       : strcmp(type, "png") == 0 ? "image/png"
	                                  : "application/pdf";
}

/* The bytes are wiped by nobody once they are sent, as every page that shows a name. */
static void
show(struct room *r, const uint8_t case_id[16], const char *hash, struct span sealed,
    struct http_response *res)
{
	struct err err = ERR_INIT;

	if (desk_open_evidence(r->desk, case_id, sealed, &res->body, &err) == 0) {
		log_info(
		    "office.picture", "person=%s file=%.16s decision=\"shown\"", r->person, hash);
		res->status = 200;
		res->type = type_text(buf_span(&res->body));
		http_set_header(res, "Content-Disposition", "inline");
	} else if (err.code == ERR_NOT_FOUND) {
		pages_error(res, 403, "no-key", "先打开这个人, 再看照片");
	} else {
		pages_error(res, 410, "altered", "这份照片打不开了: 被改过, 或资料已销毁");
	}
}

void
picture_answer(struct room *r, const struct http_request *req, struct http_response *res)
{
	const char *case_hex = http_query(req, "case"), *hash = http_query(req, "hash");
	const char *dir = getenv("HF_HOME");
	uint8_t case_id[16], h[32];
	char path[PATH_MAX];
	struct buf sealed = BUF_INIT;
	struct home home;

	if (case_hex == NULL || hash == NULL ||
	    !hex_decode(case_id, sizeof(case_id), case_hex, strlen(case_hex)) ||
	    !hex_decode(h, sizeof(h), hash, strlen(hash))) {
		pages_error(res, 400, "bad-field", "case 或 hash 的值不对");
		return;
	}
	if (dir == NULL || dir[0] == '\0' || home_load(&home, NULL) != 0) {
		pages_error(res, 503, "no-home", "这台机器不是服务器, 看不到存档的照片");
		return;
	}
	(void)snprintf(path, sizeof(path), "%s/evidence/%s/%s", home.archive, r->id.campaign, hash);
	if (file_read(&sealed, path, SEALED_MAX, NULL) == 0)
		show(r, case_id, hash, buf_span(&sealed), res);
	else
		pages_error(res, 404, "not-found", "还没有归档, 过一会儿再看");
	buf_done(&sealed);
}
