/* policy_rows.c - the rows of a policy file that are tables: outcomes, rungs, settings, questions.
 *
 * Each column is read by itself, so that one line tells all that is wrong with it at once. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "workers/escalation/policy_reader.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Columns of an outcome line. */
enum {
	COL_CODE = 1,
	COL_LABEL,
	COL_FINAL,
	COL_GOES,
	COL_DELAYS,
	COL_THEN,
	COL_STRIKE,
	COL_NEXT,
	COL_EVIDENCE,
	COL_ATTEMPT,
	COL_CONTACT,
	COL_NUMBER
};

static const struct {
	const char *name;
	enum setting_type type;
	int32_t least, most;
} settings[SETTING_COUNT] = {
#define SETTING_COUNT_TYPE                            SETTING_COUNT_OF
#define TYPE_STEP                                     SETTING_STEP
#define TYPE_COUNT                                    SETTING_COUNT_OF
#define TYPE_SHARE                                    SETTING_SHARE
#define TYPE_YES                                      SETTING_YES
#define SETTING_ROW(id, name, type, least, most, doc) {name, TYPE_##type, least, most},
    SETTING_TABLE(SETTING_ROW)
#undef SETTING_ROW
};

static const char *const hint_words[HINT_COUNT] = {
#define WORD_ROW(id, name) name,
    HINT_TABLE(WORD_ROW)};
static const char *const evidence_words[EVIDENCE_COUNT] = {EVIDENCE_TABLE(WORD_ROW)};
#undef WORD_ROW

static const char *const question_words[POLICY_QUESTIONS + 1] = {
#define QUESTION_ROW(no, readings, doc) [no] = readings,
    QUESTION_TABLE(QUESTION_ROW)
#undef QUESTION_ROW
};

const char *
setting_name(enum setting s)
{
	return settings[s].name;
}

struct step
policy_step(const struct policy *p, enum setting s)
{
	CHECK(s < SETTING_COUNT && settings[s].type == SETTING_STEP);
	return p->set_step[s];
}

bool
policy_reads(const struct policy *p, int question, const char *word)
{
	CHECK(question >= 1 && question <= POLICY_QUESTIONS);
	return strcmp(p->question[question], word) == 0;
}

int32_t
policy_n(const struct policy *p, enum setting s)
{
	CHECK(s < SETTING_COUNT && settings[s].type != SETTING_STEP);
	return p->set_n[s];
}

void
read_setting(struct reader *r)
{
	struct value name = value_of(r->field[1]), v = value_of(r->field[2]);
	size_t len = strlen(v.text);
	int s = 0;

	while (s < SETTING_COUNT && strcmp(settings[s].name, name.text) != 0)
		s++;
	if (s == SETTING_COUNT) {
		problem(r, "没有“%s”这个设置；名称见 README", value_shown(r->field[1]).text);
		return;
	}
	if (!reader_once(r, &r->at_setting[s], "这个设置"))
		return;
	switch (settings[s].type) {
	case SETTING_STEP:
		if (!value_step(v.text, &r->p->set_step[s]))
			problem(r, "时长“%s”看不懂；写成 30min、2h、1d（拨打日）或 1wd（工作日）",
			    value_shown(r->field[2]).text);
		return;
	case SETTING_SHARE:
		if (len > 0 && v.text[len - 1] == '%')
			v.text[len - 1] = '\0';
		break;
	case SETTING_YES:
		if (strcmp(v.text, "yes") == 0 || strcmp(v.text, "no") == 0)
			r->p->set_n[s] = v.text[0] == 'y';
		else
			problem(r, "“%s”应写 yes 或 no", value_shown(r->field[2]).text);
		return;
	case SETTING_COUNT_OF: break;
	}
	if (!value_int(v.text, settings[s].least, settings[s].most, &r->p->set_n[s]))
		problem(r, "“%s”应是%d到%d的整数%s", value_shown(r->field[2]).text,
		    settings[s].least, settings[s].most,
		    settings[s].type == SETTING_SHARE ? "（百分数）" : "");
}

