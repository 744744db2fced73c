/* watch.c - adds up /proc/PID/task/TID/schedstat, whose first number is nanoseconds on a processor. */
#include "tests/bench/watch.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"

#define WATCHED_MAX 8

static long pid[WATCHED_MAX];
static uint64_t spent[WATCHED_MAX];
static int n;

static uint64_t
cpu_ns(long of)
{
	char path[320];
	uint64_t sum = 0, ns;
	struct dirent *e;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%ld/task", of);
	dir = opendir(path);
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		FILE *f;

		if (e->d_name[0] == '.') /* ".." would be the first thread once more */
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%ld/task/%s/schedstat", of, e->d_name);
		f = fopen(path, "re");
		if (f == NULL)
			continue;
		if (fscanf(f, "%" SCNu64, &ns) == 1)
			sum += ns;
		(void)fclose(f);
	}
	if (dir != NULL)
		(void)closedir(dir);
	return sum;
}

void
watch_set(const char *pids)
{
	char *end;

	for (n = 0; *pids != '\0'; pids = *end == ',' ? end + 1 : end) {
		CHECK(n < WATCHED_MAX - 1);
		pid[n++] = strtol(pids, &end, 10);
		CHECK(end != pids);
	}
	pid[n++] = getpid();
}

void
watch_begin(void)
{
	for (int i = 0; i < n; i++)
		spent[i] = cpu_ns(pid[i]);
}

void
watch_end(void)
{
	for (int i = 0; i < n; i++)
		spent[i] = cpu_ns(pid[i]) - spent[i];
}

void
watch_print(uint64_t cycles)
{
	for (int i = 0; i < n; i++) {
		if (i < n - 1)
			printf(" cpu%d", i);
		else
			printf(" own");
		printf("=%.2f", cycles == 0 ? 0. : (double)spent[i] / 1000. / (double)cycles);
	}
}
