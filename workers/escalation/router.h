/* router.h - the router's own parts: what it holds in memory, and what its files call of each other.
 *
 * One thread, one loop, at most one FCALL in flight. The log is read in order; each entry changes the
 * memory here, what follows from it becomes work, work becomes a batch. The cursor never passes an entry
 * whose effect is not in Redis yet. Whatever goes wrong with the store (a lost connection, an answer
 * that is unknown, another epoch) ends in router_reload: all memory is dropped and read again. */
#ifndef ESCALATION_ROUTER_H
#define ESCALATION_ROUTER_H

#include "base/clock.h"
#include "base/conf.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/rds.h"
#include "base/zsock.h"
#include "proto/call.h"
#include "proto/days.h"
#include "proto/record.h"
#include "proto/week.h"
#include "workers/escalation/book.h"
#include "workers/escalation/law.h"
#include "workers/link/home.h"
#include "workers/link/identity.h"
#include "workers/link/keyclient.h"

#define BATCH_ENTRIES 128 /* work of one FCALL; an entry may be two */
#define CHUNK_ENTRIES 256 /* log entries read at once */
#define CALL_US       10000000

/* A case: as Redis has it, and as the law has it, which may be ahead by what is queued. */
struct rcase {
	uint8_t id[16];
	uint64_t version;
	bool held;
	name_t holder, owner;
	char lane[80];
	word_t why; /* reason of its last placement */
	int64_t due;
	struct logid saved_at; /* law_at */
	uint8_t saved_blob[LAW_BLOB_MAX];
	size_t saved_len;

	struct law_case law;
	struct logid at;      /* folded up to here */
	struct logid unsaved; /* the first entry whose fold is not in Redis; no 0: none */
	struct rcase *unsaved_prev, *unsaved_next;
	uint64_t retasked; /* the batch that carries its task, which no HGET sees before */
	struct law_placement want;
	bool has_want, is_queued;
	int64_t timer_at; /* in the heap; 0 none */
	enum reason timer_why;
	bool lost; /* it counts among r->lost */
	/* Where it counts for the pull limits; names so that a person who goes leaves nothing behind. */
	name_t counts_for, unfirst_for;
};

struct rperson {
	name_t person, team;
	uint64_t roles;
	bool qualified, active;
	char pk[65]; /* hex or "-" */
	int own, without_result;
	struct buf offer; /* as Redis has it */
	bool offer_queued;
};

enum work_kind {
	WORK_CASE,    /* bring lane, due and blob of ptr (rcase) to Redis */
	WORK_TIMER,   /* a system record for ptr (rcase) */
	WORK_CREATE,  /* ptr (struct creation) */
	WORK_OFFER,   /* ptr (rperson) */
	WORK_WORDS,   /* an entry ready to send: ptr (struct words), owned */
	WORK_MESSAGE, /* a system record of ptr (struct message_told), owned */
	WORK_LEAD,
	WORK_CURSOR,
};
struct work {
	enum work_kind kind;
	void *ptr;
};

struct router {
	struct loop *loop;
	struct conf *conf;
	struct home home;
	const char *wanted; /* campaign by flag or environment, "" any */
	name_t campaign;
	struct identity id;
	bool has_id;
	int exit_code;
	char *policy_path;
	unsigned ticks;
	int64_t stop_at;

	struct rds *link, *tail;
	struct loop_timer *retry, *due_timer, *tick;
	struct zctx *zctx;
	struct keyfollow *follow;
	struct map *keys;   /* case -> owned 32 bytes */
	bool keys_level;    /* all that the store had came at least once */
	int64_t keys_since; /* waited for since then, 0 not */

	/* leadership */
	int lock_fd;
	uint64_t beat;
	char lead[96], seen[96]; /* what we wrote; what another wrote, and since when */
	int64_t seen_since, lead_at;

	/* the chain of the router's own records */
	uint8_t ob[16], head[32];
	uint64_t seq;

	/* life: see boot.c */
	int step;
	bool is_loading, is_ready, is_inflight, is_reading, is_caught_up, said_waiting;
	bool is_forcing; /* an entry waited long enough for a key */
	int64_t blocked_since, cursor_at;
	bool is_doubt; /* after a lost store: what is in lane doubt stays there, */
	int64_t doubt_until, doubt_asked; /* until this campaign ms at the latest; 0 never */
	enum mode mode;
	struct clock_watch clock;
	uint64_t epoch, generation; /* generation: answers to an older one are dropped */
	char scan[24];

