"""An agent of HFP/1, written from proto/PROTOCOL.md alone and sharing no code with ours.

It keeps an outbox that is fsynced before anything is sent, holds leases, renews them, checks each
hash, signature and receipt that it is given, and repeats what is not answered. Calls block, with a
limit; everything that arrives meanwhile is handled as it comes.

    agent = Agent(enrolled_dir, outbox_dir)
    agent.login("wang"); agent.connect()
    lease = agent.next("wang")
    seq = agent.record("ATTEMPT", "wang", lease, fields={"outcome": "confirmed"}, body={"note": "…"})
    agent.wait_accepted(seq)
"""
import json
import os
import pathlib
import secrets
import time
import uuid

import zmq

import hfp

SILENCE = 2.0  # PROTOCOL 1: repeat after 2 s, another broker after two silences
LIMIT = 20.0


def boot_us():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


class Nacked(Exception):
    def __init__(self, fields):
        super().__init__(f"NACK {fields['code']}: {fields['text']}")
        self.code, self.fields = fields["code"], fields


class Cloned(Exception):
    """The server knows more of this outbox than we do, or something else: it is not ours alone."""


class Forged(Exception):
    """A receipt or an answer that cannot be true."""


class Outbox:
    """Numbered records and what is held, one JSON object a line, fsynced line by line (PROTOCOL 3, 5.3, 7.1)."""

    def __init__(self, directory):
        directory = pathlib.Path(directory)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = directory / "outbox.jsonl"
        self.ob, self.records, self.holds, self.first = None, {}, {}, 1
        for line in self.path.read_text().splitlines() if self.path.exists() else []:
            self._fold(json.loads(line))
        self.file = open(self.path, "a", encoding="utf-8")
        if self.ob is None:
            self._append({"type": "ob", "ob": secrets.token_bytes(16).hex()})

    def _append(self, entry):
        self.file.write(json.dumps(entry) + "\n")
        self.file.flush()
        os.fsync(self.file.fileno())
        self._fold(entry)

    def _fold(self, e):
        if e["type"] == "ob":
            self.ob = bytes.fromhex(e["ob"])
        elif e["type"] == "record":
            self.records[e["seq"]] = e
        elif e["type"] == "hold":
            self.holds[bytes.fromhex(e["case"])] = e
        elif e["type"] == "drop":
            self.holds.pop(bytes.fromhex(e["case"]), None)
        elif e["type"] == "released":
            for seq in [s for s in self.records if s < e["upto"]]:  # the newest stays: its hash is the chain's end
                del self.records[seq]

    @property
    def head(self):
        return max(self.records, default=0)

    def hash_at(self, seq):
        return bytes.fromhex(self.records[seq]["h"]) if seq in self.records else hfp.ZERO32 if seq == 0 else None

    def add(self, header, body, sign_seed, next_no):
        seq = self.head + 1
        prev = self.hash_at(seq - 1)
        bc = hfp.hash32(body)
        h = hfp.chain(prev, self.ob, seq, header, bc)
        self._append({"type": "record", "seq": seq, "prev_h": prev.hex(), "h": h.hex(), "bc": bc.hex(),
                      "header": header.hex(), "body": body.hex(), "sig": hfp.sign(sign_seed, h).hex(),
                      "next_no": next_no})
        return seq

    def hold(self, lease):
        self._append({"type": "hold", "case": lease.case.hex(), "token": lease.token, "ticket": lease.ticket.hex(),
                      "key": lease.key.hex(), "person": lease.person})

    def drop(self, case):
        if case in self.holds:
            self._append({"type": "drop", "case": case.hex()})

    def released(self, upto):
        self._append({"type": "released", "upto": upto})

    def close(self):
        self.file.close()


class Lease:
    def __init__(self, f, task, ticket, last, deadline):
        self.case, self.token, self.rseq, self.person = f["case"], f["token"], f["rseq"], f["person"]
        self.key, self.why, self.due, self.version = f["key"], f["why"], f["due"], f["version"]
        self.pulled, self.ticket, self.last, self.deadline = f["pulled"], ticket, last, deadline
        self.task = hfp.read_task(hfp.open_seal(self.key, task, hfp.task_ad(self.case)))

    def last_bodies(self):
        """(header, body) of the case's newest records, opened."""
        return [(hfp.read_header(h), hfp.read_body(hfp.open_seal(self.key, b, hfp.body_ad(self.case, ob, seq)) if b else b""))
                for ob, seq, h, b in self.last]


