/* redis_server.h - a private redis-server for one test program, on a unix socket in a directory of its
 * own; it is ready when start returns (it says so itself through its notify socket). */
#ifndef TESTS_REDIS_SERVER_H
#define TESTS_REDIS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct redis_server {
	char dir[64];
	char address[96]; /* "unix:/…" for rds */
	pid_t pid;
};

/* durable: appendonly with fsync always; else nothing is written. CHECKs that it starts. */
void redis_server_start(struct redis_server *s, bool durable);
void redis_server_kill(struct redis_server *s); /* SIGKILL and wait; the files stay */
void redis_server_again(struct redis_server *s, bool durable); /* starts over the same files */
void redis_server_stop(struct redis_server *s);                /* kill and remove the directory */

#endif