void
read_question(struct reader *r)
{
	struct value name = value_of(r->field[1]), v = value_of(r->field[2]);
	const char *at;
	char word[24];
	int32_t q;

	if (name.text[0] != 'Q' || !value_int(name.text + 1, 1, POLICY_QUESTIONS, &q)) {
		problem(r, "问题是 Q1 到 Q21，不是“%s”", value_shown(r->field[1]).text);
		return;
	}
	if (!reader_once(r, &r->at_question[q], "这个问题"))
		return;
	at = question_words[q];
	while (value_word(&at, " ", word, sizeof(word)))
		if (strcmp(word, v.text) == 0) {
			memcpy(r->p->question[q], word, sizeof(word));
			return;
		}
	problem(r, "Q%d 的取法“%s”不认识；可以是：%s", q, value_shown(r->field[2]).text,
	    question_words[q]);
}

void
read_rung(struct reader *r)
{
	struct value no = value_of(r->field[1]), wait = value_of(r->field[4]);
	struct rung_row *row;
	int32_t n;

	if (!value_int(no.text, 0, RUNG_COUNT - 1, &n)) {
		problem(r, "级别是0到%d，不是“%s”", RUNG_COUNT - 1, value_shown(r->field[1]).text);
		return;
	}
	if (!reader_once(r, &r->at_rung[n], "这一级"))
		return;
	row = &r->p->rungs[n];
	row->set = true;
	if (!value_label(r->field[2], row->label, sizeof(row->label)))
		problem(r, "第3栏要写这一级做什么（最多47字节）");
	if (!value_label(r->field[3], row->who, sizeof(row->who)))
		problem(r, "第4栏要写谁做（最多31字节）");
	if (!value_step(wait.text, &row->before_next))
		problem(
		    r, "时长“%s”看不懂；写成 30min、2h、1d 或 1wd", value_shown(r->field[4]).text);
}

/* The index of a word in a list, or -1. */
static int
word_in(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, words[i]) == 0)
			return (int)i;
	return -1;
}

static int
column(struct reader *r, int col, const char *const *words, size_t n, const char *what)
{
	struct value v = value_of(r->field[col]);
	int i = word_in(v.text, words, n);
	char all[200] = "";

	if (i >= 0)
		return i;
	for (size_t k = 0; k < n && strlen(all) + strlen(words[k]) + 2 < sizeof(all); k++) {
		strcat(all, k == 0 ? "" : " ");
		strcat(all, words[k]);
	}
	problem(r, "%s“%s”不认识；可以是：%s", what, value_shown(r->field[col]).text, all);
	return -1;
}

static uint32_t
column_bits(struct reader *r, int col, const char *const *words, size_t n, const char *what)
{
	struct value v = value_of(r->field[col]);
	const char *at = v.text;
	uint32_t bits = 0;
	char word[32];

	if (strcmp(v.text, "-") == 0)
		return 0;
	while (value_word(&at, " ,", word, sizeof(word))) {
		int i = word_in(word, words, n);

		if (i < 0)
			problem(r, "%s里的“%s”不认识；词表见 README", what, word);
		else
			bits |= 1u << i;
	}
	if (bits == 0)
		problem(r, "%s一栏是空的；没有就写 -", what);
	return bits;
}

static void
column_goes(struct reader *r, struct outcome_row *row)
{
	static const struct {
		const char *word;
		enum goes goes;
		bool papers;
	} rows[] = {{"own", GOES_OWN, false}, {"leader hand-up", GOES_LEADER, false},
	    {"leader papers", GOES_LEADER, true}, {"ask", GOES_ASK, false},
	    {"data error", GOES_DATA, false}, {"data papers", GOES_DATA, true},
	    {"supervision", GOES_SUPERVISION, false}, {"rest", GOES_REST, false},
	    {"end", GOES_END, false}, {"result", GOES_RESULT, false}, {"rung", GOES_RUNG, false}};
	struct value v = value_of(r->field[COL_GOES]);

	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(v.text, rows[i].word) == 0) {
			row->goes = rows[i].goes;
			row->papers = rows[i].papers;
			return;
		}
	problem(r,
	    "去向“%s”不认识；可以是：own, leader hand-up, leader papers, ask, data error, "
	    "data papers, supervision, rest, end, result, rung",
	    value_shown(r->field[COL_GOES]).text);
}

