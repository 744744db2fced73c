/* err.h - one failure: its kind, and the story of how we met it.
 *
 * A function that can fail takes a `struct err *` last and returns 0 or -1. It describes the
 * failure and never logs it. Whoever turns the failure into a decision (drop, retry, exit) logs
 * it, once. A NULL err is allowed everywhere and means "the caller does not want the story".
 * The text never holds a name, a phone number, an id number or a note.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define ERR_TABLE(X)                                                                               \
	X(ERR_NONE, "no error")                                                                    \
	X(ERR_INVALID, "input is not valid")                                                       \
	X(ERR_NOT_FOUND, "no such thing")                                                          \
	X(ERR_EXISTS, "exists already")                                                            \
	X(ERR_DENIED, "not allowed")                                                               \
	X(ERR_BUSY, "cannot be done now")                                                          \
	X(ERR_GONE, "peer went away")                                                              \
	X(ERR_LATE, "deadline passed")                                                             \
	X(ERR_STALE, "newer decision exists")                                                      \
	X(ERR_FULL, "no room left")                                                                \
	X(ERR_IO, "input or output failed")                                                        \
	X(ERR_CORRUPT, "stored data is damaged")

enum err_code {
#define ERR_ENUM(code, text) code,
	ERR_TABLE(ERR_ENUM)
#undef ERR_ENUM
};

struct err {
	enum err_code code;
	char text[480]; /* "outer: inner: cause", most recent first */
};

#define ERR_INIT                                                                                   \
	{                                                                                          \
		ERR_NONE, ""                                                                       \
	}

/* All return -1, so that a caller can write `return err_set(...)`. err_sys appends strerror of
 * the errno at entry. err_wrap puts text before the story: "fmt: story". */
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int err_sys(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The static analyzer looks at one file at a time, and would follow paths on which these return 0. */
#ifdef __clang_analyzer__
#define err_set(...)  (err_set(__VA_ARGS__), -1)
#define err_sys(...)  (err_sys(__VA_ARGS__), -1)
#define err_wrap(...) (err_wrap(__VA_ARGS__), -1)
#endif

/* "input is not valid" of ERR_INVALID; never NULL. */
const char *err_code_text(enum err_code code);

#endif
