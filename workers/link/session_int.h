/* session_int.h - shared by session.c (connection), session_login.c, session_ask.c, session_lease.c,
 * session_flow.c (records and marks),
 * session_look.c and session_blob.c (evidence). */
#ifndef LINK_SESSION_INT_H
#define LINK_SESSION_INT_H

#include "workers/link/session.h"

#define LOGIN_LEAD_MS   (3600 * 1000LL)   /* a ticket is renewed so long before it ends */
#define LOGIN_BACK_MS   (5 * 60 * 1000LL) /* it begins so long ago, for clocks that differ */
#define SYNC_US         30000000LL
#define LOOK_GIVE_UP_US 10000000LL
#define HALTED_US       5000000LL
#define RETRY_US        200000LL
#define RETRY_MAX_US    2000000LL
#define TURN_PACE_US    5000000LL
#define UNSENT_US       50000LL /* try again after a send that could not be */

struct ask {
	name_t person;
	struct person_key key;
	uint64_t until_ms; /* 0: no end */
	struct login login;
	bool has_ticket;
	bool is_known, may_act; /* as the last WELCOME said */
	enum ask_state state;
	uint64_t next_no;
	bool is_take, has_case;
	uint8_t case_id[16];
	char digits[32];
	uint64_t after_seq; /* not before this record was accepted */
	uint64_t ride_seq;
	int64_t first_us;   /* first sending of next_no, 0 never */
	int64_t sent_us;    /* last one, or when it began to wait */
	int64_t not_before; /* boot us */
	int64_t retry_us;
	int sends, tries, turns, nacks;
	bool has_waited, told; /* this number was answered NONE; the user knows */
	bool resumes;          /* shown the case of before the restart as soon as it is confirmed */
	bool renewed_ticket;   /* a new ticket was tried since the last right one */
	bool suspects; /* refused by a limit although nothing is in hand: look for a lost lease */
};

struct look {
	uint64_t no;
	name_t person;
	word_t what;
	uint64_t page;
	bool has_case;
	uint8_t case_id[16];
	char argument[64];
	int64_t first_us, sent_us, not_before;
	int tries;
};

struct answer {
	bool got;
	uint8_t verdict;
	word_t why;
};

struct flow {
	uint64_t accepted;                     /* answered without a gap */
	uint64_t next;                         /* next to be sent */
	struct answer answers[SESSION_WINDOW]; /* seq % SESSION_WINDOW, behind accepted */
	int64_t sent_us;                       /* of the oldest unanswered one */
	int tries;
	int64_t not_before, retry_us;
	uint64_t rewound_to;
	int64_t rewound_us;
	bool blocked;
};

/* The one piece of evidence that is under way. */
struct sending {
	bool has;
	uint8_t hash[32];
	uint64_t size, upto;
	bool knows; /* upto is what the broker said last */
	int64_t sent_us, not_before;
};

struct session {
	const struct identity *id; /* borrowed */
	struct outbox *outbox;     /* borrowed */
	struct session_port port;
	size_t endpoints, endpoint;
	int64_t turned_us; /* when we last left a broker that hands nothing out; 0 never */
	enum conn_state conn;
	int told; /* 0 nothing, 1 online, 2 offline */
	bool hello_out;
	int64_t hello_us, hello_retry_us; /* since when we wait for its answer; next try */
	int64_t hello_said_us;            /* the last one */
	int hello_tries;
	int64_t sync_us, sync_sent_us; /* next one; the one that is out or 0 */
	int sync_tries;
	uint64_t mode, epoch, opseq, lease_ms;
	uint64_t settled, released;
	struct records_clock clock;
	int64_t campaign_ms, campaign_at; /* pair: campaign time at boot us */
	uint8_t ob_sig[64];
	struct ask *asks[PERSONS_MAX];
	size_t n_asks;
	struct lease **leases;
	size_t n_leases;
	struct look *looks;
	size_t n_looks;
	uint64_t look_no;
	struct flow flow;
	struct sending sending;
};