static bool
delay_word(struct outcome_row *row, const char *word)
{
	struct step s;

	if (strcmp(word, "other-number") == 0)
		row->other_number = true;
	else if (strcmp(word, "their-time") == 0)
		row->their_time = true;
	else if (strncmp(word, "date@", 5) == 0)
		return value_time(word + 5, &row->date_at);
	else if (strcmp(word, "next-pass") == 0)
		row->rest_next_pass = true;
	else if (strcmp(word, "follow-up") == 0)
		row->rest_follow_up = true;
	else if (strcmp(word, "ruling") == 0)
		row->rest_ruling = true;
	else if (strncmp(word, "stage-", 6) == 0 && word[6] >= '2' && word[6] <= '4' &&
	         word[7] == '+' && value_step(word + 8, &row->rest_stage_step))
		row->rest_stage = (int8_t)(word[6] - '0');
	else if (row->n_steps == POLICY_STEPS)
		return false;
	else if (strcmp(word, "next-daypart") == 0)
		row->steps[row->n_steps++] = (struct step){STEP_NEXT_DAYPART, 0};
	else if (strcmp(word, "other-daypart") == 0)
		row->steps[row->n_steps++] = (struct step){STEP_OTHER_DAYPART, 0};
	else if (strcmp(word, "morning") == 0)
		row->steps[row->n_steps++] = (struct step){STEP_MORNING, 0};
	else if (value_step(word, &s))
		row->steps[row->n_steps++] = s;
	else
		return false;
	return true;
}

static void
column_delays(struct reader *r, struct outcome_row *row)
{
	struct value v = value_of(r->field[COL_DELAYS]);
	const char *at = v.text;
	char word[48];

	row->date_at = -1;
	if (strcmp(v.text, "-") == 0)
		return;
	while (value_word(&at, " ,", word, sizeof(word)))
		if (!delay_word(row, word))
			problem(r,
			    "等待“%s”看不懂；写成 other-number, 2h, next-daypart, 1d 这样，"
			    "最多%d个，没有就写 -",
			    word, POLICY_STEPS);
}

static void
column_then(struct reader *r, struct outcome_row *row)
{
	struct value v = value_of(r->field[COL_THEN]);
	const char *at = v.text;
	char verb[32] = "", what[32] = "", more[4];
	int32_t n = 0;
	bool ok = value_word(&at, " ", verb, sizeof(verb));
	bool has_what = value_word(&at, " ", what, sizeof(what));

	ok = ok && !value_word(&at, " ", more, sizeof(more));
	if (ok && !has_what && strcmp(verb, "-") == 0)
		row->then = THEN_REPEAT;
	else if (ok && !has_what && strcmp(verb, "hand-up") == 0)
		row->then = THEN_HAND_UP;
	else if (ok && !has_what && strcmp(verb, "strike") == 0)
		row->then = THEN_STRIKE;
	else if (ok && !has_what && strcmp(verb, "rest") == 0)
		row->then = THEN_REST;
	else if (ok && strcmp(verb, "data") == 0 && strcmp(what, "papers") == 0)
		row->then = THEN_DATA;
	else if (ok && strcmp(verb, "rung") == 0 && value_int(what, 1, RUNG_COUNT - 1, &n))
		row->then = THEN_RUNG;
	else if (ok && strcmp(verb, "close-rung") == 0 && value_int(what, 1, RUNG_COUNT - 1, &n))
		row->then = THEN_CLOSE_RUNG;
	else if (ok && strcmp(verb, "as") == 0 &&
	         (n = (int32_t)outcome_by_code(what, strlen(what))) != OUT_NONE)
		row->then = THEN_OUTCOME;
	else
		problem(r,
		    "“%s”不认识；等完之后可以是：- hand-up, rung 4, as no-answer, "
		    "strike, data papers, rest, close-rung 2",
		    value_shown(r->field[COL_THEN]).text);
	row->then_n = (int8_t)n;
}

