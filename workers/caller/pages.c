/* pages.c - the office over HTTP: which path does what, and who may.
 *
 * Happy path: a static file, or a seat's request for its own room. Failures: no seat is 401, a wrong CSRF
 * token or a request from another site 403, a body that is no JSON 415; what is no path 404. The rest
 * (sizes, methods, times) base/http has refused already. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "workers/caller/office_int.h"

#define FILE_MAX ((size_t)4 << 20)

/* ---- answers ------------------------------------------------------------------------------------- */

void
pages_json(struct http_response *res, int status, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	CHECK(text != NULL);
	res->status = status;
	res->type = "application/json; charset=utf-8";
	buf_adds(&res->body, text);
	crypt_wipe(text, strlen(text));
	free(text);
	json_decref(o);
}

void
pages_error(struct http_response *res, int status, const char *code, const char *text)
{
	pages_json(res, status, json_pack("{s:{s:s,s:s}}", "error", "code", code, "text", text));
}

/* ---- files --------------------------------------------------------------------------------------- */

static const char no_front[] =
    "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>回访</title>"
    "<h1>回访页面还没有装上</h1>"
    "<p>服务已经在运行, 但没有找到页面文件 share/office/index.html。</p>"
    "<p>请管理员在源码目录执行 <code>make</code> 生成页面 (需要 npm), 然后刷新本页; "
    "或用 <code>make install</code> 安装。</p></html>\n";

static const struct {
	const char *end, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
};

static const char *
type_of(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		size_t end = strlen(types[i].end);

		if (len > end && strcmp(name + len - end, types[i].end) == 0)
			return types[i].type;
	}
	return NULL;
}

static void
file_page(const char *path, struct http_response *res)
{
	const char *name = strcmp(path, "/") == 0        ? "index.html"
	                   : strcmp(path, "/board") == 0 ? "board.html"
	                                                 : path + 1;
	const char *type = type_of(name);
	char share[80], file[4096];

	if (type == NULL || name[0] == '.' || strlen(name) > 64 ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
	        strlen(name))
		return;
	(void)snprintf(share, sizeof(share), "office/%s", name);
	http_set_header(res, "Cache-Control", "no-cache");
	res->type = type;
	if (file_share(file, sizeof(file), share, NULL) == 0 &&
	    file_read(&res->body, file, FILE_MAX, NULL) == 0) {
		res->status = 200;
	} else if (strcmp(path, "/") == 0) {
		res->status = 200;
		buf_adds(&res->body, no_front);
	} else {
		res->type = "text/plain; charset=utf-8";
	}
}

/* ---- commands ------------------------------------------------------------------------------------ */

static void
do_command(struct seat *s, const struct http_request *req, struct http_response *res)
{
	struct http_later *later;
	struct http_response none = {.status = 202};

	(void)res;
	later = http_later(req);
	if (desk_do(s->room->desk, (const char *)req->body.data, req->body.len, later))
		return; /* answered, or at the commit */
	pages_json(&none, 202, json_object());
	http_answer(later, &none);
}

static void
evidence(struct seat *s, const struct http_request *req, struct http_response *res)
{
	const char *hex = http_query(req, "case");
	uint8_t case_id[16];

	if (hex == NULL || !hex_decode(case_id, sizeof(case_id), hex, strlen(hex)))
		pages_error(res, 400, "bad-field", "case 的值不对");
	else
		(void)desk_evidence(s->room->desk, case_id, req->body, http_later(req));
}

static void
picture(struct seat *s, const struct http_request *req, struct http_response *res)
{
	picture_answer(s->room, req, res);
}

static void
logout(struct seat *s, const struct http_request *req, struct http_response *res)
{
	struct room *r = s->room;

	(void)req;
	seat_end(s);
	if (r->left_us != 0)
		room_leave(r, "leave");
	http_set_header(
	    res, "Set-Cookie", "hf_session=; Max-Age=0; HttpOnly; SameSite=Strict; Path=/");
	pages_json(res, 200, json_object());
}

static void
me(struct seat *s, const struct http_request *req, struct http_response *res)
{
	(void)req;
	pages_json(res, 200, door_person(s->room, s));
}

static void
people(struct seat *s, const struct http_request *req, struct http_response *res)
{
	(void)req;
	pages_json(res, 200, door_people(s->room->office));
}

static void
events(struct seat *s, const struct http_request *req, struct http_response *res)
{
	http_set_header(res, "X-Accel-Buffering", "no"); /* nginx: pass it on as it comes */
	room_watch(s->room, s, req);
}

static void
own(struct seat *s, const struct http_request *req, struct http_response *res)
{
	views_own(s->room, req, res);
}

static void
list(struct seat *s, const struct http_request *req, struct http_response *res)
{
	views_list(s->room, req, res);
}

static void
phone(struct seat *s, const struct http_request *req, struct http_response *res)
{
	phone_ticket(s->room, req, res);
}

static void
reset_pin(struct seat *s, const struct http_request *req, struct http_response *res)
{
	resets_ask(s->room, req, res);
}

static void
spot_check(struct seat *s, const struct http_request *req, struct http_response *res)
{
	draws_ask(s->room, req, res);
}

static void
import_file(struct seat *s, const struct http_request *req, struct http_response *res)
{
	imports_upload(s->room, req, res);
}

static void
import_state(struct seat *s, const struct http_request *req, struct http_response *res)
{
	(void)req;
	imports_state(s->room, res);
}

static void
import_go(struct seat *s, const struct http_request *req, struct http_response *res)
{
	imports_go(s->room, req, res);
}

static void
import_drop(struct seat *s, const struct http_request *req, struct http_response *res)
{
	(void)req;
	imports_drop(s->room, res);
}

