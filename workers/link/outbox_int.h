/* outbox_int.h - shared by outbox.c (what is added, and when it is true) and outbox_dir.c (files). */
#ifndef LINK_OUTBOX_INT_H
#define LINK_OUTBOX_INT_H

#include "workers/link/outbox.h"

#define OUTBOX_SEGMENT  (1u << 20)  /* a new file is begun behind this size */
#define OUTBOX_TIDY     (64u << 10) /* and behind this one when nothing in it is needed any more */
#define OUTBOX_PEND_MAX (2u << 20)  /* so that one commit is one frame */

struct outbox_segment {
	uint64_t segno, last_seq; /* newest record in it or before it */
};

struct outbox_pend {
	uint8_t id[16];
	uint64_t seq;
};

struct outbox {
	char *dir, *path;            /* the agent's directory, and outbox/ in it */
	int lock_fd, fd;             /* fd: newest segment */
	size_t size;                 /* its length */
	size_t snapshot;             /* length when it was begun */
	struct outbox_segment *segs; /* oldest first; the last one is the newest */
	size_t n_segs;
	struct fold fold;
	struct buf pend; /* entries added since the last commit */
	bool urgent;     /* among them something that somebody waits for */
	uint64_t tip;
	uint8_t tip_h[32];
	struct outbox_pend *pend_ids;
	size_t n_pend_ids, cap_pend_ids;
	bool poisoned;
};

int outbox_dir_lock(struct outbox *o, struct err *err);
/* Loads everything, or makes a new outbox. */
int outbox_dir_load(
    struct outbox *o, const char *campaign, struct outbox_report *rep, struct err *err);
int outbox_dir_replace(struct outbox *o, const char *word, const char *campaign,
    struct outbox_report *rep, struct err *err);
/* Begins the next segment with a snapshot. On -1 the old one goes on. */
int outbox_dir_rotate(struct outbox *o, struct err *err);
int outbox_dir_unlink_oldest(struct outbox *o, struct err *err);
int outbox_dir_read(
    struct outbox *o, uint64_t segno, size_t at, size_t len, struct buf *out, struct err *err);
void outbox_dir_close(struct outbox *o); /* the files of the outbox, not the lock */

#endif
