/* What the sandbox takes away is gone: each forbidden call kills, each needed one works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "ctl/import/sandbox.h"

static const struct sandbox_limits limits = {512LL << 20, 10};

/* The wait status of a child that does this inside. */
static int
status_of(void (*what)(void))
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (sandbox_enter(&limits, NULL) != 0)
			_exit(99);
		what();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
open_a_file(void)
{
	(void)!syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
}

static void
open_the_old_way(void)
{
#ifdef SYS_open
	(void)!syscall(SYS_open, "/dev/null", O_RDONLY);
#else
	open_a_file();
#endif
}

static void
make_a_socket(void)
{
	(void)!syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
}

static void
make_a_process(void)
{
	(void)!syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static void
run_a_program(void)
{
	(void)!syscall(SYS_execve, "/bin/true", NULL, NULL);
}

static void
remove_a_file(void)
{
	(void)!syscall(SYS_unlinkat, AT_FDCWD, "/nonexistent/file", 0);
}

static void
map_code(void)
{
	(void)!syscall(
	    SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void
make_memory_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)!syscall(SYS_mprotect, p, 4096, PROT_READ | PROT_EXEC);
}

static void
kill_the_parent(void)
{
	(void)!syscall(SYS_kill, getppid(), 0);
}

static void
signal_another(void)
{
	(void)!syscall(SYS_tgkill, 1, 1, 0);
}

static void
forbidden_calls_kill(void **state)
{
	static void (*const forbidden[])(void) = {open_a_file, open_the_old_way, make_a_socket,
	    make_a_process, run_a_program, remove_a_file, map_code, make_memory_code,
	    kill_the_parent, signal_another};

	(void)state;
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		int status = status_of(forbidden[i]);

		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
	}
}

static void
need_what_reading_needs(void)
{
	char *p = malloc(8 << 20);
	int fd = dup(0);
	char c;

	if (p == NULL || fd < 0)
		_exit(1);
	p = realloc(p, 64 << 20);
	if (p == NULL)
		_exit(2);
	p[0] = 1;
	free(p);
	(void)!pread(fd, &c, 1, 0);
	(void)!lseek(fd, 0, SEEK_CUR);
	(void)!write(STDERR_FILENO, "", 0);
	close(fd);
}

static void
needed_calls_work(void **state)
{
	(void)state;
	assert_int_equal(status_of(need_what_reading_needs), 0);
}

static void
take_too_much(void)
{
	volatile char *p = malloc(600u << 20);

	_exit(p == NULL ? 42 : 43);
}

static void
memory_is_bounded(void **state)
{
	int status = status_of(take_too_much);

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip(); /* the sanitizer reserves all the address space there is */
#endif
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

static void
abort_now(void)
{
	abort();
}

static void
abort_still_says_abort(void **state)
{
	int status = status_of(abort_now);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(forbidden_calls_kill),
	    cmocka_unit_test(needed_calls_work),
	    cmocka_unit_test(memory_is_bounded),
	    cmocka_unit_test(abort_still_says_abort),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
