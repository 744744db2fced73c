/* child.c - posix_spawn, both its outputs read as they come, an end that is always told.
 *
 * Happy path: both pipes reach their end, the process is reaped, done is told. It inherits no descriptor but its own
 * three, and the environment. Failures: one that is late or says too much is killed, and told so; one that closed its
 * outputs and lives on is late as well. Threads may run beside: nothing is done between fork and exec. */
#include "workers/link/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "workers/link/helper.h"

#define STORY_MAX 4096
#define REAP_US   5000

extern char **environ;

struct child {
	struct child_opts o;
	pid_t pid;
	int fd[2]; /* its stdout and stderr; -1: at their end */
	struct loop_io *io[2];
	struct loop_timer *limit, *reap;
	struct buf text[2];
	enum child_end end;
	int status;
};

static void
close_pipe(struct child *c, int i)
{
	if (c->fd[i] < 0)
		return;
	loop_io_destroy(c->io[i]);
	(void)close(c->fd[i]);
	c->fd[i] = -1;
}

static void
free_child(void *arg)
{
	struct child *c = arg;

	buf_done(&c->text[0]);
	buf_done(&c->text[1]);
	free(c);
}

static void
bury(struct child *c)
{
	close_pipe(c, 0);
	close_pipe(c, 1);
	loop_timer_destroy(c->limit);
	loop_timer_destroy(c->reap);
	loop_bury(c->o.loop, free_child, c);
}

static void
on_reap(void *arg)
{
	struct child *c = arg;
	pid_t got = waitpid(c->pid, &c->status, WNOHANG);
	struct child_result r;

	if (got == 0) {
		loop_timer_after(c->reap, REAP_US);
		return;
	}
	if (c->end == CHILD_EXITED && (got < 0 || !WIFEXITED(c->status)))
		c->end = CHILD_KILLED;
	r = (struct child_result){.end = c->end,
	    .code = c->end == CHILD_EXITED ? WEXITSTATUS(c->status) : -1,
	    .out = buf_span(&c->text[0]),
	    .story = buf_span(&c->text[1])};
	c->o.done(c->o.arg, &r);
	bury(c);
}

static void
end_it(struct child *c, enum child_end end)
{
	c->end = end;
	(void)kill(c->pid, SIGKILL);
	close_pipe(c, 0);
	close_pipe(c, 1);
	loop_timer_stop(c->limit);
	loop_timer_after(c->reap, 0);
}

static void
on_limit(void *arg)
{
	end_it(arg, CHILD_LATE);
}

static void
read_pipe(struct child *c, int i)
{
	char bytes[16384];
	ssize_t n = read(c->fd[i], bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close_pipe(c, i);
		if (c->fd[0] < 0 && c->fd[1] < 0)
			loop_timer_after(c->reap, 0);
		return;
	}
	if (i == 0 && c->text[0].len + (size_t)n > c->o.out_max) {
		end_it(c, CHILD_TOO_BIG);
		return;
	}
	if (i == 1 && c->text[1].len + (size_t)n > STORY_MAX)
		n = (ssize_t)(STORY_MAX - c->text[1].len);
	buf_add(&c->text[i], bytes, (size_t)n);
}

static void
on_out(void *arg, int events)
{
	(void)events;
	read_pipe(arg, 0);
}

static void
on_story(void *arg, int events)
{
	(void)events;
	read_pipe(arg, 1);
}

static int
spawn(struct child *c, const int out[2], const int story[2], struct err *err)
{
	char path[PATH_MAX + 32];
	posix_spawn_file_actions_t acts;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	CHECK(posix_spawn_file_actions_init(&acts) == 0 && posix_spawnattr_init(&attr) == 0);
	if (c->o.in_fd > 0)
		(void)posix_spawn_file_actions_adddup2(&acts, c->o.in_fd, STDIN_FILENO);
	else
		(void)posix_spawn_file_actions_addopen(
		    &acts, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&acts, out[1], STDOUT_FILENO);
	(void)posix_spawn_file_actions_adddup2(&acts, story[1], STDERR_FILENO);
	(void)posix_spawn_file_actions_addclosefrom_np(&acts, STDERR_FILENO + 1);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setsigdefault(&attr, &all);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(&c->pid, helper_path(path, sizeof(path), c->o.argv[0]), &acts, &attr,
	    c->o.argv, environ);
	(void)posix_spawn_file_actions_destroy(&acts);
	(void)posix_spawnattr_destroy(&attr);
	if (rc == 0)
		return 0;
	errno = rc;
	return err_sys(err, "%s", c->o.argv[0]);
}

static void
close_both(const int fds[2])
{
	(void)close(fds[0]);
	(void)close(fds[1]);
}

int
child_start(struct child **ret, const struct child_opts *o, struct err *err)
{
	struct child *c;
	int out[2], story[2];

	if (pipe2(out, O_CLOEXEC | O_NONBLOCK) != 0)
		return err_sys(err, "pipe");
	if (pipe2(story, O_CLOEXEC | O_NONBLOCK) != 0) {
		close_both(out);
		return err_sys(err, "pipe");
	}
	/* Only our end does not block. */
	(void)fcntl(out[1], F_SETFL, 0);
	(void)fcntl(story[1], F_SETFL, 0);
	c = xcalloc(1, sizeof(*c));
	c->o = *o;
	if (spawn(c, out, story, err) != 0) {
		close_both(out);
		close_both(story);
		free(c);
		return -1;
	}
	(void)close(out[1]);
	(void)close(story[1]);
	c->fd[0] = out[0];
	c->fd[1] = story[0];
	c->io[0] = loop_io_create(o->loop, c->fd[0], LOOP_READ, on_out, c);
	c->io[1] = loop_io_create(o->loop, c->fd[1], LOOP_READ, on_story, c);
	c->limit = loop_timer_create(o->loop, on_limit, c);
	c->reap = loop_timer_create(o->loop, on_reap, c);
	loop_timer_after(c->limit, o->limit_us);
	*ret = c;
	return 0;
}

void
child_stop(struct child *c)
{
	if (c == NULL)
		return;
	(void)kill(c->pid, SIGKILL);
	(void)waitpid(c->pid, NULL, 0);
	bury(c);
}
