/* broker.h - the broker's parts, and what they know together.
 *
 * main.c makes and destroys it. Parts reach each other through it; each owns only what its own
 * header says. Everything runs in one thread and one loop. */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/zsock.h"
#include "broker/stats.h"
#include "proto/wire.h"

struct broker {
	const struct settings *settings; /* borrowed */
	struct loop *loop;
	struct zctx *z;
	struct front *front;
	struct sessions *sessions;
	struct waiters *waiters;
	struct batch *batch;   /* NULL until the campaign is known, like the ones below */
	struct roster *roster; /* NULL until first loaded */
	struct store *store;
	struct tail *tail;
	struct observer *observer;
	struct keyring *keys;
	struct guard *guard;
	char campaign[33];    /* "" = not known yet */
	uint64_t mode;        /* enum mode, of the newest reply */
	uint64_t epoch;       /* of the newest reply; 0 = never attached */
	uint64_t opseq;       /* highest seen in that epoch */
	uint8_t claimant[16]; /* an agent that saw more of the store than it knows of itself */
	bool has_claimant;
	int64_t claimed_us; /* when; for lease + guard from then nothing is handed out */
	unsigned hellos_waiting;
	bool is_bound, was_serving;
	int exit_code;
	bool is_draining; /* on the way out: nothing new is begun */
	struct stats stats;
};

/* Attached, following the log, and the store's settings are such that an answer means something. */
bool broker_is_serving(const struct broker *b);
/* May cases be handed out now? ret_why: the reason word of NONE. */
bool broker_may_grant(const struct broker *b, const char **ret_why);
/* The campaign is known: makes the parts that need its name. */
void broker_begin(struct broker *b, const char *campaign);
/* Something that broker_is_serving depends on has changed. */
void broker_state_changed(struct broker *b);
/* The store lives in another epoch than we thought: every session must say HELLO again. */
void broker_epoch_changed(struct broker *b, uint64_t epoch);

void broker_agent_revoked(struct broker *b, const uint8_t agent[16]);
/* The tables were read afresh: whoever is on them no more, goes. */
void broker_roster_loaded(struct broker *b);

#endif
