/* redis_server.c - fork, exec, and wait for READY=1 on the notify socket, at most ten seconds. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "tests/lib/redis_server.h"

static void
run_server(const struct redis_server *s, const char *notify, bool durable)
{
	char sock[96], log[96];

	snprintf(sock, sizeof(sock), "%s/redis.sock", s->dir);
	snprintf(log, sizeof(log), "%s/redis.log", s->dir);
	setenv("NOTIFY_SOCKET", notify, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test must not leave us behind */
	dup2(open("/dev/null", O_RDWR), STDOUT_FILENO);
	dup2(STDOUT_FILENO, STDERR_FILENO);
	execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", sock, "--dir", s->dir,
	    "--save", "", "--appendonly", durable ? "yes" : "no", "--appendfsync", "always",
	    "--supervised", "systemd", "--logfile", log, "--maxmemory-policy", "noeviction",
	    (char *)NULL);
	_exit(127);
}

void
redis_server_again(struct redis_server *s, bool durable)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char text[256] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/notify", s->dir);
	unlink(at.sun_path);
	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	s->pid = fork();
	CHECK(s->pid >= 0);
	if (s->pid == 0)
		run_server(s, at.sun_path, durable);
	do {
		ssize_t n;

		CHECK(poll(&p, 1, 10000) == 1);
		n = recv(fd, text, sizeof(text) - 1, 0);
		CHECK(n >= 0);
		text[n] = '\0';
	} while (strstr(text, "READY=1") == NULL);
	close(fd);
	snprintf(s->address, sizeof(s->address), "unix:%s/redis.sock", s->dir);
}

void
redis_server_start(struct redis_server *s, bool durable)
{
	snprintf(s->dir, sizeof(s->dir), "/tmp/hf-redis-XXXXXX");
	CHECK(mkdtemp(s->dir) != NULL);
	redis_server_again(s, durable);
}

void
redis_server_kill(struct redis_server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
}

void
redis_server_stop(struct redis_server *s)
{
	char cmd[128];

	redis_server_kill(s);
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", s->dir);
	CHECK(system(cmd) == 0);
}