void
read_outcome(struct reader *r)
{
	static const char *const finals[] = {"open", "rest", "terminal", "stop"};
	static const char *const yes_no[] = {"no", "yes", "if-talk"};
	static const char *const numbers[NUMBER_STATES] = {"new", "good", "relay", "silent",
	    "refused", "off", "suspended", "off-hours", "blocked", "dead", "wrong", "retired",
	    "unchanged"};
	static const char *const strikes[] = {
	    "-", "lost", "difficult", "refuses", "regret", "not-coming", "incident"};
	struct value code = value_of(r->field[COL_CODE]);
	enum outcome o = outcome_by_code(code.text, strlen(code.text));
	struct outcome_row *row = &r->p->outcomes[o];
	int before = r->n_problems;

	if (o == OUT_NONE) {
		problem(r, "没有“%s”这个结果代码；代码是固定的，中文名可以改",
		    value_shown(r->field[COL_CODE]).text);
		return;
	}
	if (!reader_once(r, &r->at_outcome[o], "这个结果"))
		return;
	if (!value_label(r->field[COL_LABEL], row->label, sizeof(row->label)))
		problem(r, "第3栏要写中文名（最多31字节）");
	row->final = (enum finality)column(r, COL_FINAL, finals, COUNT(finals), "性质");
	column_goes(r, row);
	column_delays(r, row);
	column_then(r, row);
	row->strike = (enum strike_kind)column(r, COL_STRIKE, strikes, COUNT(strikes), "突击类别");
	row->hints = column_bits(r, COL_NEXT, hint_words, HINT_COUNT, "下一步");
	row->evidence = column_bits(r, COL_EVIDENCE, evidence_words, EVIDENCE_COUNT, "凭据");
	row->attempt = column(r, COL_ATTEMPT, yes_no, 2, "算不算尝试") == 1;
	row->contact = (enum counts)column(r, COL_CONTACT, yes_no, 3, "算不算联系上");
	row->number = (enum number_state)column(r, COL_NUMBER, numbers, COUNT(numbers), "号码变为");
	if (r->n_problems != before)
		row->label[0] = '\0'; /* told already; check_policy passes over it */
}

/* Every word in braces is one that a case can fill. */
static bool
places_known(struct reader *r, const char *text)
{
	static const char *const places[] = {"{姓名}", "{批次}", "{专业}"};
	bool known = true;

	for (const char *at = strpbrk(text, "{}"); at != NULL && known; at = strpbrk(at, "{}")) {
		known = false;
		for (size_t i = 0; i < COUNT(places) && !known; i++)
			if (strncmp(at, places[i], strlen(places[i])) == 0) {
				known = true;
				at += strlen(places[i]);
			}
	}
	return known ||
	       problem(r, "花括号里只能是 {姓名}、{批次}、{专业}；别的字直接写，不用花括号");
}

/* template | sms | the text: what is sent, to be copied or through the college's gateway. */
void
read_template(struct reader *r)
{
	static const char *const names[POLICY_TEMPLATES] = {"sms", "im"};
	struct value what = value_of(r->field[1]);
	int i = word_in(what.text, names, POLICY_TEMPLATES);
	char *to;

	if (i < 0) {
		problem(r, "短信、微信的文本是 sms 或 im，不是“%s”", value_shown(r->field[1]).text);
		return;
	}
	if (!reader_once(r, &r->at_template[i], "这一种文本"))
		return;
	to = r->p->templates[i];
	if (!value_label(r->field[2], to, sizeof(r->p->templates[i])))
		problem(r, "第3栏要写文本（最多%d字节，一个汉字3字节）", TEMPLATE_MAX);
	else
		(void)places_known(r, to);
}