static void
report(struct seat *s, const struct http_request *req, struct http_response *res)
{
	reports_answer(s->room, req, res);
}

static void
report_names(struct seat *s, const struct http_request *req, struct http_response *res)
{
	(void)req;
	reports_list(s->room, res);
}

static void
drafts(struct seat *s, const struct http_request *req, struct http_response *res)
{
	char hex[65];
	struct err err = ERR_INIT;

	(void)req;
	if (draft_key(s->room, hex, &err) != 0) {
		log_error("draft.key", "why=\"%s\"", err.text);
		pages_error(res, 503, "no-disk", "服务器存不下草稿的钥匙, 请找管理员");
		return;
	}
	pages_json(res, 200, json_pack("{s:s}", "key", hex));
	crypt_wipe(hex, sizeof(hex));
}

static void
campaign(struct seat *s, const struct http_request *req, struct http_response *res)
{
	views_campaign(s->room, req, res);
}

static const struct {
	const char *path; /* with a / at its end: all below it */
	bool post, bytes; /* bytes: the body is a file */
	bool by_hand;     /* not what a page asks for by itself */
	void (*run)(struct seat *s, const struct http_request *req, struct http_response *res);
} paths[] = {
    {"/api/do", true, false, true, do_command},
    {OFFICE_EVIDENCE, true, true, true, evidence},
    {OFFICE_EVIDENCE, false, false, false, picture},
    {"/api/phone-ticket", true, false, true, phone},
    {"/api/reset-pin", true, false, true, reset_pin},
    {"/api/draw", true, false, true, spot_check},
    {OFFICE_IMPORT, true, true, true, import_file},
    {OFFICE_IMPORT "/go", true, false, true, import_go},
    {OFFICE_IMPORT "/drop", true, false, true, import_drop},
    {OFFICE_IMPORT, false, false, false, import_state},
    {"/api/logout", true, false, true, logout},
    {"/api/me", false, false, true, me},
    {"/api/people", false, false, false, people},
    {"/api/events", false, false, false, events},
    {"/api/own", false, false, false, own},
    {OFFICE_LIST, false, false, false, list},
    {OFFICE_REPORT, false, false, false, report},
    {"/api/reports", false, false, false, report_names},
    {"/api/campaign", false, false, false, campaign},
    {"/api/draft-key", false, false, false, drafts},
};

static bool
is_path(const char *row, const char *path)
{
	size_t len = strlen(row);

	return row[len - 1] == '/' ? strncmp(path, row, len) == 0 : strcmp(path, row) == 0;
}

/* A browser says so when another site makes it ask. */
static bool
is_foreign(const struct http_request *req)
{
	const char *site = http_header(req, "Sec-Fetch-Site");

	return site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
}

static bool
is_json(const struct http_request *req)
{
	const char *type = http_header(req, "Content-Type");

	return type != NULL && strncmp(type, "application/json", 16) == 0 &&
	       (type[16] == '\0' || type[16] == ';' || type[16] == ' ');
}

/* Does it come from our own page? */
static bool
is_ours(const struct http_request *req, bool wants_json, struct http_response *res)
{
	if (is_foreign(req)) {
		pages_error(res, 403, "csrf", "请从本页面操作");
		return false;
	}
	if (wants_json && !is_json(req)) {
		pages_error(res, 415, "bad-json", "要 Content-Type: application/json");
		return false;
	}
	return true;
}

/* Nobody sends us megabytes before we know who it is. */
int
pages_admit(void *arg, const struct http_request *req)
{
	struct office *o = arg;
	const struct seat *s;

	if (o->ended)
		return 503;
	if (strncmp(req->path, OFFICE_PHOTO, strlen(OFFICE_PHOTO)) == 0)
		return is_foreign(req) ? 403 : phone_admit(o, req);
	s = seat_of(o, req, true);
	if (s == NULL)
		return 401;
	return is_foreign(req) || !seat_proves(s, req) ? 403 : 0;
}

static void
api(struct office *o, const struct http_request *req, struct http_response *res)
{
	bool post = strcmp(req->method, "POST") == 0;
	struct seat *s;

	if (post && strcmp(req->path, "/api/login") == 0) {
		if (is_ours(req, true, res))
			door_login(o, req, res);
		return;
	}
	if (post && strncmp(req->path, OFFICE_PHOTO, strlen(OFFICE_PHOTO)) == 0) {
		if (is_ours(req, false, res))
			phone_photo(o, req, res);
		return;
	}
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (!is_path(paths[i].path, req->path) || post != paths[i].post)
			continue;
		if (!is_ours(req, post && !paths[i].bytes && req->body.len > 0, res))
			return;
		s = seat_of(o, req, paths[i].by_hand);
		if (s == NULL)
			pages_error(res, 401, "login", "请先登录");
		else if (post && !seat_proves(s, req))
			pages_error(res, 403, "csrf", "页面已过期, 请刷新");
		else
			paths[i].run(s, req, res);
		return;
	}
	pages_error(res, 404, "not-found", "没有这个地址");
}

void
pages_answer(void *arg, const struct http_request *req, struct http_response *res)
{
	struct office *o = arg;

	if (o->ended)
		pages_error(res, 503, "busy", "服务器正在关闭, 请稍后刷新");
	else if (strncmp(req->path, "/api/", 5) == 0)
		api(o, req, res);
	else if (strcmp(req->method, "GET") == 0 &&
	         strncmp(req->path, OFFICE_PHONE, strlen(OFFICE_PHONE)) == 0)
		phone_page(o, req, res);
	else if (strcmp(req->method, "GET") == 0)
		file_page(req->path, res);
}
