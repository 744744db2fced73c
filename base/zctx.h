/* zctx.h - what zsock.c and zap.c share: the ZeroMQ context, and how many sockets it still has. */
#ifndef BASE_ZCTX_H
#define BASE_ZCTX_H

struct zctx {
	void *zmq;                 /* owned */
	_Atomic(int) open_sockets; /* a socket may live in another thread */
};

#endif