/* session.c */
bool session_send(struct session *s, const struct frame *f, struct span f1);
void session_tell(struct session *s, struct link_event e);
void session_conn(struct session *s, enum conn_event event, int64_t now);
void session_heard_time(struct session *s, uint64_t wall, uint64_t campaign, int64_t now);
int64_t session_lease_us(const struct session *s);

/* session_login.c */
void login_list(struct session *s, struct hello_lists *l, int64_t now);
void login_renew(struct session *s, int64_t now);
void login_welcome(struct session *s, struct ask *a, const struct welcome_person *p, int64_t now);

/* session_ask.c */
void ask_refuse(struct session *s, struct ask *a, const char *reason, const char *text);
struct ask *session_ask(struct session *s, const char *person);
void work_restore(struct session *s);
void work_forget(struct session *s); /* all leases, all asks */
void work_welcome(struct session *s, const struct welcome_lists *l, int64_t now);
void work_grant(struct session *s, const struct msg_grant *m, struct span f1, int64_t now);
void work_none(struct session *s, const struct msg_none *m, int64_t now);
void work_nack(struct session *s, const struct msg_nack *m, int64_t now);
void work_committed(struct session *s, bool stored, int64_t now);
void work_tick(struct session *s, int64_t now);                /* sends what is due */
void work_taken(struct session *s, uint64_t seq, int64_t now); /* record seq was accepted */
uint64_t work_riding(
    struct session *s, uint64_t seq, int64_t now); /* next_no to ride on it, or 0 */
int64_t work_due(const struct session *s);
/* … for session_lease.c */
void ask_proved(struct session *s, const char *person);
void ask_again(struct session *s, const char *person);
void ask_confirmed(struct session *s, struct lease *l);
void ask_lost(struct session *s);
bool ask_expects(const struct session *s, const char *person);
void ask_after(struct session *s, const char *person, uint64_t seq);

/* session_lease.c */
void work_renewed(struct session *s, const struct msg_renewed *m, int64_t now);
void work_lost(struct session *s, const struct msg_lost *m, int64_t now);
/* … for session_ask.c */
void lease_restore(struct session *s);
void lease_forget(struct session *s);
struct lease *lease_pulled(const struct session *s, const char *person);
void lease_show(struct session *s, struct lease *l);
bool lease_known(const struct session *s, const uint8_t case_id[16], uint64_t token);
void lease_return(
    struct session *s, const uint8_t case_id[16], uint64_t token, const char *person, bool pulled);
int lease_grant(
    struct session *s, const struct msg_grant *m, struct span f1, int64_t deadline, bool prove);
void lease_welcome(struct session *s, const struct welcome_lists *w, int64_t now);
void lease_committed(struct session *s, bool stored, int64_t now);
void lease_nack(struct session *s);
void lease_tick(struct session *s, int64_t now);
int64_t lease_due(const struct session *s);

/* session_look.c */
void look_seen(struct session *s, const struct msg_seen *m, struct span f1);
void look_nack(struct session *s, const struct msg_nack *m, int64_t now);
void look_welcome(struct session *s);
void look_tick(struct session *s, int64_t now);
int64_t look_due(const struct session *s);

/* session_blob.c */
void blob_have(struct session *s, const struct msg_have *m, int64_t now);
void blob_nack(struct session *s, const struct msg_nack *m, int64_t now);
void blob_welcome(struct session *s);
void blob_tick(struct session *s, int64_t now);
int64_t blob_due(const struct session *s);

/* session_flow.c */
void flow_restart(struct session *s, uint64_t accepted_upto);
void flow_accepted(struct session *s, const struct msg_accepted *m, int64_t now);
void flow_nack(struct session *s, const struct msg_nack *m, int64_t now);
void flow_receipt(struct session *s, const struct msg_receipt *m);
void flow_tick(struct session *s, int64_t now);
int64_t flow_due(const struct session *s);
/* Does the broker know more of this outbox than we do, or another history? */
bool flow_is_clone(const struct session *s, uint64_t upto, const uint8_t h[32]);

#endif
