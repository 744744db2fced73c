/* moves.h - the three small state machines of an agent, as tables without any I/O.
 *
 * connection  to one broker at a time: HELLO first, everything else behind WELCOME
 * ask         a person's NEXT or TAKE; at most one is outstanding per person
 * lease       a case that was granted, until a record, a giving back or a loss ends it
 *
 * An empty cell means that the event says nothing new in that state (a repeat, an answer to something
 * given up): the state stays and the effect is DO_NOTHING. */
#ifndef LINK_MOVES_H
#define LINK_MOVES_H

enum conn_state { CONN_DOWN, CONN_HELLO, CONN_UP, CONN_STOPPED, CONN_STATES };
enum conn_event {
	CONN_EV_START,
	CONN_EV_WELCOME,
	CONN_EV_SILENCE, /* two silences */
	CONN_EV_ASKED,   /* NACK HELLO or EPOCH, or a new login */
	CONN_EV_REFUSED, /* revoked, cloned: no use going on */
	CONN_EVENTS,
};

enum ask_state {
	ASK_IDLE,
	ASK_SAVING,  /* its number is not durable yet */
	ASK_READY,   /* to be sent as soon as it may */
	ASK_RIDING,  /* goes with a record */
	ASK_SENT,    /* the answer is out */
	ASK_WAITING, /* answered NONE; a GRANT may come unasked */
	ASK_PROVING, /* that GRANT came; its first RENEW is out */
	ASK_STATES,
};
enum ask_event {
	ASK_EV_WANT,
	ASK_EV_RIDE,     /* want, together with a record */
	ASK_EV_STORED,   /* what was being saved is durable */
	ASK_EV_UNSTORED, /* it never will be */
	ASK_EV_SENT,
	ASK_EV_TAKEN, /* the record it rode on was accepted */
	ASK_EV_GRANT,
	ASK_EV_PUSHED, /* a GRANT that may be old, since its number has waited: prove it first */
	ASK_EV_WAIT,   /* NONE, and it waits */
	ASK_EV_NONE,
	ASK_EV_LATE,    /* GRANT behind its deadline, or LOST: ask anew */
	ASK_EV_SILENCE, /* one silence, or waited for long */
	ASK_EV_WELCOME, /* a connection began */
	ASK_EV_REFUSED, /* it will never be answered */
	ASK_EVENTS,
};

enum lease_state {
	LEASE_FREE,
	LEASE_HOLDING, /* its HOLD is not durable yet */
	LEASE_PROVING, /* durable; shown only when the first RENEW is answered */
	LEASE_HELD,
	LEASE_EXPIRED,  /* the deadline passed without a RENEWED: no new call, records as usual */
	LEASE_RESTORED, /* from the outbox after a restart: nobody confirmed it yet */
	LEASE_GIVING,   /* GIVEBACK is out */
	LEASE_LOST,     /* somebody else's or nobody's; kept, since its call is still recorded */
	LEASE_STATES,
};
enum lease_event {
	LEASE_EV_STORED,
	LEASE_EV_UNSTORED,
	LEASE_EV_RENEWED,
	LEASE_EV_DEADLINE,
	LEASE_EV_LOST,
	LEASE_EV_GIVE,
	LEASE_EV_RECORD, /* a record that ends it was stored */
	LEASE_EVENTS,
};

enum effect {
	DO_NOTHING,
	DO_OPEN,   /* connect, say HELLO */
	DO_TURN,   /* connect to the next broker, say HELLO */
	DO_HELLO,  /* say HELLO on this connection */
	DO_RESUME, /* send what waits */
	DO_SAVE,   /* take a new number, make it durable */
	DO_SEND,
	DO_TELL,     /* tell the user */
	DO_SHOW,     /* show the case */
	DO_PROVE,    /* RENEW at once */
	DO_GIVE,     /* send GIVEBACK */
	DO_END,      /* forget the lease: HOLD_END */
	DO_TELL_END, /* both */
	DO_REASK,    /* the case was gone before anybody saw it: forget it, ask anew */
};

struct conn_move {
	enum conn_state next;
	enum effect effect;
};
struct ask_move {
	enum ask_state next;
	enum effect effect;
};
struct lease_move {
	enum lease_state next;
	enum effect effect;
};
struct conn_move conn_move(enum conn_state state, enum conn_event event);
struct ask_move ask_move(enum ask_state state, enum ask_event event);
struct lease_move lease_move(enum lease_state state, enum lease_event event);

#endif
