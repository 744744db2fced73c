/* cmd_top.c - hfctl top: the dashboard's picture in a terminal, anew every second.
 *
 * Happy path: ask hf-dashboard for its state, draw it, wait a second or for a key. Without a terminal, or with
 * --once, it is printed once. Failures: no dashboard answers at first: exit 69 with the address; later: the last
 * picture stays, with its age. Only looks. */
#include <jansson.h>
#include <locale.h>
#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fetch.h"
#include "ctl/ctl.h"
#include "ctl/top.h"

#define STATE_MAX  (1U << 20)
#define TIMEOUT_MS 3000
#define EVERY_MS   1000

static json_t *
look(const struct ctl *c, struct err *err)
{
	struct buf body = {.len = 0};
	char url[192];
	json_t *state = NULL;

	snprintf(url, sizeof(url), "http://%s/state", c->home.dashboard);
	if (fetch_get(&body, url, STATE_MAX, TIMEOUT_MS, err) == 0) {
		state = json_loadb((const char *)body.data, body.len, 0, NULL);
		if (state == NULL)
			(void)err_set(err, ERR_IO, "%s: the answer is not JSON", url);
	} else {
		(void)err_wrap(err, "is hf-dashboard running?");
	}
	buf_done(&body);
	return state;
}

/* Line by line, what does not fit is left out. */
static void
draw(const struct buf *text)
{
	const char *at = (const char *)text->data, *end = at + text->len;

	erase();
	for (int y = 0; y < LINES - 1 && at < end; y++) {
		size_t n = strcspn(at, "\n");

		if (strncmp(at, " !", 2) == 0 || strncmp(at, "需要处理", strlen("需要处理")) == 0)
			attron(A_BOLD);
		mvaddnstr(y, 0, at, (int)n);
		attroff(A_BOLD);
		at += n + 1;
	}
	attron(A_REVERSE);
	mvaddstr(LINES - 1, 0, " q 退出   s 按件数或按等待排序 ");
	attroff(A_REVERSE);
	refresh();
}

static void
watch(struct ctl *c, json_t *state)
{
	struct buf text = {.len = 0};
	int64_t seen = clock_boot_us();
	bool by_age = false;
	int key = 0;

	(void)initscr();
	(void)cbreak();
	(void)noecho();
	(void)curs_set(0);
	timeout(EVERY_MS);
	while (key != 'q') {
		buf_clear(&text);
		top_text(&text, state, (long)((clock_boot_us() - seen) / 1000000), by_age);
		buf_add(&text, "", 1);
		draw(&text);
		key = getch();
		by_age ^= key == 's';
		if (key == ERR) {
			json_t *newer = look(c, NULL);

			if (newer != NULL) {
				json_decref(state);
				state = newer;
				seen = clock_boot_us();
			}
		}
	}
	(void)endwin();
	json_decref(state);
	buf_done(&text);
}

static int
top(struct ctl *c, int argc, char **argv, struct err *err)
{
	bool once = opt_take(&argc, argv, "--once", false) != NULL;
	struct buf text = {.len = 0};
	json_t *state;

	if (argc != 0)
		return ctl_usage(err, verbs_top, "top", NULL);
	if (home_load(&c->home, err) != 0 || (state = look(c, err)) == NULL)
		return -1;
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	if (!once && !c->json && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
		watch(c, state);
		return 0;
	}
	if (c->json) {
		json_dumpf(state, stdout, JSON_COMPACT);
		printf("\n");
	} else {
		top_text(&text, state, -1, false);
		fwrite(text.data, 1, text.len, stdout);
	}
	buf_done(&text);
	json_decref(state);
	return 0;
}

const struct verb verbs_top[] = {
    {"top", NULL, top, "[--once]", "终端里的运行台, 每秒更新 (q 退出)"},
    {NULL, NULL, NULL, NULL, NULL},
};
