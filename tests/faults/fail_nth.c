/* fail_nth.c - preloaded into one program: the Nth call of one kind fails, once.
 *
 * HF_FAIL_FILE names a file of three int32 that is shared with the test: kind (KINDS of test_anomaly.py), countdown
 * (the call that takes it to 0 fails; 0 or below: none), and hits, counted here. The test writes kind and hits first,
 * then countdown. Descriptors 0 to 2 are left alone. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind { K_WRITE = 1, K_FSYNC, K_RENAME, K_CONNECT, K_SEND, K_MALLOC, K_OPEN, K_WAKE };

struct order {
	_Atomic int32_t kind, countdown, hits;
};

static struct order nothing, *order = &nothing;
static int notify_fd = -1; /* the test's own ear: never fails */

/* NOLINTBEGIN(bugprone-reserved-identifier): glibc's own names */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
/* NOLINTEND(bugprone-reserved-identifier) */

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("HF_FAIL_FILE");
	const char *notify = getenv("HF_NOTIFY_FD");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at;

	if (fd < 0)
		return;
	notify_fd = notify != NULL ? atoi(notify) : -1;
	at = mmap(NULL, sizeof(struct order), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at != MAP_FAILED)
		order = at;
	(void)close(fd);
}

static int
is_due(enum kind kind, int error)
{
	if (order->kind != (int)kind || order->countdown <= 0 ||
	    atomic_fetch_sub(&order->countdown, 1) != 1)
		return 0;
	atomic_fetch_add(&order->hits, 1);
	errno = error;
	return 1;
}

/* A write to a file, or to something else: the pipes and event counters with which threads wake each other. */
static int
is_write_due(int fd)
{
	struct stat st;
	int wanted = order->kind;

	if (fd <= 2 || fd == notify_fd || (wanted != K_WRITE && wanted != K_WAKE) ||
	    fstat(fd, &st) != 0 || S_ISREG(st.st_mode) != (wanted == K_WRITE))
		return 0;
	return is_due((enum kind)wanted, ENOSPC);
}

#define REAL(name, result, ...)                                                                    \
	static result (*real)(__VA_ARGS__);                                                        \
	if (real == NULL)                                                                          \
	*(void **)&real = dlsym(RTLD_NEXT, #name)

ssize_t
write(int fd, const void *data, size_t n)
{
	REAL(write, ssize_t, int, const void *, size_t);
	return is_write_due(fd) ? -1 : real(fd, data, n);
}

ssize_t
pwrite(int fd, const void *data, size_t n, off_t at)
{
	REAL(pwrite, ssize_t, int, const void *, size_t, off_t);
	return is_write_due(fd) ? -1 : real(fd, data, n, at);
}

int
fsync(int fd)
{
	REAL(fsync, int, int);
	return is_due(K_FSYNC, EIO) ? -1 : real(fd);
}

int
fdatasync(int fd)
{
	REAL(fdatasync, int, int);
	return is_due(K_FSYNC, EIO) ? -1 : real(fd);
}

int
rename(const char *from, const char *to)
{
	REAL(rename, int, const char *, const char *);
	return is_due(K_RENAME, EIO) ? -1 : real(from, to);
}

int
connect(int fd, const struct sockaddr *to, socklen_t n)
{
	REAL(connect, int, int, const struct sockaddr *, socklen_t);
	return is_due(K_CONNECT, ECONNREFUSED) ? -1 : real(fd, to, n);
}

ssize_t
send(int fd, const void *data, size_t n, int flags)
{
	REAL(send, ssize_t, int, const void *, size_t, int);
	if (!is_due(K_SEND, ECONNRESET))
		return real(fd, data, n, flags);
	(void)shutdown(
	    fd, SHUT_RDWR); /* a connection that was reset does not wait for an answer either */
	errno = ECONNRESET;
	return -1;
}

int
open(const char *path, int flags, ...)
{
	REAL(open, int, const char *, int, ...);
	va_list more;
	mode_t mode;

	va_start(more, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
	va_end(more);
	return is_due(K_OPEN, EMFILE) ? -1 : real(path, flags, mode);
}

void *
malloc(size_t n)
{
	return is_due(K_MALLOC, ENOMEM) ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return is_due(K_MALLOC, ENOMEM) ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return is_due(K_MALLOC, ENOMEM) ? NULL : __libc_realloc(p, n);
}
