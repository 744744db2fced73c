/* jump_clock.c - preloaded into one program: its clocks say something else, when the test says so.
 *
 * HF_CLOCK_FILE names a file of four int64 that is shared with the test: what the wall clock is ahead (ns, may be
 * below 0), how much faster the machine's own clock runs (parts in a million, may be below 0), since when (ns of
 * CLOCK_BOOTTIME), and what that clock is ahead besides (ns: the machine was suspended). Zeros: the clocks as they
 * are. Without the file: the same. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BILLION 1000000000LL

struct wrong {
	_Atomic int64_t wall_ns, ppm, since_ns, asleep_ns;
};

static struct wrong right, *wrong = &right;

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("HF_CLOCK_FILE");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *at;

	if (fd < 0)
		return;
	at = mmap(NULL, sizeof(struct wrong), PROT_READ, MAP_SHARED, fd, 0);
	if (at != MAP_FAILED)
		wrong = at;
	(void)close(fd);
}

static int
real_clock(clockid_t id, struct timespec *t)
{
	static int (*real)(clockid_t, struct timespec *);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	return real(id, t);
}

/* What the machine's own clock has gained by now. */
static int64_t
gained(void)
{
	int64_t ppm = wrong->ppm;
	struct timespec t;

	if (ppm == 0 || real_clock(CLOCK_BOOTTIME, &t) != 0)
		return wrong->asleep_ns;
	return wrong->asleep_ns +
	       (t.tv_sec * BILLION + t.tv_nsec - wrong->since_ns) / 1000 * ppm / 1000;
}

int
clock_gettime(clockid_t id, struct timespec *t)
{
	int rc = real_clock(id, t);
	int64_t add = 0, ns;

	if (rc != 0)
		return rc;
	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
		add = wrong->wall_ns;
	else if (id == CLOCK_BOOTTIME)
		add = gained();
	if (add == 0)
		return 0;
	ns = t->tv_sec * BILLION + t->tv_nsec + add;
	t->tv_sec = ns / BILLION;
	t->tv_nsec = ns % BILLION;
	return 0;
}

int
gettimeofday(struct timeval *tv, void *zone)
{
	struct timespec t;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &t) != 0)
		return -1;
	tv->tv_sec = t.tv_sec;
	tv->tv_usec = t.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *ret)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_REALTIME, &t);
	if (ret != NULL)
		*ret = t.tv_sec;
	return t.tv_sec;
}