class Ask:
    """The one NEXT or TAKE of a person that is out."""

    def __init__(self, no, f0, f1=b""):
        self.no, self.f0, self.f1, self.answer, self.sent_at = no, f0, f1, None, 0.0
        self.waits = False


class Agent:
    def __init__(self, enrolled, outbox=None):
        self.dir = pathlib.Path(enrolled)
        conf = hfp.settings(self.dir / "agent.conf")
        self.campaign, self.endpoints = conf["campaign"], conf["brokers"].split()
        self.broker_key, self.recorder_key = bytes.fromhex(conf["broker_key"]), bytes.fromhex(conf["recorder_key"])
        self.id = bytes.fromhex(conf["agent"])
        self.curve_pk, self.sign_pk = bytes.fromhex(conf["curve_pk"]), bytes.fromhex(conf["sign_pk"])
        self.curve_sk = bytes.fromhex((self.dir / "curve.key").read_text().strip())
        self.sign_seed = bytes.fromhex((self.dir / "sign.key").read_text().strip())
        assert hfp.public(self.sign_seed) == self.sign_pk
        assert hfp.agent_id(self.curve_pk, self.sign_pk) == self.id
        self.outbox = Outbox(outbox or self.dir / "outbox-py")
        self.boot = uuid.UUID(pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()).bytes
        self.logins, self.keys, self.leases, self.asks = {}, {}, {}, {}
        self.accepted, self.seen, self.have, self.lost, self.nacks = {}, {}, {}, [], []
        self.accepted_upto, self.marks = 0, {1: 0, 2: 0}
        self.epoch, self.opseq, self.welcome, self.synced, self.persons = 0, 0, None, None, {}
        self.clock = (0, 0)  # server wall ms, own boot µs, seen together
        self.look_no, self.broker, self.socket, self.ctx = 0, 0, None, zmq.Context.instance()
        self.renew_sent = {}
        for case, hold in self.outbox.holds.items():
            self.keys[case] = bytes.fromhex(hold["key"])

    # -- the connection ----------------------------------------------------------------------------

    def open_socket(self, endpoint=None):
        self.disconnect()
        s = self.socket = self.ctx.socket(zmq.DEALER)
        for option, value in ((zmq.LINGER, 0), (zmq.IMMEDIATE, 1), (zmq.SNDHWM, 64), (zmq.RCVHWM, 256),
                              (zmq.MAXMSGSIZE, 131072), (zmq.HANDSHAKE_IVL, 3000), (zmq.RECONNECT_IVL, 200),
                              (zmq.RECONNECT_IVL_MAX, 10000), (zmq.HEARTBEAT_IVL, 30000)):
            s.setsockopt(option, value)
        s.setsockopt(zmq.CURVE_SERVERKEY, self.broker_key)
        s.setsockopt(zmq.CURVE_PUBLICKEY, self.curve_pk)
        s.setsockopt(zmq.CURVE_SECRETKEY, self.curve_sk)
        s.setsockopt(zmq.ZAP_DOMAIN, b"hf")
        s.connect(endpoint or self.endpoints[self.broker % len(self.endpoints)])

    def connect(self, limit=LIMIT):
        self.open_socket()
        return self.hello(limit)

    def disconnect(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def close(self):
        self.disconnect()
        self.outbox.close()

    def send_raw(self, *parts):
        """False when nobody is there to take it within the limit of silence; whoever asked repeats it."""
        if not self.socket.poll(SILENCE * 1000, zmq.POLLOUT):
            return False
        self.socket.send_multipart(parts, zmq.DONTWAIT)
        return True

    def send(self, f0, f1=b""):
        return self.send_raw(f0, f1)

    def pump(self, condition, limit):
        """Handles what comes until condition() is true; the last value of condition()."""
        end = time.monotonic() + limit
        while not (value := condition()):
            left = end - time.monotonic()
            if left <= 0 or not self.socket.poll(max(1, int(left * 1000))):
                return condition()
            self.handle(*self.socket.recv_multipart())
        return value

    def request(self, send, condition, limit=LIMIT, hello_first=True):
        """Sends and repeats until condition(): PROTOCOL 1 and the codes of section 11."""
        end, silences = time.monotonic() + limit, 0
        while True:
            self.nacks.clear()
            send()
            value = self.pump(lambda: condition() or self.nacks, min(SILENCE, max(0.05, end - time.monotonic())))
            if condition():
                return condition()
            if time.monotonic() > end:
                raise TimeoutError("no answer")
            if self.nacks:
                code = self.nacks[0]["code"]
                if code in ("HELLO", "EPOCH") and hello_first:
                    self.hello(end - time.monotonic())
                elif code == "GAP":
                    self.resend(self.nacks[0]["expected"])
                elif code in ("RETRY", "HALTED"):
                    self.pump(condition, 0.2 if code == "RETRY" else 5.0)
                else:
                    raise Nacked(self.nacks[0])
            elif not value:
                silences += 1
                if silences == 2 and len(self.endpoints) > 1 and hello_first:
                    self.broker, silences = self.broker + 1, 0
                    self.connect(end - time.monotonic())

    # -- the session (PROTOCOL 4) ------------------------------------------------------------------

    def login(self, person, pin=None, hours=12, start=None, seed=None):
        seed = seed or hfp.person_seed(self.dir / "persons" / f"{person}.key", person, pin)
        start = int(time.time() * 1000) if start is None else start
        until = start + int(hours * 3600000)
        data = hfp.login_bytes(self.campaign, person, self.id, self.outbox.ob, start, until)
        self.logins[person] = [person, start, until, hfp.sign(seed, data)]

    def hello_frames(self):
        box = self.outbox
        ob_sig = hfp.sign(self.sign_seed, hfp.outbox_bytes(self.campaign, self.id, box.ob))
        f0 = hfp.frame("HELLO", campaign=self.campaign, ob=box.ob, agent=self.id, ob_sig=ob_sig, epoch_seen=self.epoch,
                       opseq_seen=self.opseq, head_seq=box.head, head_h=box.hash_at(box.head))
        tickets = [bytes.fromhex(h["ticket"]) for h in box.holds.values()]
        return f0, hfp.pack([list(self.logins.values()), tickets])

    def hello(self, limit=LIMIT):
        self.welcome = None
        self.request(lambda: self.send(*self.hello_frames()), lambda: self.welcome, limit, hello_first=False)
        if self.welcome["accepted_upto"] < self.outbox.head:
            self.resend(self.welcome["accepted_upto"] + 1)
        return self.welcome

    def on_WELCOME(self, f, f1):
        persons, tickets, leases, receipts, keys = hfp.unpack(f1)
        own = self.outbox.hash_at(f["accepted_upto"])
        if f["accepted_upto"] > self.outbox.head or (own is not None and own != f["accepted_h"]):
            raise Cloned()
        self.persons = {p: dict(ok=ok, roles=roles, team=team, why=why) for p, ok, roles, team, why in persons}
        self.keys.update({case: key for case, key in keys})
        self.tickets = {(case, token): verdict for case, token, verdict in tickets}
        self.server_leases = leases
        for (case, token), verdict in self.tickets.items():
            if verdict == 2 and case in self.leases and self.leases[case].token == token:
                self.forget(case, "lost")
        self.saw(f)
        self.accepted_upto = max(self.accepted_upto, f["accepted_upto"])
        for r in receipts:
            self.on_RECEIPT(hfp.read_frame(r)[1], b"")
        self.welcome = f

    def saw(self, f):
        """An epoch and opseq, both only grow; and the clocks."""
        if (f["epoch"], f["opseq"]) > (self.epoch, self.opseq):
            self.epoch, self.opseq = f["epoch"], f["opseq"]
        if "wall" in f:
            self.clock = (f["wall"], boot_us())

    def sync(self):
        self.synced = None
        box = self.outbox
        f0 = hfp.frame("SYNC", ob=box.ob, head_seq=box.head, head_h=box.hash_at(box.head), settled_seen=self.marks[1],
                       released_seen=self.marks[2])
        return self.request(lambda: self.send(f0), lambda: self.synced)

    def on_SYNCED(self, f, _):
        self.saw(f)
        self.accepted_upto = max(self.accepted_upto, f["accepted_upto"])
        self.synced = f

    # -- work (PROTOCOL 5, 6) ----------------------------------------------------------------------

    def ask(self, person, make, f1=b""):
        last = self.asks.get(person)
        no = max(int(time.time() * 1000), last.no + 1 if last else 0)
        self.asks[person] = Ask(no, make(no) if make else None, f1)
        return self.asks[person]

    def _send_ask(self, a):
        a.sent_at = time.clock_gettime(time.CLOCK_BOOTTIME)
        self.send(a.f0, a.f1)

    def next(self, person, limit=LIMIT):
        """A Lease, or ("none", fields), or ("lost", fields)."""
        a = self.ask(person, lambda no: hfp.frame("NEXT", next_no=no, person=person))
        return self.request(lambda: self._send_ask(a), lambda: a.answer, limit)

    def take(self, person, case=None, number="", limit=LIMIT):
        a = self.ask(person, lambda no: hfp.frame("TAKE", next_no=no, person=person, case=case), number.encode())
        return self.request(lambda: self._send_ask(a), lambda: a.answer, limit)

    def wait_grant(self, person, limit=LIMIT):
        """After ("none", …) with a waiting reason: the GRANT that comes unasked."""
        a = self.asks[person]
        return self.pump(lambda: a.answer if isinstance(a.answer, Lease) else None, limit)

    def on_GRANT(self, f, f1):
        task, ticket, last = hfp.unpack(f1)
        if len(ticket) > 128 or len(last) > 5:
            raise Forged("GRANT's lists")
        a = self.asks.get(f["person"])
        if a is None or a.no != f["next_no"]:
            return  # of an older question: it expires, or comes again when that question is repeated
        waited = a.waits
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        lease = Lease(f, task, ticket, last, (now if waited else a.sent_at) + f["lease_ms"] / 1000)
        if lease.deadline <= now:
            self.send(hfp.frame("GIVEBACK", case=lease.case, token=lease.token, reason="other"))
            return
        old = self.leases.get(lease.case)
        if old is None or old.token != lease.token:
            self.outbox.hold(lease)
            self.keys[lease.case] = lease.key
            self.leases[lease.case] = lease
        else:
            lease = old
        a.answer, a.waits = lease, False
        if waited:
            self.send_renew(lease)

    def on_NONE(self, f, _):
        a = self.asks.get(f["person"])
        if a is not None and a.no == f["next_no"] and not isinstance(a.answer, Lease):
            a.answer = ("none", f)
            a.waits = f["reason"] in ("empty", "closed-until", "paused")

    def on_LOST(self, f, _):
        self.lost.append(f)
        if f["case"] in self.leases and self.leases[f["case"]].token == f["token"]:
            self.forget(f["case"], f["reason"])
            return
        for a in self.asks.values():  # of a case that is not held: the answer to what is out
            if a.answer is None:
                a.answer = ("lost", f)

    def forget(self, case, why):
        lease = self.leases.pop(case)
        lease.ended = why
        self.outbox.drop(case)

    def send_renew(self, lease):
        self.renew_sent[lease.token, lease.rseq] = time.clock_gettime(time.CLOCK_BOOTTIME)
        self.send(hfp.frame("RENEW", case=lease.case, token=lease.token, rseq=lease.rseq))

    def renew(self, lease):
        """True, or False when the lease is lost."""
        before = lease.rseq
        self.request(lambda: self.send_renew(lease), lambda: lease.rseq != before or lease.case not in self.leases)
        return lease.case in self.leases

    def on_RENEWED(self, f, _):
        lease = self.leases.get(f["case"])
        if lease is None or lease.token != f["token"] or f["rseq"] <= lease.rseq:
            return
        sent = self.renew_sent.pop((lease.token, lease.rseq), None)
        lease.rseq = f["rseq"]
        if sent is not None:
            lease.deadline = sent + f["lease_ms"] / 1000

    def giveback(self, lease, reason="break"):
        """The reason of the LOST that answers."""
        f0 = hfp.frame("GIVEBACK", case=lease.case, token=lease.token, reason=reason)
        self.request(lambda: self.send(f0), lambda: lease.case not in self.leases)
        return lease.ended

    # -- records (PROTOCOL 7, 8) -------------------------------------------------------------------

    def record(self, kind, person, lease=None, case=None, fields=None, body=None, next_too=False, send=True, **header):
        """Writes the record, fsyncs, sends. With next_too a NEXT rides along. Returns its seq."""
        if lease is not None:
            header.update(token=lease.token)
            case = lease.case
        header.setdefault("id", uuid.uuid4().bytes)
        head = hfp.header(kind, person, fields, case=case, boot=self.boot, t_entry=boot_us(),
                          server_wall=self.clock[0], server_boot=self.clock[1], pc_wall=int(time.time() * 1000),
                          **header)
        plain, sealed = hfp.body(**(body or {})), b""
        if plain:
            key = self.keys[case or hfp.ZERO16]
            ad = hfp.body_ad(case, self.outbox.ob, self.outbox.head + 1)
            sealed = hfp.seal(key, plain, ad, secrets.token_bytes(24))
        a = self.ask(person, None) if next_too else None
        seq = self.outbox.add(head, sealed, self.sign_seed, a.no if a else None)
        if lease is not None and not header.get("again"):
            self.leases.pop(case, None)
        if a:
            a.f0, a.f1 = self.record_frames(seq)
            a.sent_at = time.clock_gettime(time.CLOCK_BOOTTIME)
        if send and self.socket is not None:
            self.send(*self.record_frames(seq))
        return seq

    def record_frames(self, seq):
        r = self.outbox.records[seq]
        raw = {k: bytes.fromhex(r[k]) for k in ("prev_h", "h", "bc", "header", "sig")}
        return hfp.frame("RECORD", ob=self.outbox.ob, seq=seq, next_no=r["next_no"], **raw), bytes.fromhex(r["body"])

    def resend(self, first):
        for seq in range(first, self.outbox.head + 1):
            self.send(*self.record_frames(seq))

    def wait_accepted(self, seq, limit=LIMIT):
        """ACCEPTED's fields. What is missing before it is sent as well."""
        first = [True]

        def send():
            if not first[0]:
                self.resend(min(self.accepted_upto + 1, seq))
            first[0] = False
        return self.request(send, lambda: self.accepted.get(seq), limit)

    def on_ACCEPTED(self, f, _):
        if f["ob"] != self.outbox.ob or self.outbox.hash_at(f["seq"]) not in (f["h"], None) or f["verdict"] > 2:
            raise Forged("ACCEPTED of what we did not say")
        self.saw(f)
        self.accepted[f["seq"]] = f
        self.accepted_upto = max(self.accepted_upto, f["seq"])

    def on_RECEIPT(self, f, _):
        data = hfp.receipt_bytes(f["level"], f["ob"], f["upto"], f["h"], f["incarnation"])
        if f["ob"] != self.outbox.ob or not hfp.verified(self.recorder_key, data, f["sig"]):
            raise Forged("RECEIPT without the recorder's signature")
        own = self.outbox.hash_at(f["upto"])
        if own is not None and own != f["h"]:
            raise Forged("RECEIPT of another chain")
        if f["upto"] <= self.marks[f["level"]]:
            return
        self.marks[f["level"]] = f["upto"]
        if f["level"] == 2:
            self.outbox.released(f["upto"])

    # -- evidence and looking (PROTOCOL 9, 10) -----------------------------------------------------

    def blob(self, person, data, limit=LIMIT):
        """Uploads a sealed file; returns its hash."""
        h = hfp.hash32(data)
        self.have[h] = 0
        while self.have[h] < len(data):
            at = self.have[h]
            f0 = hfp.frame("BLOB", person=person, hash=h, size=len(data), offset=at)
            self.request(lambda: self.send(f0, data[at:at + 65536]), lambda: self.have[h] > at, limit)
        return h

    def on_HAVE(self, f, _):
        self.have[f["hash"]] = max(self.have.get(f["hash"], 0), f["upto"])

    def look(self, person, what, case=None, argument="", page=0, limit=LIMIT):
        """SEEN's fields and the value in F1 (None when empty)."""
        self.look_no += 1
        no = self.look_no
        f0 = hfp.frame("LOOK", look_no=no, person=person, what=what, page=page, case=case)
        f, f1 = self.request(lambda: self.send(f0, argument.encode()), lambda: self.seen.get(no), limit)
        return f, hfp.unpack(f1) if f1 else None

    def on_SEEN(self, f, f1):
        self.seen[f["look_no"]] = (f, f1)

    # -- whatever comes ----------------------------------------------------------------------------

    def handle(self, f0, f1):
        name, f = hfp.read_frame(f0)
        if name == "NACK":
            self.nacks.append(f)
            return
        getattr(self, "on_" + name)(f, f1)
