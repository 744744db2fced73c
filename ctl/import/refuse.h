/* refuse.h - why a file as a whole cannot be used: a code for programs, a Chinese text for people.
 *
 * Functions that read the file take a `struct refusal *` last and return 0 or -1, like struct err
 * elsewhere; the difference is that this text is shown to the person who brought the file. It says
 * what is wrong and how to mend it and never quotes a cell. */
#ifndef CTL_IMPORT_REFUSE_H
#define CTL_IMPORT_REFUSE_H

#define REFUSE_TABLE(X)                                                                            \
	X(REFUSE_NONE, "none")                                                                     \
	X(REFUSE_NO_FILE, "no-such-file")                                                          \
	X(REFUSE_IO, "io")                                                                         \
	X(REFUSE_FORMAT, "unknown-format")                                                         \
	X(REFUSE_OLD_EXCEL, "old-excel")                                                           \
	X(REFUSE_ENCODING, "bad-encoding")                                                         \
	X(REFUSE_DAMAGED, "damaged")                                                               \
	X(REFUSE_UNSAFE, "unsafe")                                                                 \
	X(REFUSE_EXTERNAL, "external-link")                                                        \
	X(REFUSE_BOMB, "zip-bomb")                                                                 \
	X(REFUSE_TOO_BIG, "too-big")                                                               \
	X(REFUSE_COLUMNS, "too-many-columns")                                                      \
	X(REFUSE_ROWS, "too-many-rows")                                                            \
	X(REFUSE_ROW_SIZE, "row-too-long")                                                         \
	X(REFUSE_QUOTES, "bad-quotes")                                                             \
	X(REFUSE_EMPTY, "no-rows")                                                                 \
	X(REFUSE_MISSING, "missing-column")                                                        \
	X(REFUSE_TWICE, "duplicate-header")                                                        \
	X(REFUSE_CHANGED, "file-changed")                                                          \
	X(REFUSE_TIME, "too-slow")                                                                 \
	X(REFUSE_CRASH, "helper-died")

enum refuse_code {
#define REFUSE_ENUM(code, word) code,
	REFUSE_TABLE(REFUSE_ENUM)
#undef REFUSE_ENUM
};

struct refusal {
	enum refuse_code code;
	char text[480];
};

#define REFUSAL_INIT                                                                               \
	{                                                                                          \
		REFUSE_NONE, ""                                                                    \
	}

/* Returns -1. The first reason stays: what follows is usually its echo. */
int refuse(struct refusal *no, enum refuse_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
const char *refuse_word(enum refuse_code code);

#endif
