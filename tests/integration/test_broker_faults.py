"""Brokers and Redis die under load, again and again: nothing that was accepted is lost or doubled, every case is in
one place, and nobody holds what another holds."""
import collections
import random
import signal
import threading
import time

import agent as wire
from agent import ACCEPTED, GRANT, LOST, NACK, NONE, WELCOME
from hfp import pack, unpack
from stack import wait_for
from test_broker import rig_with

SECONDS = 12
SILENCE = 0.4


class Worker(threading.Thread):
    """An agent that repeats what was not answered, to one broker and then the other, with the same numbers."""

    def __init__(self, rig, a, person, stop):
        super().__init__(daemon=True)
        self.rig, self.a, self.person, self.stop = rig, a, person, stop
        self.n, self.accepted, self.grants, self.failed = 0, {}, [], None
        self.seen, self.given = collections.Counter(), set()

    def turn(self):
        self.n = 1 - self.n
        self.a.connect(self.rig.endpoint(self.n), self.rig.server_pk())
        self.a.send_raw(*self.greeting(), limit=SILENCE)

    def greeting(self):
        a = self.a
        return (pack([1, wire.HELLO, "c1", a.ob, a.id, a.ob_sig(), 0, 0, a.seq, a.h]), pack([a.logins, []]))

    def ask(self, kinds, *parts, ref):
        """Until one of these kinds with this number comes, or the test ends and nobody answers any more."""
        tries = 0
        while True:
            tries += 1
            if not self.a.send_raw(*parts, limit=SILENCE) or tries % 3 == 0:
                self.turn()
                continue
            end = time.monotonic() + SILENCE
            while (frame := self.a.receive(max(end - time.monotonic(), 0))) is not None:
                if frame.kind in kinds and frame[1 if frame.kind == ACCEPTED else 0] == ref:
                    return frame
                if frame.kind == LOST and LOST in kinds and frame[1] not in self.given:
                    return frame
                if frame.kind == GRANT:  # of a NEXT that was given up
                    self.given.add(frame[3])
                    self.a.send_raw(pack([1, wire.GIVEBACK, frame[2], frame[3], "other"]), b"")
                if frame.kind == NACK and frame[0] in ("HELLO", "EPOCH"):
                    self.a.send_raw(*self.greeting())
                    break
                if frame.kind == NACK and frame[0] == "RETRY":
                    self.stop.wait(0.05)
                    break
                assert frame.kind in (NACK, WELCOME, GRANT, NONE, ACCEPTED, LOST), frame
                assert frame.kind != NACK or frame[0] not in ("EQUIVOCATION", "BADSIG", "GAP"), frame

    def cycle(self):
        a, p = self.a, self.person
        p.next_no += 1
        frame = self.ask((GRANT, NONE, LOST), pack([1, wire.NEXT, p.next_no, p.name]), b"", ref=p.next_no)
        self.seen[frame[2] if frame.kind == NONE else frame.kind] += 1
        if frame.kind == NONE and frame[2] == "empty":  # waits
            frame = a.receive(0.3) or frame
        if frame.kind != GRANT or frame[0] != p.next_no:
            self.stop.wait(0.02)
            return
        self.grants.append((frame[2], frame[3]))
        f0, f1 = a.write(a.header(p, token=frame[3], case=frame[2]), body=bytes([random.randrange(256)]))
        acc = self.ask((ACCEPTED,), f0, f1, ref=a.seq)
        assert acc[2] == a.h, "an answer to another record"
        self.accepted[a.seq] = (acc[2], acc[3])

    def run(self):
        try:
            while not self.stop.is_set():
                self.cycle()
        except Exception as e:  # told by the test itself
            self.failed = e


class Placer(threading.Thread):
    """Stands in for the router: what lies in triage goes back to the pool."""

    def __init__(self, rig, stop):
        super().__init__(daemon=True)
        self.rig, self.stop = rig, stop

    def run(self):
        while not self.stop.wait(0.02):
            try:
                for case in self.rig.lane("triage"):
                    version = self.rig.redis.hget("hf:{c1}:cases", case).split(b"|", 1)[0]
                    self.rig.router(("place", case, version, "0-0", "", "pool", 1, "again", "", "-"))
            except Exception:  # Redis is away at times
                continue


def break_things(rig, stop, rng):
    kills = collections.Counter()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        what = rng.choice(["broker0", "broker1", "broker0", "broker1", "redis", "freeze"])
        kills[what] += 1
        if what == "redis":
            rig.kill("redis")
            rig.start_redis()
        elif what == "freeze":
            frozen = rig.procs["broker0"]
            frozen.send_signal(signal.SIGSTOP)
            stop.wait(1.0)
            frozen.send_signal(signal.SIGCONT)
        else:
            rig.kill(what)
            rig.start_broker(int(what[-1]))
        stop.wait(rng.uniform(0.2, 1.0))
    return kills


def check_log(rig, workers):
    """The log tells one story: contiguous outboxes, tokens that only rise, one holder at a time."""
    seqs, holder, newest = collections.defaultdict(list), {}, {}
    for _id, e in rig.redis.xrange("hf:{c1}:log", "-", "+"):
        kind, detail, case = e[b"e"].split()[0].decode(), e[b"d"].split(), e[b"c"]
        if kind == "grant":
            state = e[b"s"].split(b"|")
            assert case not in holder, "granted while somebody held it"
            assert state[5] > newest.get(case, b""), "a token that is not newer"
            newest[case], holder[case] = state[5], detail[0]
        elif kind in ("giveback", "expire"):
            assert holder.pop(case) == detail[0]
        elif kind == "record":
            seqs[detail[0].decode()].append((int(detail[1]), unpack(e[b"r"])[5], int(detail[2])))
            if detail[2] == b"0":
                holder.pop(case, None)
    for w in workers:
        rows = seqs[w.a.ob.hex()]
        assert [r[0] for r in rows] == list(range(1, len(rows) + 1)), "each once, without a gap"
        assert len(rows) == w.a.seq == len(w.accepted)
        assert {r[0]: (r[1], r[2]) for r in rows} == w.accepted, "the same answer that the agent got"


def test_nothing_is_lost_or_doubled_while_everything_dies():
    rng = random.Random(7)
    with rig_with(brokers=2, lease_ms=2000, guard_ms=100) as rig:
        cases = {rig.case() for _ in range(12)}
        people = [rig.person(f"p{i}") for i in range(6)]
        stop = threading.Event()
        workers = [Worker(rig, rig.agent(p), p, stop) for p in people]
        placer = Placer(rig, stop)
        for t in [*workers, placer]:
            t.start()
        kills = break_things(rig, stop, rng)
        before = [len(w.accepted) for w in workers]
        wait_for("everybody goes on", lambda: all(len(w.accepted) > n for w, n in zip(workers, before)) or
                 any(w.failed for w in workers))
        stop.set()
        for t in [*workers, placer]:
            t.join(20)
        assert [w.failed for w in workers] == [None] * len(workers)
        check_log(rig, workers)
        placed = [c for lane in rig.redis.smembers("hf:{c1}:lanes") for c in rig.lane(lane.decode())]
        held = [m[16:] for m in rig.redis.zrange("hf:{c1}:leases", 0, -1)]
        assert sorted(placed + held) == sorted(cases), "a case is in one lane or under one lease"
        records = sum(len(w.accepted) for w in workers)
        print(f"{records} records accepted, {sum(len(w.grants) for w in workers)} grants, {dict(kills)}, "
              f"{sum((w.seen for w in workers), collections.Counter())}")
        assert records > 50 and sum(kills.values()) > 5
