/* wire.h - numbers that both ends know (PROTOCOL.md sections 2, 12). */
#ifndef PROTO_WIRE_H
#define PROTO_WIRE_H

#define HFP_VERSION      1
#define F0_MAX           1024
#define F1_MAX           65536
#define HEADER_MAX       768
#define ZMQ_MSG_MAX      131072
#define ID_LEN           16 /* case, ob, agent, import, record id */
#define NUMBER_LEN       8
#define NAME_MAX_LEN     32 /* person, team, campaign: characters without NUL */
#define TICKET_MAX       128
#define PERSONS_MAX      64
#define LEASES_MAX       320
#define LAST_MAX         5
#define EVIDENCE_MAX     (10 * 1024 * 1024)
#define LOGIN_MAX_MS     (12 * 3600 * 1000LL)
#define TOKEN_EPOCH_MAX  8191
#define TOKEN_EPOCH_BITS 40
#define PULLED_MAX       1
#define OPENED_MAX       5

enum msg_kind {
	MSG_HELLO = 1,
	MSG_WELCOME = 2,
	MSG_NEXT = 3,
	MSG_TAKE = 4,
	MSG_GRANT = 5,
	MSG_NONE = 6,
	MSG_RENEW = 7,
	MSG_RENEWED = 8,
	MSG_LOST = 9,
	MSG_GIVEBACK = 10,
	MSG_RECORD = 12,
	MSG_ACCEPTED = 13,
	MSG_NACK = 14,
	MSG_BLOB = 15,
	MSG_HAVE = 16,
	MSG_RECEIPT = 17,
	MSG_SYNC = 18,
	MSG_SYNCED = 19,
	MSG_LOOK = 20,
	MSG_SEEN = 21,
};

enum mode { MODE_NORMAL = 0, MODE_RECOVERING = 1, MODE_HALTED = 2 };
enum verdict { VERDICT_EFFECTIVE = 0, VERDICT_LATE = 1, VERDICT_QUARANTINED = 2 };
enum receipt_level { LEVEL_SETTLED = 1, LEVEL_RELEASED = 2 };
enum ticket_verdict { TICKET_KEPT = 0, TICKET_READMITTED = 1, TICKET_LOST = 2 };

#endif
