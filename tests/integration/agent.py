"""An agent of HFP/1 driven frame by frame, and a key store that is enough for a broker.

Nothing is repeated, checked or renewed by itself (agent_py.py does all that): a test says what is sent, right or
wrong, and sees each answer."""
import os
import threading
import time

import nacl.signing
import zmq
import zmq.utils.z85 as z85

import hfp
from hfp import KIND, pack, unpack

HELLO, WELCOME, NEXT, TAKE, GRANT, NONE, RENEW, RENEWED, LOST, GIVEBACK = (
    KIND[k] for k in "HELLO WELCOME NEXT TAKE GRANT NONE RENEW RENEWED LOST GIVEBACK".split())
RECORD, ACCEPTED, NACK, BLOB, HAVE, RECEIPT, SYNC, SYNCED, LOOK, SEEN = (
    KIND[k] for k in "RECORD ACCEPTED NACK BLOB HAVE RECEIPT SYNC SYNCED LOOK SEEN".split())
ROLES = {"caller": 1, "leader": 2, "deputy": 4, "strike": 8, "strike-head": 16, "supervisor": 32, "data": 64,
         "callback-head": 128, "back-office": 256, "designated": 512, "finance": 1024, "operator": 2048,
         "admin": 4096, "leading": 8192, "system": 16384}
EFFECTIVE, LATE, QUARANTINED = 0, 1, 2
H0 = hfp.ZERO32
HOUR = 3600 * 1000


def wall_ms():
    return int(time.time() * 1000)


class Person:
    def __init__(self, name):
        self.name = name
        self.key = nacl.signing.SigningKey.generate()
        self.next_no = 0

    @property
    def pk(self):
        return bytes(self.key.verify_key)


class Frame:
    """kind, the fields after it, F1."""

    def __init__(self, parts):
        self.raw, self.f1 = parts
        head = unpack(self.raw)
        assert head[0] == 1, head
        self.kind, self.fields = head[1], head[2:]

    def __getitem__(self, i):
        return self.fields[i]

    def __repr__(self):
        return f"Frame({self.kind}, {self.fields})"