	struct policy *policy;
	struct buf policy_text;
	struct calendar calendar;
	struct buf proposal; /* the text that waits for its second person */
	bool proposal_dirty;
	struct days days; /* imported, over those of the policy */
	struct book book;
	bool book_dirty, policy_dirty, days_dirty;
	struct map *free_hours; /* person -> freehours.c's */
	bool free_dirty;
	struct buf closing; /* why a pass could not be closed, for hfctl; empty: nothing new */
	struct map *cases, *persons, *agents; /* agent hex -> owned keys, 128 hex digits */
	struct rcase *unsaved;                /* the few whose fold is not in Redis yet */
	void *heap;                           /* timers.c */
	size_t n_heap, cap_heap;
	int64_t gate_sent, shut_sent; /* -1 unknown */
	int64_t gate_changes;
	enum gate gate;

	struct work *work; /* queue: work[first_work, n_work) */
	size_t first_work, n_work, cap_work;
	struct work sent[2 * BATCH_ENTRIES + 8];
	size_t n_sent;

	/* the log: entries of one XREAD that wait, copied */
	struct chunk *chunk;
	struct logid read, done,
	    cursor; /* read: taken in; done: effects in Redis; cursor: written */
	struct imports *imports;
	/* a record that another record names, asked for while the log waits */
	bool is_asking, has_answer;
	struct buf answer;
	bool has_task; /* of the case whose record waits */
	struct buf task;
	/* cases, 16 bytes each, that have the number which does not exist or is somebody else's; and their
	 * tasks in the same order, each with its length in front */
	bool has_others;
	struct buf others, other_tasks;

	struct rcase **release; /* in order, from release_next on; NULL: none under way */
	size_t n_release, release_next;
	int volume, callers;
	int64_t offers_until;
	int64_t lost, lost_sent; /* the zero-lost figure; -1: not known what Redis has */
	struct gateway *gateway; /* NULL: messages are the owners' */
	uint64_t n_batches, n_records, n_places, n_timers, n_mismatches;
};

/* ---- boot.c: finding the campaign, loading, leading, reloading ---- */
void boot_begin(struct router *r);
void router_reload(struct router *r, const char *why);
void boot_forget(struct router *r); /* frees all that is loaded */

/* ---- own.c ---- */
int own_open(struct router *r, struct err *err); /* ERR_BUSY: another process has the outbox */
void own_new_outbox(struct router *r);           /* the old one is of no use any more */
bool own_use_policy(
    struct router *r, struct span text, const char *name); /* false: refused, told */
bool own_default_policy(struct router *r);
/* The lines of imported days; loaded: as Redis has them, else as a record says them. False: refused, told. */
bool own_use_days(struct router *r, struct span text, bool loaded);

/* ---- pump.c: log -> work -> batch ---- */
void pump(struct router *r);
void pump_read(struct router *r);
void work_add(struct router *r, enum work_kind kind, void *ptr);
void work_clear(struct router *r);
struct words; /* the words of one entry, owned by the work queue */
struct words *words_make(const char *entry);
void words_add(struct words *w, struct span s);
void words_str(struct words *w, const char *s);
void words_u(struct words *w, uint64_t v);
void words_queue(struct router *r, struct words *w);

/* ---- batch.c: work as an FCALL, and its answers ---- */
void batch_send(struct router *r);
void batch_work_done(struct work *w); /* frees what the work owns */

/* ---- logread.c ---- */
struct chunk *chunk_create(void);
void chunk_destroy(struct chunk *c);
void chunk_clear(struct chunk *c);
bool chunk_is_empty(const struct chunk *c);
void chunk_take(struct chunk *c, const struct rds_reply *stream); /* entries of one stream */
/* The next entry, borrowed until it is dropped; false when none is left. */
bool chunk_peek(struct chunk *c, struct log_entry *ret);
void chunk_drop(struct chunk *c);
/* Applies one entry; false: not yet (something was asked for), try the same entry again. */
bool log_apply(struct router *r, const struct log_entry *e);

/* ---- cases.c ---- */
struct rcase *case_find(struct router *r, const uint8_t id[16]);
/* From HSCAN or a create entry: state text with blob. NULL: it does not read (told). */
struct rcase *case_load(struct router *r, const uint8_t id[16], struct span text, struct span blob);
/* Newer state text of the log; blob empty: unchanged. */
void case_state(struct router *r, struct rcase *c, struct span text, struct span blob);
void case_ctx(struct router *r, const struct rcase *c, int64_t now, struct law_ctx *ret);
/* Folds and decides; at: the log id, or no 0 for a look without an entry. */
void case_act(
    struct router *r, struct rcase *c, const struct law_act *act, int64_t now, struct logid at);
