/* queue_files.h - random entries about evidence, for test_queue_fake.c alone, behind its struct world. */
/* Three files of one to three pieces. */
static void
add_hash(struct world *w, struct call *c, uint64_t i)
{
	uint8_t hash[32];

	memset(hash, (int)i + 1, 32);
	call_bytes(c, hash, rnd(w, 80) == 0 ? 31 : 32);
}

static void
entry_blob(struct world *w, struct call *c)
{
	uint64_t i = rnd(w, 3);

	call_entry(c, "blob");
	add_hash(w, c, i);
	call_u(c, rnd(w, 30) == 0 ? 7 : 10 * (i + 1));
	call_u(c, 10 * rnd(w, i + 1));
	call_bytes(c, "0123456789", rnd(w, 5) == 0 ? 0 : 10);
	call_u(c, rnd(w, 10) == 0 ? 15 : 1000);
}

static void
recorder_entry(struct world *w, struct call *c)
{
	uint64_t i = rnd(w, 3);

	switch (rnd(w, 5)) {
	case 0: call_entry(c, "blobs"); break;
	case 1:
		call_entry(c, "blob_read");
		add_hash(w, c, i);
		call_u(c, 10 * rnd(w, 3));
		break;
	case 2:
		call_entry(c, "blob_kept");
		add_hash(w, c, i);
		call_u(c, 10 * (i + 1));
		break;
	case 3:
		call_entry(c, "blob_drop");
		add_hash(w, c, i);
		break;
	default: call_entry(c, "blob_stale"); call_u(c, rnd(w, 2) == 0 ? 0 : (uint64_t)w->now);
	}
}
