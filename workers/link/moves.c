/* moves.c - the tables. A cell with effect DO_NOTHING and another state is a silent step; a cell that
 * is not written is no step at all, which `known` tells apart from a step to the first state. */
#include "workers/link/moves.h"

#include <stdbool.h>

#include "base/check.h"

struct cell {
	bool known;
	int next;
	enum effect effect;
};
/* clang-format off */
#define TO(state, effect) {true, state, effect}

static const struct cell conn_table[CONN_STATES][CONN_EVENTS] = {
    [CONN_DOWN] = {
	[CONN_EV_START] = TO(CONN_HELLO, DO_OPEN),
    },
    [CONN_HELLO] = {
	[CONN_EV_WELCOME] = TO(CONN_UP, DO_RESUME),
	[CONN_EV_SILENCE] = TO(CONN_HELLO, DO_TURN),
	[CONN_EV_ASKED] = TO(CONN_HELLO, DO_HELLO),
	[CONN_EV_REFUSED] = TO(CONN_STOPPED, DO_NOTHING),
    },
    [CONN_UP] = {
	[CONN_EV_SILENCE] = TO(CONN_HELLO, DO_TURN),
	[CONN_EV_ASKED] = TO(CONN_HELLO, DO_HELLO),
	[CONN_EV_REFUSED] = TO(CONN_STOPPED, DO_NOTHING),
    },
    [CONN_STOPPED] = {
	[CONN_EV_START] = TO(CONN_HELLO, DO_OPEN),
    },
};

static const struct cell ask_table[ASK_STATES][ASK_EVENTS] = {
    [ASK_IDLE] = {
	[ASK_EV_WANT] = TO(ASK_SAVING, DO_SAVE),
	[ASK_EV_RIDE] = TO(ASK_RIDING, DO_SAVE),
    },
    [ASK_SAVING] = {
	[ASK_EV_REFUSED] = TO(ASK_IDLE, DO_TELL),
	[ASK_EV_STORED] = TO(ASK_READY, DO_SEND),
	[ASK_EV_UNSTORED] = TO(ASK_IDLE, DO_TELL),
    },
    [ASK_READY] = {
	[ASK_EV_REFUSED] = TO(ASK_IDLE, DO_TELL),
	[ASK_EV_SENT] = TO(ASK_SENT, DO_NOTHING),
	[ASK_EV_GRANT] = TO(ASK_IDLE, DO_SHOW),
	[ASK_EV_PUSHED] = TO(ASK_PROVING, DO_PROVE),
	[ASK_EV_WAIT] = TO(ASK_WAITING, DO_TELL),
	[ASK_EV_NONE] = TO(ASK_IDLE, DO_TELL),
	[ASK_EV_LATE] = TO(ASK_SAVING, DO_SAVE),
    },
    [ASK_RIDING] = {
	[ASK_EV_REFUSED] = TO(ASK_IDLE, DO_TELL),
	[ASK_EV_UNSTORED] = TO(ASK_IDLE, DO_NOTHING),
	[ASK_EV_TAKEN] = TO(ASK_SENT, DO_NOTHING),
	[ASK_EV_GRANT] = TO(ASK_IDLE, DO_SHOW),
	[ASK_EV_WAIT] = TO(ASK_WAITING, DO_TELL),
	[ASK_EV_NONE] = TO(ASK_IDLE, DO_TELL),
	[ASK_EV_LATE] = TO(ASK_SAVING, DO_SAVE),
    },
    [ASK_SENT] = {
	[ASK_EV_REFUSED] = TO(ASK_IDLE, DO_TELL),
	[ASK_EV_GRANT] = TO(ASK_IDLE, DO_SHOW),
	[ASK_EV_PUSHED] = TO(ASK_PROVING, DO_PROVE),
	[ASK_EV_WAIT] = TO(ASK_WAITING, DO_TELL),
	[ASK_EV_NONE] = TO(ASK_IDLE, DO_TELL),
	[ASK_EV_LATE] = TO(ASK_SAVING, DO_SAVE),
	[ASK_EV_SILENCE] = TO(ASK_READY, DO_SEND),
	[ASK_EV_WELCOME] = TO(ASK_READY, DO_SEND),
    },
    [ASK_WAITING] = {
	[ASK_EV_REFUSED] = TO(ASK_IDLE, DO_TELL),
	[ASK_EV_WANT] = TO(ASK_SAVING, DO_SAVE),
	[ASK_EV_RIDE] = TO(ASK_RIDING, DO_SAVE),
	[ASK_EV_PUSHED] = TO(ASK_PROVING, DO_PROVE),
	[ASK_EV_NONE] = TO(ASK_IDLE, DO_TELL),
	[ASK_EV_LATE] = TO(ASK_SAVING, DO_SAVE),
	[ASK_EV_SILENCE] = TO(ASK_READY, DO_SEND),
	[ASK_EV_WELCOME] = TO(ASK_READY, DO_SEND),
    },
    [ASK_PROVING] = {
	[ASK_EV_REFUSED] = TO(ASK_IDLE, DO_TELL),
	[ASK_EV_GRANT] = TO(ASK_IDLE, DO_NOTHING), /* proved */
	[ASK_EV_LATE] = TO(ASK_SAVING, DO_SAVE),
	[ASK_EV_UNSTORED] = TO(ASK_IDLE, DO_TELL),
    },
};