void case_look(struct router *r, struct rcase *c, int64_t now);
bool case_differs(const struct router *r, const struct rcase *c); /* Redis has to hear of it */
bool case_moves(const struct router *r, const struct rcase *c); /* … of its lane, due or owner */
void case_queue(struct router *r, struct rcase *c);
/* Its fold is not in Redis from that entry on; it is. */
void case_unsaved(struct router *r, struct rcase *c, struct logid from);
void case_saved(struct router *r, struct rcase *c);
void case_count(struct router *r, struct rcase *c);
void case_free(void *c);
void case_all(
    struct router *r, void (*fn)(struct router *r, struct rcase *c, void *arg), void *arg);

/* ---- acts.c: wire records to acts of the law ---- */
struct act_words {
	char outcome[25], result[49], was[25], what[49];
	name_t person, to, to_team;
};
enum { REF_NONE, REF_NEEDED };
int act_needs_ref(const struct record_header *h);
/* false: nothing for the law. ref: the header that h names, or NULL. */
bool act_of(struct law_act *a, struct act_words *w, const struct record_header *h,
    const struct record_header *ref, const struct log_entry *e, uint64_t verdict, uint64_t roles);

/* ---- campaign.c: records without a case ---- */
/* false: a key is missing yet, try again. */
bool campaign_record(
    struct router *r, const struct log_entry *e, const struct record_header *h, struct logid at);
bool campaign_is_busy(const struct router *r); /* a release is under way: the log waits */
void campaign_continue(struct router *r);
/* Whom an imported case is reserved for: its reporter, if that is a caller of a team; else "". */
const char *campaign_reporter(struct router *r, const struct rcase *c);
struct rperson *person_find(struct router *r, const char *name);
struct rperson *person_load(struct router *r, const char *name, struct span row);
void person_free(void *p);
void agent_keep(struct router *r, const char *agent, const char *curve_pk, const char *sign_pk);

/* ---- imports.c ---- */
struct creation; /* one case to be made */
struct imports *imports_create(void);
void imports_destroy(struct imports *i);
/* Whether an IMPORT or COMMIT makes or moves cases: rosters and arrivals do, other lists are the ledger's. */
bool imports_take(const struct record_header *h);
void imports_rows(
    struct router *r, const struct log_entry *e, const struct record_header *h, struct logid at);
void imports_commit(struct router *r, const struct log_entry *e, const struct record_header *h);
void imports_continue(struct router *r); /* makes work of what is committed and can be read */
void imports_created(struct router *r, struct creation *c, bool made);
bool imports_oldest(const struct router *r, struct logid *ret); /* the cursor stays before it */
bool imports_pending(const struct router *r);                   /* a commit is not settled yet */
void creation_write(struct creation *c, struct router *r, struct call *call);

/* ---- offers.c: gate and offers ---- */
void offers_gate(struct router *r);
void offers_all(struct router *r);
void offers_person(struct router *r, struct rperson *p);
bool offers_text(struct router *r, const struct rperson *p, struct buf *out);

/* ---- freehours.c ---- */
#define FREE_SPANS 24
bool freehours_take(
    struct router *r, const char *person, struct span text); /* true: they are others now */
void freehours_load(struct router *r, struct span lines);
void freehours_print(struct buf *out, const struct router *r);
/* The spans of the next days, rising; 0: nothing said, always free. */
int freehours_spans(
    const struct router *r, const char *person, int64_t now, struct span_of_time *out, int most);

/* ---- timers.c ---- */
void timers_set(struct router *r, struct rcase *c, int64_t at);
void timers_fire(struct router *r);
void timers_arm(struct router *r);

/* ---- seal.c: keys and bodies ---- */
const uint8_t *seal_key(struct router *r, const uint8_t case_id[16]);
/* The plain body of a record; false when there is no key for it or it does not open. */
bool seal_open_body(struct router *r, const struct log_entry *e, const uint8_t *case_id,
    struct buf *store, struct body *ret);

/* ---- retask.c: the numbers of a task after a record ---- */
bool retask_wanted(struct router *r, const struct rcase *c, const struct record_header *h);
/* 1 the task can be opened, 0 the keys are on their way, -1 it goes on without. */
int retask_ready(struct router *r, const struct rcase *c);
void retask_ask(struct router *r, const struct rcase *c);
/* A number that does not exist: asks who else has it. False: nothing to ask. */
bool retask_ask_others(struct router *r, const struct rcase *c, const struct record_header *h);
void retask(
    struct router *r, const struct log_entry *e, const struct record_header *h, struct rcase *c);

#endif
