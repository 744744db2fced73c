/* policy_reader.h - inside of the policy reader: one line's fields, values, and problems told at once. */
#ifndef ESCALATION_POLICY_READER_H
#define ESCALATION_POLICY_READER_H

#include "workers/escalation/policy.h"

#define READER_FIELDS   16
#define READER_PROBLEMS 200
#define VALUE_MAX       120

/* One value in plain ASCII: full-width signs and the Chinese comma folded, outer blanks gone. */
struct value {
	char text[VALUE_MAX];
	bool too_long;
};

struct reader {
	struct policy *p;
	const char *file;
	int line;
	struct buf *problems; /* or NULL */
	int n_problems;
	int n_fields;
	struct span field[READER_FIELDS]; /* borrowed, trimmed */
	/* The line where each thing was set, 0 not yet. */
	int at_policy, at_offered, at_quiet, at_asked, at_office, at_calling, at_working;
	int at_registration, at_notice;
	int at_daypart[4], at_pass[4], at_setting[SETTING_COUNT], at_outcome[OUT_COUNT];
	int at_template[POLICY_TEMPLATES], at_rung[RUNG_COUNT], at_question[POLICY_QUESTIONS + 1];
};

/* "FILE:LINE: what; mend". Always false, so that a caller can write `return problem(...)`. */
bool problem(struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A thing that stands nowhere: told without a line. */
bool problem_file(struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The thing whose line is kept in *at is set here; false and a problem if it was before. */
bool reader_once(struct reader *r, int *at, const char *what);

struct value value_of(struct span field);
/* A piece of a field fit to be shown: at most 40 bytes, whole characters. */
struct value value_shown(struct span field);
/* Cuts the next word off *at (words end at any of `seps`); false at the end. */
bool value_word(const char **at, const char *seps, char *ret, size_t size);
bool value_step(const char *text, struct step *ret);
bool value_time(const char *text, int16_t *ret_minutes);
bool value_hours(const char *text, struct hours *ret);
bool value_date(const char *text, int32_t *ret_day);
bool value_days(const char *text, uint8_t *ret_bits);
bool value_int(const char *text, int32_t least, int32_t most, int32_t *ret);
/* Label for people: well-formed, no control characters, at most size - 1 bytes. */
bool value_label(struct span field, char *ret, size_t size);

/* One line each; problems are told inside. */
void read_outcome(struct reader *r);
void read_rung(struct reader *r);
void read_question(struct reader *r);
void read_setting(struct reader *r);
void read_template(struct reader *r);
/* What only the whole file can say: what is missing, what does not fit together. */
void check_policy(struct reader *r);

const char *setting_name(enum setting s);

#endif
