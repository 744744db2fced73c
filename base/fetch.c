/* fetch.c - one easy handle, one answer. Nothing is retried: the caller asks again when it wants to. */
#include <curl/curl.h>

#include "base/check.h"
#include "base/fetch.h"

struct sink {
	struct buf *out;
	size_t begun, max;
};

static size_t
take(char *data, size_t one, size_t n, void *arg)
{
	struct sink *s = arg;

	n *= one;
	if (s->out->len - s->begun + n > s->max)
		return 0; /* curl ends with CURLE_WRITE_ERROR */
	buf_add(s->out, data, n);
	return n;
}

static int
failed(CURLcode rc, const char *url, struct err *err)
{
	switch (rc) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_GOT_NOTHING: return err_set(err, ERR_GONE, "%s: nobody answers", url);
	case CURLE_OPERATION_TIMEDOUT: return err_set(err, ERR_LATE, "%s: no answer in time", url);
	case CURLE_WRITE_ERROR: return err_set(err, ERR_FULL, "%s: the answer is too long", url);
	default: return err_set(err, ERR_IO, "%s: %s", url, curl_easy_strerror(rc));
	}
}

int
fetch_get(struct buf *out, const char *url, size_t max, long timeout_ms, struct err *err)
{
	struct sink sink = {out, out->len, max};
	CURL *curl = curl_easy_init();
	long status = 0;
	CURLcode rc;

	CHECK(curl != NULL);
	(void)curl_easy_setopt(curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sink);
	rc = curl_easy_perform(curl);
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	if (rc != CURLE_OK)
		return failed(rc, url, err);
	if (status != 200)
		return err_set(err, ERR_IO, "%s: status %ld", url, status);
	return 0;
}
