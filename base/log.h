/* log.h - one line an event: logfmt on stderr, "<N>" priority first when the journal reads it.
 *
 * Only programs log (main.c and on_* handlers), never library code. The event is a stable dotted
 * name; the rest are key=value pairs. Never a name, a phone number, an id number or a note.
 * WARN says what we did about it; a hint is a pair of its own: hint="…". */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_LVL_ERROR = 3, LOG_LVL_WARN = 4, LOG_LVL_INFO = 6, LOG_LVL_DEBUG = 7 };

/* program: static string for the prog= pair. Lines below `level` are dropped. */
void log_init(const char *program, enum log_level level);
void log_line(enum log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(event, ...) log_line(LOG_LVL_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...)  log_line(LOG_LVL_WARN, event, __VA_ARGS__)
#define log_info(event, ...)  log_line(LOG_LVL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) log_line(LOG_LVL_DEBUG, event, __VA_ARGS__)

#endif