static const struct cell lease_table[LEASE_STATES][LEASE_EVENTS] = {
    [LEASE_HOLDING] = {
	[LEASE_EV_STORED] = TO(LEASE_HELD, DO_SHOW),
	[LEASE_EV_UNSTORED] = TO(LEASE_GIVING, DO_GIVE),
	[LEASE_EV_LOST] = TO(LEASE_FREE, DO_REASK),
    },
    [LEASE_PROVING] = {
	[LEASE_EV_STORED] = TO(LEASE_PROVING, DO_PROVE),
	[LEASE_EV_RENEWED] = TO(LEASE_HELD, DO_SHOW),
	[LEASE_EV_DEADLINE] = TO(LEASE_GIVING, DO_GIVE),
	[LEASE_EV_UNSTORED] = TO(LEASE_GIVING, DO_GIVE),
	[LEASE_EV_LOST] = TO(LEASE_FREE, DO_REASK),
    },
    [LEASE_HELD] = {
	[LEASE_EV_RENEWED] = TO(LEASE_HELD, DO_NOTHING),
	[LEASE_EV_DEADLINE] = TO(LEASE_EXPIRED, DO_TELL),
	[LEASE_EV_LOST] = TO(LEASE_LOST, DO_TELL),
	[LEASE_EV_GIVE] = TO(LEASE_GIVING, DO_GIVE),
	[LEASE_EV_RECORD] = TO(LEASE_FREE, DO_END),
    },
    [LEASE_EXPIRED] = {
	[LEASE_EV_RENEWED] = TO(LEASE_HELD, DO_TELL),
	[LEASE_EV_LOST] = TO(LEASE_LOST, DO_TELL),
	[LEASE_EV_GIVE] = TO(LEASE_GIVING, DO_GIVE),
	[LEASE_EV_RECORD] = TO(LEASE_FREE, DO_END),
    },
    [LEASE_RESTORED] = {
	[LEASE_EV_RENEWED] = TO(LEASE_HELD, DO_TELL),
	[LEASE_EV_LOST] = TO(LEASE_LOST, DO_TELL),
	[LEASE_EV_GIVE] = TO(LEASE_GIVING, DO_GIVE),
	[LEASE_EV_RECORD] = TO(LEASE_FREE, DO_END),
    },
    [LEASE_GIVING] = {
	[LEASE_EV_LOST] = TO(LEASE_FREE, DO_TELL_END),
	[LEASE_EV_RECORD] = TO(LEASE_FREE, DO_END),
    },
    [LEASE_LOST] = {
	[LEASE_EV_GIVE] = TO(LEASE_FREE, DO_TELL_END),
	[LEASE_EV_RECORD] = TO(LEASE_FREE, DO_END),
    },
};
/* clang-format on */

struct conn_move
conn_move(enum conn_state state, enum conn_event event)
{
	CHECK((unsigned)state < CONN_STATES && (unsigned)event < CONN_EVENTS);
	if (!conn_table[state][event].known)
		return (struct conn_move){state, DO_NOTHING};
	return (struct conn_move){
	    (enum conn_state)conn_table[state][event].next, conn_table[state][event].effect};
}

struct ask_move
ask_move(enum ask_state state, enum ask_event event)
{
	CHECK((unsigned)state < ASK_STATES && (unsigned)event < ASK_EVENTS);
	if (!ask_table[state][event].known)
		return (struct ask_move){state, DO_NOTHING};
	return (struct ask_move){
	    (enum ask_state)ask_table[state][event].next, ask_table[state][event].effect};
}

struct lease_move
lease_move(enum lease_state state, enum lease_event event)
{
	CHECK((unsigned)state < LEASE_STATES && (unsigned)event < LEASE_EVENTS);
	if (!lease_table[state][event].known)
		return (struct lease_move){state, DO_NOTHING};
	return (struct lease_move){
	    (enum lease_state)lease_table[state][event].next, lease_table[state][event].effect};
}
