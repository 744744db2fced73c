/* fetch_post.c - libcurl's multi interface on our loop: its sockets are loop_io, its one timer a loop_timer.
 *
 * Happy path: a POST is added, curl asks for its sockets to be watched, an answer comes, done is told. Failures: every
 * one is told as an answer without a status; nothing is retried here. Bodies may name people: they are wiped. */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/fetch.h"

#define CONNECT_MS 5000L

struct fetcher {
	struct loop *loop;
	struct loop_timer *timer;
	CURLM *multi;
	struct post *posts;
};

struct post {
	struct fetcher *f;
	struct post *prev, *next;
	CURL *curl;
	struct curl_slist *headers;
	struct buf body, answer;
	size_t max;
	fetch_done_fn *done;
	void *arg;
};

struct watched {
	struct fetcher *f;
	curl_socket_t fd;
	struct loop_io *io;
};

bool
fetch_is_safe(const char *url)
{
	static const char *const local[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};

	if (strncasecmp(url, "https://", 8) == 0)
		return true;
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		size_t n = strlen(local[i]);

		/* No user part behind it: http://127.0.0.1@elsewhere is elsewhere. */
		if (strncasecmp(url, local[i], n) == 0 && strchr(url, '@') == NULL &&
		    (url[n] == ':' || url[n] == '/' || url[n] == '\0'))
			return true;
	}
	return false;
}

static void
drop(struct post *p)
{
	if (p->prev != NULL)
		p->prev->next = p->next;
	else
		p->f->posts = p->next;
	if (p->next != NULL)
		p->next->prev = p->prev;
	(void)curl_multi_remove_handle(p->f->multi, p->curl);
	curl_easy_cleanup(p->curl);
	curl_slist_free_all(p->headers);
	if (p->body.data != NULL)
		crypt_wipe(p->body.data, p->body.cap);
	buf_done(&p->body);
	buf_done(&p->answer);
	free(p);
}

static const char *
words_of(CURLcode rc)
{
	switch (rc) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_GOT_NOTHING: return "nobody answers";
	case CURLE_OPERATION_TIMEDOUT: return "no answer in time";
	case CURLE_WRITE_ERROR: return "the answer is too long";
	default: return curl_easy_strerror(rc);
	}
}

/* What has ended is told; done may post again. */
static void
tell_ended(struct fetcher *f)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(f->multi, &left)) != NULL) {
		struct fetch_answer a = {0, {NULL, 0}, ""};
		struct post *p = NULL;
		CURLcode rc = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&p);
		if (rc == CURLE_OK)
			(void)curl_easy_getinfo(m->easy_handle, CURLINFO_RESPONSE_CODE, &a.status);
		else
			a.why = words_of(rc);
		a.body = buf_span(&p->answer);
		p->done(p->arg, &a);
		drop(p);
	}
}

static void
act(struct fetcher *f, curl_socket_t fd, int events)
{
	int running;

	(void)curl_multi_socket_action(f->multi, fd, events, &running);
	tell_ended(f);
}

static void
on_io(void *arg, int events)
{
	struct watched *w = arg;

	act(w->f, w->fd,
	    ((events & LOOP_READ) != 0 ? CURL_CSELECT_IN : 0) |
	        ((events & LOOP_WRITE) != 0 ? CURL_CSELECT_OUT : 0));
}

static void
on_timer(void *arg)
{
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* curl's wishes about one socket. */
static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct fetcher *f = arg;
	struct watched *w = known;
	int events =
	    (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w != NULL) {
			loop_io_destroy(w->io);
			loop_bury(f->loop, free, w); /* we may be in its callback */
		}
		(void)curl_multi_assign(f->multi, fd, NULL);
		return 0;
	}
	if (w == NULL) {
		w = xcalloc(1, sizeof(*w));
		w->f = f;
		w->fd = fd;
		w->io = loop_io_create(f->loop, fd, events, on_io, w);
		(void)curl_multi_assign(f->multi, fd, w);
	} else {
		loop_io_set(w->io, events);
	}
	return 0;
}

static int
on_deadline(CURLM *multi, long ms, void *arg)
{
	struct fetcher *f = arg;

	(void)multi;
	if (ms < 0)
		loop_timer_stop(f->timer);
	else
		loop_timer_after(f->timer, ms * 1000);
	return 0;
}

static size_t
take(char *data, size_t one, size_t n, void *arg)
{
	struct post *p = arg;

	n *= one;
	if (p->answer.len + n > p->max)
		return 0; /* curl ends with CURLE_WRITE_ERROR */
	buf_add(&p->answer, data, n);
	return n;
}

struct fetcher *
fetcher_create(struct loop *l)
{
	struct fetcher *f = xcalloc(1, sizeof(*f));

	f->loop = l;
	f->timer = loop_timer_create(l, on_timer, f);
	f->multi = curl_multi_init();
	CHECK(f->multi != NULL);
	(void)curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f);
	(void)curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, on_deadline);
	(void)curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
	return f;
}

void
fetcher_destroy(struct fetcher *f)
{
	if (f == NULL)
		return;
	for (struct post *p = f->posts, *next; p != NULL; p = next) {
		struct fetch_answer a = {0, {NULL, 0}, "given up"};

		next = p->next;
		p->done(p->arg, &a);
		drop(p);
	}
	(void)curl_multi_cleanup(f->multi);
	loop_timer_destroy(f->timer);
	free(f);
}

static void
settle(struct post *p, const struct fetch_post *want)
{
	CURL *curl = p->curl;

	(void)curl_easy_setopt(curl, CURLOPT_URL, want->url);
	(void)curl_easy_setopt(curl, CURLOPT_PRIVATE, p);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	if (want->ca[0] != '\0') {
		(void)curl_easy_setopt(curl, CURLOPT_CAINFO, want->ca);
		(void)curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
	(void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, want->timeout_ms);
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, p->headers);
	(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)p->body.data);
	(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)p->body.len);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, p);
}

void
fetcher_post(struct fetcher *f, const struct fetch_post *want)
{
	struct post *p = xcalloc(1, sizeof(*p));

	CHECK(fetch_is_safe(want->url));
	p->f = f;
	p->max = want->max;
	p->done = want->done;
	p->arg = want->arg;
	buf_add(&p->body, want->body.data, want->body.len);
	for (size_t i = 0; want->headers[i] != NULL; i++)
		p->headers = curl_slist_append(p->headers, want->headers[i]);
	p->curl = curl_easy_init();
	CHECK(p->curl != NULL);
	settle(p, want);
	p->next = f->posts;
	if (f->posts != NULL)
		f->posts->prev = p;
	f->posts = p;
	CHECK(curl_multi_add_handle(f->multi, p->curl) == CURLM_OK);
}
