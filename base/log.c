/* log.c - one line an event, written with one write(2), so that lines of several processes on one
 * pipe do not mix.
 *
 * For a person or a file the line opens with the time; for the journal, which stamps lines itself,
 * with "<N>". Control characters (a library's error text may hold a newline) become spaces: one
 * event is one line whatever is in it. A line too long is cut. A stderr that cannot be written is
 * nobody's failure. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const char *program_name = "hf";
static enum log_level threshold = LOG_LVL_INFO;
static bool for_journal;

void
log_init(const char *program, enum log_level level)
{
	program_name = program;
	threshold = level;
	for_journal = getenv("JOURNAL_STREAM") != NULL;
}

static const char *
level_name(enum log_level level)
{
	switch (level) {
	case LOG_LVL_ERROR: return "error";
	case LOG_LVL_WARN: return "warn";
	case LOG_LVL_INFO: return "info";
	case LOG_LVL_DEBUG: return "debug";
	}
	return "unknown";
}

static int
write_head(char *out, size_t size, enum log_level level, const char *event)
{
	struct timespec now;
	struct tm tm;
	char when[32];

	if (for_journal)
		return snprintf(out, size, "<%d>level=%s prog=%s event=%s", (int)level,
		    level_name(level), program_name, event);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &tm);
	(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	return snprintf(out, size, "ts=%s.%03ldZ level=%s prog=%s event=%s", when,
	    now.tv_nsec / 1000000, level_name(level), program_name, event);
}

/* What snprintf said, held inside [0, room). */
static size_t
clamp(int n, size_t room)
{
	if (n < 0)
		return 0;
	return (size_t)n < room ? (size_t)n : room - 1;
}

void
log_line(enum log_level level, const char *event, const char *fmt, ...)
{
	char line[4096];
	size_t room = sizeof(line) - 1, len;
	int saved = errno;
	ssize_t written;
	va_list ap;

	if (level > threshold)
		return;
	len = clamp(write_head(line, room, level, event), room);
	if (fmt[0] != '\0' && len + 1 < room) {
		line[len++] = ' ';
		va_start(ap, fmt);
		len += clamp(vsnprintf(line + len, room - len, fmt, ap), room - len);
		va_end(ap);
	}
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)line[i] < ' ' || line[i] == 127)
			line[i] = ' ';
	}
	line[len++] = '\n';
	written = write(STDERR_FILENO, line, len);
	(void)written;
	errno = saved;
}
