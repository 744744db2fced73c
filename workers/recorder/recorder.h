/* recorder.h - from the log to PostgreSQL, for one campaign, until told to stop. */
#ifndef RECORDER_RECORDER_H
#define RECORDER_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workers/link/home.h"

struct recorder_opts {
	const struct home *home;
	size_t batch;            /* most entries a transaction, 1 … BATCH_MAX */
	uint8_t sign_sk[64];     /* signs receipts */
	bool same_device;        /* the archive may lie on the device of the installation */
	int64_t archive_wait_us; /* how long an entry waits for its segment at most */
	uint64_t log_keep; /* entries that stay in Redis' log though nobody reads them any more */
	int stop_fd;       /* readable: stop after the batch in hand */
};

/* Never fails: whatever is missing is waited for. */
void recorder_run(const struct recorder_opts *o);

#endif