class Agent:
    """One enrolled installation with one outbox. Persons log in by being in self.logins."""

    def __init__(self, campaign="c1"):
        self.campaign = campaign
        public, secret = zmq.curve_keypair()
        self.curve_public, self.curve_secret = public, secret
        self.curve_pk = z85.decode(public)
        self.sign = nacl.signing.SigningKey.generate()
        self.sign_pk = bytes(self.sign.verify_key)
        self.id = hfp.agent_id(self.curve_pk, self.sign_pk)
        self.new_outbox()
        self.logins, self.tickets = [], []
        self.sock = None

    def new_outbox(self):
        self.ob, self.seq, self.h, self.epoch, self.opseq = os.urandom(16), 0, H0, 0, 0

    # -- transport ----------------------------------------------------------------------------------

    def connect(self, endpoint, server_pk):
        self.close()
        self.sock = zmq.Context.instance().socket(zmq.DEALER)
        for option, value in ((zmq.LINGER, 0), (zmq.IMMEDIATE, 1), (zmq.SNDHWM, 64), (zmq.RCVHWM, 256),
                              (zmq.HANDSHAKE_IVL, 3000), (zmq.RECONNECT_IVL, 50), (zmq.RECONNECT_IVL_MAX, 500)):
            self.sock.setsockopt(option, value)
        self.sock.curve_publickey, self.sock.curve_secretkey = self.curve_public, self.curve_secret
        self.sock.curve_serverkey = z85.encode(server_pk)
        self.sock.connect(endpoint)
        return self

    def close(self):
        if self.sock is not None:
            self.sock.close()
            self.sock = None

    def send_raw(self, *parts, limit=5.0):
        """False when nobody took it within the limit (IMMEDIATE: not connected)."""
        if not self.sock.poll(limit * 1000, zmq.POLLOUT):
            return False
        self.sock.send_multipart(parts)
        return True

    def send(self, *fields, f1=b""):
        assert self.send_raw(pack([1, *fields]), f1), "not connected"

    def receive(self, limit=3.0):
        """The next frame or None."""
        if not self.sock.poll(limit * 1000, zmq.POLLIN):
            return None
        return Frame(self.sock.recv_multipart())

    def expect(self, *kinds, limit=5.0):
        """The next frame, which must be of one of these kinds."""
        frame = self.receive(limit)
        assert frame is not None, f"no answer within {limit} s, wanted {kinds}"
        assert frame.kind in kinds, f"wanted {kinds}, got {frame}"
        return frame

    def until(self, *kinds, limit=5.0):
        """Passes over frames of other kinds."""
        end = time.monotonic() + limit
        while True:
            frame = self.receive(max(end - time.monotonic(), 0))
            assert frame is not None, f"no answer within {limit} s, wanted {kinds}"
            if frame.kind in kinds:
                return frame

    # -- session ------------------------------------------------------------------------------------

    def login(self, person, start=None, until=None):
        start = wall_ms() - 1000 if start is None else start
        until = start + 8 * HOUR if until is None else until
        data = hfp.login_bytes(self.campaign, person.name, self.id, self.ob, start, until)
        sig = person.key.sign(data).signature
        self.logins = [row for row in self.logins if row[0] != person.name] + [[person.name, start, until, sig]]

    def ob_sig(self):
        return self.sign.sign(hfp.outbox_bytes(self.campaign, self.id, self.ob)).signature

    def send_hello(self, **changed):
        v = dict(campaign=self.campaign, ob=self.ob, agent=self.id, sig=self.ob_sig(), epoch=self.epoch,
                 opseq=self.opseq, seq=self.seq, h=self.h)
        v.update(changed)
        self.send(HELLO, v["campaign"], v["ob"], v["agent"], v["sig"], v["epoch"], v["opseq"], v["seq"], v["h"],
                  f1=pack([self.logins, self.tickets]))

    def hello(self, limit=5.0, **changed):
        """WELCOME, repeating while the broker is not ready."""
        end = time.monotonic() + limit
        while True:
            self.send_hello(**changed)
            frame = self.until(WELCOME, NACK, limit=max(end - time.monotonic(), 0.01))
            if frame.kind == WELCOME:
                self.epoch, self.opseq = frame[1], frame[2]
                return frame
            assert frame[1] != HELLO or frame[0] == "RETRY", frame
            assert time.monotonic() < end, frame
            self.sock.poll(50)

    # -- work ---------------------------------------------------------------------------------------

    def next(self, person, limit=5.0):
        person.next_no += 1
        self.send(NEXT, person.next_no, person.name)
        return self.until(GRANT, NONE, LOST, NACK, limit=limit)

    def take(self, person, case=None, digits=b"", limit=5.0):
        person.next_no += 1
        self.send(TAKE, person.next_no, person.name, case, f1=digits)
        return self.until(GRANT, NONE, LOST, NACK, limit=limit)

    def renew(self, case, token, rseq, limit=5.0):
        self.send(RENEW, case, token, rseq)
        return self.until(RENEWED, LOST, NACK, limit=limit)

    def giveback(self, case, token, reason="break", limit=5.0):
        self.send(GIVEBACK, case, token, reason)
        return self.until(LOST, NACK, limit=limit)

    def header(self, person, kind=1, token=0, case=None, expect=0, again=0, fields=(1, "no-answer")):
        return pack([1, kind, person.name, token, case, expect, os.urandom(16), again, bytes(16), 0, 0, 0, 0, 0,
                     wall_ms(), 0, list(fields)])

    def record_frame(self, header, body=b"", seq=None, prev=None, next_no=None):
        """F0, F1 and the record's hash; the outbox is not moved."""
        seq = self.seq + 1 if seq is None else seq
        prev = self.h if prev is None else prev
        bc = hfp.hash32(body)
        h = hfp.chain(prev, self.ob, seq, header, bc)
        return pack([1, RECORD, self.ob, seq, prev, h, bc, header, self.sign.sign(h).signature, next_no]), body, h

    def write(self, header, body=b"", next_no=None):
        """Adds to the outbox; returns the frames to be sent."""
        f0, f1, h = self.record_frame(header, body, next_no=next_no)
        self.seq, self.h = self.seq + 1, h
        return f0, f1

    def record(self, header, body=b"", limit=5.0, next_no=None):
        f0, f1 = self.write(header, body, next_no)
        assert self.send_raw(f0, f1)
        return self.until(ACCEPTED, NACK, limit=limit)

    def attempt(self, person, grant, outcome="no-answer", **more):
        return self.record(self.header(person, token=grant[3], case=grant[2], fields=(1, outcome)), **more)

    def sync(self, settled=0, released=0, limit=5.0):
        self.send(SYNC, self.ob, self.seq, self.h, settled, released)
        return self.until(SYNCED, NACK, limit=limit)

    def look(self, person, what, page=0, case=None, arg=b"", limit=5.0):
        self.send(LOOK, 7, person.name, what, page, case, f1=arg)
        return self.until(SEEN, NACK, limit=limit)


class FakeKeys:
    """Serves `load` of proto/keys.h from a list; new rows are pushed to whoever loaded."""

    def __init__(self, endpoint):
        self.rows, self.lock, self.followers = [], threading.Lock(), {}
        self.sock = zmq.Context.instance().socket(zmq.ROUTER)
        self.sock.linger = 0
        self.sock.bind(endpoint)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def add(self, case, key):
        with self.lock:
            self.rows.append([case, key])

    def _page(self, start):
        with self.lock:
            rows = self.rows[start:start + 1000]
            done = start + len(rows) >= len(self.rows)
        return rows, start + len(rows), int(done)

    def _send(self, rid, start):
        rows, end, done = self._page(start)
        self.sock.send_multipart([rid, pack(["keys", end, done, rows])])
        self.followers[rid] = end if done else None

    def _serve(self):
        while not self.stopping.is_set():
            if self.sock.poll(10):
                rid, payload = self.sock.recv_multipart()
                what, _campaign, start = unpack(payload)
                assert what == "load"
                self._send(rid, start)
            for rid, end in list(self.followers.items()):
                if end is not None and end < len(self.rows):
                    self._send(rid, end)
        self.sock.close()

    def close(self):
        self.stopping.set()
        self.thread.join()
