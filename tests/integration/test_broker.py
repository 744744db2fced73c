"""hf-broker over the real wire: real Redis with the real queue.lua, agents that follow PROTOCOL.md only."""
import contextlib
import os
import select
import signal
import subprocess
import time

import pytest
import zmq

import agent as wire
import hfp
from agent import (ACCEPTED, GRANT, HELLO, LOST, NACK, NEXT, NONE, RECEIPT, RECORD, RENEWED, ROLES, SEEN, WELCOME,
                   Agent, FakeKeys, Person, wall_ms)
from hfp import pack, unpack
from stack import BIN, Stack, wait_for

INDEX_KEY, RECEIPT_KEY, CAMPAIGN_KEY = b"i" * 32, b"r" * 32, b"c" * 32


class Rig(Stack):
    """A campaign that is open, a key store, and as many brokers as asked for."""

    def __init__(self, brokers=1, open_it=True, lease_ms=2000, guard_ms=300, cases=100):
        super().__init__()
        self.lease_ms, self.guard_ms = lease_ms, guard_ms
        self.agents = []
        self.keys = FakeKeys(f"ipc://{self.dir}/keys.sock")
        for last, key in ((0, CAMPAIGN_KEY), (1, INDEX_KEY), (2, RECEIPT_KEY)):
            self.keys.add(bytes(15) + bytes([last]), key)
        self.fresh = [os.urandom(16) for _ in range(cases)]  # their keys are there before any broker
        for case in self.fresh:
            self.keys.add(case, case + case)
        if open_it:
            self.open()
        for n in range(brokers):
            self.start_broker(n)

    def open(self, epoch=1, incarnation="a" * 32):
        assert self.router(("open", epoch, incarnation, "test")) == [[b"ok"]]
        self.redis.sadd("hf:campaigns", "c1")

    def router(self, *entries):
        return self.fcall("hf1_router", *entries)

    def endpoint(self, n=0):
        return f"ipc://{self.dir}/b{n}.sock"

    def start_broker(self, n=0, keys=True, **sets):
        sets = dict(lease_ms=self.lease_ms, guard_ms=self.guard_ms, check_ms=300, **sets)
        args = [word for k, v in sets.items() for word in ("--set", f"{k}={v}")]
        seen = self.broker_log(n).count("keys.loaded")
        self.daemon(f"broker{n}", "--bind", self.endpoint(n), *args, program="hf-broker")
        if keys and self.redis.exists("hf:campaigns"):
            self.wait_log("keys.loaded", n, seen + 1)

    def server_pk(self):
        return bytes.fromhex((self.dir / "secrets" / "broker.pub").read_text().strip())

    def person(self, name, roles="caller", team="t1", qualified=1, lanes=("pool",), active=1):
        p = Person(name)
        self.admit(p, roles, team, qualified, active)
        p.lanes = tuple(lane.format(p=name) for lane in ("own:{p}:due", *lanes))
        self.router(("offer", name, 5, *p.lanes))
        return p

    def admit(self, p, roles="caller", team="t1", qualified=1, active=1):
        bits = sum(ROLES[r] for r in roles.split())
        assert self.router(("admit_person", p.name, bits, team, qualified, p.pk.hex(), active))[0][0] == b"ok"

    def enrol(self, a, state="active"):
        assert self.router(("admit_agent", a.id.hex(), a.curve_pk.hex(), a.sign_pk.hex(), state))[0][0] == b"ok"

    def agent(self, *persons, n=0, hello=True):
        a = Agent()
        self.enrol(a)
        for p in persons:
            a.login(p)
        self.agents.append(a)
        # The broker hears of new keys and persons through the log; a socket that was refused stays so.
        wait_for("the key is let in", lambda: a.connect(self.endpoint(n), self.server_pk()).sock.poll(300, zmq.POLLOUT))
        if hello:
            wait_for("all may act", lambda: all(row[1] == 1 for row in unpack(a.hello().f1)[0]))
        return a

    def case(self, lane="pool", due=1, owner="-", digits=(), task=b"sealed task", key=True):
        case = self.fresh.pop() if key else os.urandom(16)
        indexes = b"".join(hfp.index(INDEX_KEY, "num", d) for d in digits)
        assert self.router(("create", case, lane, due, task, "", owner, indexes))[0] == [b"ok", b"created"]
        return case

    def lane(self, name):
        return set(self.redis.zrange("hf:{c1}:lane:" + name, 0, -1))

    def broker_log(self, n=0):
        path = self.logs / f"broker{n}.log"
        return path.read_text() if path.exists() else ""

    def wait_log(self, text, n=0, count=1):
        wait_for(f"the log of broker {n} says {text}", lambda: self.broker_log(n).count(text) >= count)

    def close(self):
        for a in self.agents:
            a.close()
        for name in [n for n in self.procs if n.startswith("broker")]:
            code = self.kill(name, signal.SIGTERM) if self.procs[name].poll() is None else self.procs[name].returncode
            assert code == 0, f"{name} ended with {code}:\n{self.log(name)}"
        self.keys.close()
        super().close()


@contextlib.contextmanager
def rig_with(**how):
    rig = Rig(**how)
    try:
        yield rig
    finally:
        rig.close()


@pytest.fixture(name="rig")
def _rig():
    with rig_with() as rig:
        yield rig


# ---- session ---------------------------------------------------------------------------------------


def test_hello_is_welcomed_and_may_be_repeated(rig):
    ann = rig.person("ann", "caller leader")
    a = rig.agent(ann, hello=False)
    w = a.hello()
    campaign, epoch, _opseq, mode, upto, h, settled, released, lease_ms, guard_ms = w.fields[:10]
    assert (campaign, epoch, mode, upto, h, settled, released) == ("c1", 1, 0, 0, wire.H0, 0, 0)
    assert (lease_ms, guard_ms) == (2000, 300)
    assert abs(w[10] - wall_ms()) < 5000 and abs(w[11] - wall_ms()) < 5000
    persons, tickets, leases, receipts, keys = unpack(w.f1)
    assert persons == [["ann", 1, 3, "t1", ""]]
    assert (tickets, leases, receipts) == ([], [], [])
    assert keys == [[bytes(16), CAMPAIGN_KEY]]
    assert a.hello().fields[:10] == [*w.fields[:2], a.opseq, *w.fields[3:10]]


def test_what_is_not_signed_is_refused(rig):
    ann = rig.person("ann")
    a = rig.agent(ann, hello=False)
    a.send_hello(sig=bytes(64))
    assert a.expect(NACK)[0] == "BADSIG"
    a.send_hello(campaign="other")
    assert a.expect(NACK)[0] == "UNSUPPORTED"
    another = bytes(16)
    a.send_hello(agent=another, sig=a.sign.sign(hfp.outbox_bytes("c1", another, a.ob)).signature)
    assert a.expect(NACK)[0] == "BADSIG"
    a.send(NEXT, 1, "ann")
    assert a.expect(NACK).fields[:3] == ["HELLO", NEXT, 1]


def test_a_login_that_does_not_hold_is_told_why(rig):
    good, late, wrong, gone, unknown = (rig.person(n) for n in ("good", "late", "wrong", "gone", "unknown"))
    rig.admit(gone, active=0)
    a = rig.agent(hello=False)
    now = wall_ms()
    a.login(good)
    a.login(late, now - 2 * wire.HOUR, now - 1000)
    a.login(wrong)
    a.logins[-1][3] = bytes(64)
    a.login(gone)
    a.login(unknown)
    a.logins[-1][0] = "nobody"
    rows = {row[0]: (row[1], row[4]) for row in unpack(a.hello().f1)[0]}
    assert rows == {"good": (1, ""), "late": (0, "expired"), "wrong": (0, "signature"), "gone": (0, "revoked"),
                    "nobody": (0, "unknown")}
    assert a.next(late).fields[:2] == ["REVOKED", NEXT]
    too_long = rig.person("long")
    a.login(too_long, now, now + 13 * wire.HOUR)
    assert [row[4] for row in unpack(a.hello().f1)[0] if row[0] == "long"] == ["expired"]


def test_a_key_that_is_not_enrolled_gets_no_connection(rig):
    stranger = Agent().connect(rig.endpoint(), rig.server_pk())
    assert not stranger.send_raw(b"x", b"", limit=0.5)
    wrong_server = Agent()
    rig.enrol(wrong_server)
    wrong_server.connect(rig.endpoint(), os.urandom(32))
    assert not wrong_server.send_raw(b"x", b"", limit=0.5)
    stranger.close()
    wrong_server.close()


def test_a_revoked_key_is_cut_and_stays_out(rig):
    ann, bob = rig.person("ann"), rig.person("bob")
    a, other = rig.agent(ann), rig.agent(bob)
    rig.enrol(a, "revoked")
    assert a.expect(NACK)[0] == "REVOKED"
    wait_for("the connection is cut", lambda: _is_cut(a), 3)
    assert other.sync().kind == wire.SYNCED
    a.connect(rig.endpoint(), rig.server_pk())
    assert not a.send_raw(b"x", b"", limit=0.5)


def test_a_revoked_key_is_not_even_heard(rig):
    a = rig.agent(hello=False)
    rig.enrol(a, "revoked")

    def refused():
        a.send_hello()
        frame = a.expect(NACK, WELCOME)
        return frame.kind == NACK and frame[0] == "REVOKED"

    wait_for("HELLO is refused", refused)
    wait_for("the connection is cut", lambda: _is_cut(a), 3)


def test_a_person_with_a_new_key_must_log_in_anew(rig):
    ann = rig.person("ann")
    a = rig.agent(ann)
    assert a.next(ann).kind == NONE
    renewed = Person("ann")
    rig.admit(renewed)
    renewed.next_no = 1
    wait_for("the old login is worth nothing", lambda: a.next(renewed).fields[:2] == ["HELLO", NEXT])
    assert unpack(a.hello().f1)[0][0][4] == "signature"
    a.login(renewed)
    a.hello()
    assert a.next(renewed).kind == NONE


def test_an_outbox_put_back_from_a_copy_is_refused(rig):
    ann = rig.person("ann")
    a = rig.agent(ann)
    a.record(a.header(ann, 2, fields=()))
    older = a.h
    a.record(a.header(ann, 2, fields=()))
    for seq, h in ((0, wire.H0), (1, older), (2, os.urandom(32))):
        a.send_hello(seq=seq, h=h)
        assert a.expect(NACK).fields[:2] == ["EQUIVOCATION", HELLO]
    assert a.hello().fields[4:6] == [2, a.h]
    a.new_outbox()
    a.logins = []
    a.login(ann)
    assert a.hello()[4] == 0


def test_an_outbox_stays_with_its_agent(rig):
    ann = rig.person("ann")
    a = rig.agent(ann)
    thief = rig.agent(hello=False)
    thief.send_hello(ob=a.ob, sig=thief.sign.sign(hfp.outbox_bytes("c1", thief.id, a.ob)).signature)
    assert thief.expect(NACK)[0] == "BADSIG"


# ---- work ------------------------------------------------------------------------------------------


def test_next_grants_and_the_record_is_accepted(rig):
    ann = rig.person("ann")
    case = rig.case()
    a = rig.agent(ann)
    g = a.next(ann)
    assert g.kind == GRANT, g
    no, person, got, token, rseq, lease_ms, pulled, _version, due, why, key = g.fields
    assert (no, person, got, rseq, lease_ms, pulled, due, why) == (1, "ann", case, 0, 2000, 1, 1, "new")
    assert key == case + case and token == (1 << 40) + 1
    task, ticket, last = unpack(g.f1)
    assert task == b"sealed task" and 0 < len(ticket) <= 128 and last == []
    acc = a.attempt(ann, g, body=b"sealed body")
    assert acc.fields[:4] == [a.ob, 1, a.h, 0]
    want = hfp.hash32(hfp.accepted_bytes(a.ob, 1, a.h, 0, acc[4], acc[5]), key=RECEIPT_KEY)
    assert acc[6] == want and acc[7] == ""
    assert rig.lane("triage") == {case}


def test_the_same_next_no_is_answered_alike(rig):
    ann = rig.person("ann")
    rig.case()
    a = rig.agent(ann)
    g = a.next(ann)
    a.send(NEXT, 1, "ann")
    again = a.expect(GRANT)
    assert again.fields == g.fields and again.f1 == g.f1
    assert a.giveback(g[2], g[3]).fields == [g[2], g[3], "given-back"]
    a.send(NEXT, 1, "ann")
    assert a.expect(LOST).fields == [g[2], g[3], "given-back"]
    assert a.next(ann).kind == GRANT
    assert a.next(ann).fields[:3] == [3, "ann", "limit"]


def test_a_next_that_comes_late_gets_nothing_once_a_newer_one_was_heard(rig):
    """As a broker sends it that stood still while its agent went on elsewhere, where nothing was due."""
    ann = rig.person("ann")
    a = rig.agent(ann)

    def grant(no):
        return rig.fcall("hf1_broker", ("grant", a.ob, "ann", no))[0]

    assert grant(6)[:2] == [b"no", b"empty"]
    case = rig.case()
    assert grant(5) == [b"no", b"old", b"6"]
    assert grant(6)[:2] == [b"ok", case]


def test_a_record_repeats_its_answer_and_keeps_its_order(rig):
    ann = rig.person("ann")
    rig.case()
    a = rig.agent(ann)
    g = a.next(ann)
    header = a.header(ann, token=g[3], case=g[2])
    f0, f1 = a.write(header)
    a.send_raw(f0, f1)
    first = a.expect(ACCEPTED)
    a.send_raw(f0, f1)
    assert a.expect(ACCEPTED).fields == first.fields
    gap, _, _ = a.record_frame(a.header(ann, 2, fields=()), seq=3)
    a.send_raw(gap, b"")
    assert a.expect(NACK).fields[:4] == ["GAP", RECORD, 3, 2]
    torn, _, _ = a.record_frame(a.header(ann, 2, fields=()))
    a.send_raw(torn, b"another body")
    assert a.expect(NACK)[0] == "BADSIG"
    fork, _, _ = a.record_frame(a.header(ann, 2, fields=()), seq=1, prev=wire.H0)
    a.send_raw(fork, b"")
    assert a.expect(NACK)[0] == "EQUIVOCATION"
    a.record_frame(a.header(ann, 2, fields=()))
    assert a.record(a.header(ann, 2, fields=()))[0] == "EQUIVOCATION"


def test_save_and_next_in_one_message(rig):
    ann = rig.person("ann")
    cases = {rig.case(), rig.case()}
    a = rig.agent(ann)
    g = a.next(ann)
    f0, f1 = a.write(a.header(ann, token=g[3], case=g[2]), next_no=2)
    a.send_raw(f0, f1)
    assert a.expect(ACCEPTED)[1] == 1
    second = a.expect(GRANT)
    assert second[0] == 2 and {g[2], second[2]} == cases
    # a record that is not in serves no case
    rig.case()
    bad, _, _ = a.record_frame(a.header(ann, token=second[3], case=second[2]), seq=5, next_no=3)
    a.send_raw(bad, b"")
    assert a.expect(NACK)[0] == "GAP"
    assert a.receive(0.3) is None


def test_what_may_not_be_said_is_kept_for_a_person_to_look_at(rig):
    ann, boss = rig.person("ann"), rig.person("boss", "leader")
    case = rig.case("own:ann:due", owner="ann")
    a = rig.agent(ann, boss)
    release = dict(kind=7, fields=(19, 5))
    verdict = lambda acc: (acc[3], acc[7])
    assert verdict(a.record(a.header(ann, **release))) == (2, "role")
    assert verdict(a.record(b"no header at all")) == (2, "schema")
    # ATTEMPT without a token: the owner and a leader may, nobody else
    assert verdict(a.record(a.header(ann, case=case))) == (0, "")
    assert verdict(a.record(a.header(boss, case=case))) == (0, "")
    eve = rig.person("eve")
    a.login(eve)
    a.hello()
    assert verdict(a.record(a.header(eve, case=case))) == (2, "role")
    assert verdict(a.record(a.header(eve, 2, case=case, fields=()))) == (0, "")


def test_a_person_who_never_logged_in_here_is_quarantined(rig):
    ann, guest = rig.person("ann"), rig.person("guest")
    a = rig.agent(ann)
    header = a.header(guest, 2, fields=())
    f0, f1 = a.write(header)

    def accepted():
        a.send_raw(f0, f1)
        frame = a.expect(ACCEPTED, NACK)
        return frame if frame.kind == ACCEPTED else None

    acc = wait_for("the record is in", accepted)
    assert (acc[3], acc[7]) == (2, "person")


def test_a_record_of_somebody_who_logged_in_earlier_counts(rig):
    ann, bob = rig.person("ann"), rig.person("bob")
    a = rig.agent(ann, bob)
    a.logins = [row for row in a.logins if row[0] == "ann"]
    a.connect(rig.endpoint(), rig.server_pk())
    a.hello()
    f0, f1 = a.write(a.header(bob, 2, fields=()))

    def accepted():
        a.send_raw(f0, f1)
        frame = a.expect(ACCEPTED, NACK)
        return frame if frame.kind == ACCEPTED else None

    acc = wait_for("the record is in", accepted)
    assert (acc[3], acc[7]) == (0, "")


def test_none_says_why(rig):
    ann = rig.person("ann")
    new = rig.person("new", qualified=0)
    alone = rig.person("alone", team="-")
    sup = rig.person("sup", "supervisor")
    a = rig.agent(ann, new, alone, sup)
    assert a.next(new)[2] == "unqualified"
    assert a.next(alone)[2] == "unqualified"
    assert a.next(sup)[2] == "denied"
    assert a.next(ann).fields[2:] == ["empty", 0, ""]
    due = wall_ms() + 60000
    rig.case(due=due)
    none = a.next(ann)
    slack = 10  # two clocks, each cut to a millisecond
    assert none[2] == "empty" and 50000 < none[3] <= 60000 + slack
    rig.router(("gate", wall_ms() + 30000))
    none = a.next(ann)
    assert none[2] == "closed-until" and 20000 < none[3] <= 30000 + slack
    rig.router(("pause", "1"))
    assert a.next(ann)[2] == "paused"


def test_the_strike_team_is_a_team(rig):
    """Broker and store both let it: NEXT from strike, TAKE of what is past half of its deadline."""
    max_ = rig.person("max", "strike", team="-", lanes=("strike",))
    boss = rig.person("boss", "leader")
    a = rig.agent(max_, boss)
    case = rig.case("strike", owner="ann")
    g = a.next(max_)
    assert (g.kind, g[2]) == (GRANT, case)
    late, asked = rig.case("strike:hot", owner="ann"), rig.case("team:t1:hot", owner="ann")
    assert a.take(max_, late).kind == GRANT
    assert a.take(boss, asked).kind == GRANT
    assert a.take(boss, rig.case("team:t10:hot", owner="ann"))[2] == "denied"


def test_take_by_right(rig):
    ann, boss, bob = rig.person("ann"), rig.person("boss", "leader"), rig.person("bob", team="t2")
    own = rig.case("own:ann:later", due=wall_ms() + 9 * wire.HOUR, owner="ann", digits=("19900001111",))
    asked = rig.case("team:t1", owner="ann")
    rig.case("pool", digits=("19900002222",))
    over = rig.case("terminal", owner="ann")
    a = rig.agent(ann, boss, bob)
    assert a.take(bob, own)[2] == "denied"
    g = a.take(ann, own)
    assert (g.kind, g[2], g[6]) == (GRANT, own, 0)
    assert a.take(boss, asked).kind == GRANT
    assert a.take(bob, asked)[2] == "denied"
    assert a.take(ann, asked).fields[2:] == ["held", 0, "boss"]
    assert a.take(ann, over)[2] == "closed-case"
    assert a.take(ann, os.urandom(16))[2] == "not-found"
    assert a.take(bob, digits=b"19900001111").fields[2:] == ["denied", 0, "ann"]
    assert a.take(bob, digits=b"19900003333")[2] == "not-found"
    assert a.take(bob, digits=b"call me")[2] == "not-found"
    assert a.take(bob, digits=b"19900002222").kind == GRANT


def test_looking(rig):
    ann, boss, far = rig.person("ann"), rig.person("boss", "leader"), rig.person("far", team="t2")
    strike = rig.person("max", "strike")
    mine = {rig.case("own:ann:due", owner="ann", digits=("19900001111",)) for _ in range(30)}
    asked = rig.case("team:t1", owner="ann")
    a = rig.agent(ann, boss, far, strike)
    pages = a.look(ann, "own")
    assert pages[3] >= 2 and pages[5] == "ok"
    rows = unpack(pages.f1) + unpack(a.look(ann, "own", page=1).f1)
    assert {r[0] for r in rows} == mine | {asked} and all(r[4] == r[0] + r[0] for r in rows)
    assert {r[1] for r in rows} == {"own:ann:due", "team:t1"} and rows[0][5] == b"sealed task"
    assert all(len(r) == 6 for r in rows)  # more comes to who asks for it, so that older agents read on
    more = unpack(a.look(ann, "own", arg=b"more").f1)
    assert [r[:6] for r in more] == rows[:len(more)] and all(len(r) == 9 and r[7:] == [None, None] for r in more)
    assert a.look(ann, "team")[5] == "denied"
    assert [r[0] for r in unpack(a.look(boss, "team").f1)] == [asked]
    assert a.look(strike, "strike").f1 == pack([])
    assert a.look(ann, "strike")[5] == "denied"
    one = next(iter(mine))
    assert a.look(far, "case", case=one)[5] == "denied"
    case = unpack(a.look(boss, "case", case=one).f1)
    assert case[0][:2] == [one, "own:ann:due"] and case[1] == []
    assert a.look(ann, "case", case=os.urandom(16))[5] == "not-found"
    seen = a.look(far, "number", arg=b"19900001111")
    assert seen[5] == "denied" and unpack(seen.f1)[0][1:] == ["ann", "t1"]
    assert len(unpack(a.look(ann, "number", arg=b"19900001111").f1)) == 30
    a.next(ann)
    me = unpack(a.look(ann, "me").f1)[0]
    assert me == ["ann", 1, "t1", 1, 0, "own:ann:due pool", 0]
    assert a.look(ann, "weather")[5] == "not-found"


# ---- waiting ---------------------------------------------------------------------------------------


def test_a_waiting_next_is_woken_within_50_ms_by_what_another_broker_frees():
    with rig_with(brokers=2) as rig:
        ann, bob = rig.person("ann"), rig.person("bob")
        case = rig.case()
        a, b = rig.agent(ann, n=0), rig.agent(bob, n=1)
        g = a.next(ann)
        assert g[2] == case
        assert b.next(bob).fields[2:] == ["empty", 0, ""]
        took = []
        for _ in range(5):
            start = time.monotonic()
            a.giveback(g[2], g[3])
            woken = b.expect(GRANT)
            took.append(time.monotonic() - start)
            assert woken[0] == bob.next_no and woken[2] == case
            assert a.next(ann)[2] == "empty"
            b.giveback(woken[2], woken[3])
            g = a.expect(GRANT)
            assert b.next(bob)[2] == "empty"
        assert min(took) < 0.05, took


def test_one_case_wakes_one_waiter_and_the_next_case_the_next(rig):
    people = [rig.person(f"p{i}") for i in range(8)]
    agents = [rig.agent(p) for p in people]
    for a, p in zip(agents, people):
        assert a.next(p)[2] == "empty"
    for i in range(8):
        rig.case()
        assert agents[i].expect(GRANT)[0] == 1
        assert all(a.receive(0) is None for a in agents)


def test_a_waiter_is_served_when_its_case_falls_due(rig):
    ann = rig.person("ann")
    a = rig.agent(ann)
    due = wall_ms() + 1500
    case = rig.case("own:ann:due", due=due, owner="ann")
    assert 0 < a.next(ann)[3] <= 1510
    g = a.expect(GRANT)
    assert g[2] == case and due <= wall_ms() + 1 < due + 1500  # how fast is the bench's matter
    # and one that was placed while the person waited already
    a.attempt(ann, g)
    assert a.next(ann)[2] == "empty"
    due = wall_ms() + 1500
    other = rig.case("own:ann:due", due=due, owner="ann")
    assert a.expect(GRANT)[2] == other and due <= wall_ms() + 1 < due + 1500


def test_who_has_left_is_not_woken():
    with rig_with(brokers=2) as rig:
        ann, bob = rig.person("ann"), rig.person("bob")
        a, b = rig.agent(ann), rig.agent(bob)
        assert a.next(ann)[2] == "empty"
        assert b.next(bob)[2] == "empty"
        a.connect(rig.endpoint(1), rig.server_pk())
        a.hello()
        case = rig.case()
        assert b.expect(GRANT, limit=1)[2] == case  # at once, not when a lease of the dead ends
        assert a.next(ann)[2] == "empty"


def test_waiting_ends_with_the_next_request_and_the_gate_wakes_all(rig):
    people = [rig.person(f"p{i}") for i in range(20)]
    agents = [rig.agent(p) for p in people]
    rig.router(("gate", wall_ms() + 3600000))
    for a, p in zip(agents, people):
        assert a.next(p)[2] == "closed-until"
    cases = {rig.case() for _ in range(20)}
    assert all(a.receive(0.02) is None for a in agents)
    agents[0].next(people[0])
    rig.router(("gate", 0))
    got = {a: a.expect(GRANT) for a in agents}
    assert got[agents[0]][0] == 2 and {g[2] for g in got.values()} == cases


def test_a_gate_shuts_by_itself_when_its_hour_has_come(rig):
    ann = rig.person("ann")
    rig.case()
    a = rig.agent(ann)
    rig.router(("gate", 0, wall_ms() - 1))
    assert a.next(ann)[2] == "closed-until"
    rig.router(("gate", 0, wall_ms() + 3600000))
    a.expect(GRANT)


def test_new_offers_wake_their_person(rig):
    ann = rig.person("ann")
    case = rig.case("strike")
    a = rig.agent(ann)
    assert a.next(ann)[2] == "empty"
    rig.router(("offer", "ann", 5, "strike"))
    assert a.expect(GRANT)[2] == case


# ---- leases ----------------------------------------------------------------------------------------


def test_a_renewed_lease_lives_and_a_silent_one_is_lost():
    with rig_with(brokers=2) as rig:
        ann, bob = rig.person("ann"), rig.person("bob")
        kept, silent = rig.case(), rig.case()
        a, b = rig.agent(ann), rig.agent(bob, n=1)
        ga, gb = a.next(ann), b.next(bob)
        assert {ga[2], gb[2]} == {kept, silent}
        start, rseq = time.monotonic(), 0

        def expired():
            nonlocal rseq
            r = a.renew(ga[2], ga[3], rseq)
            assert r.kind == RENEWED, r
            rseq = r[2]
            a.sock.poll(100)
            return gb[2] in rig.lane("pool")

        wait_for("the silent lease expires", expired)
        assert time.monotonic() - start > 2.3
        assert b.renew(gb[2], gb[3], 0).fields == [gb[2], gb[3], "expired"]
        assert a.renew(ga[2], ga[3], rseq - 1)[2] == rseq  # a repeat is answered like the first
        # the token is still the newest: what was said on the phone counts
        acc = b.attempt(bob, gb)
        assert (acc[3], acc[7]) == (0, "")


def test_a_late_record_is_late_and_the_new_holder_keeps_the_case(rig):
    ann, bob = rig.person("ann"), rig.person("bob")
    case = rig.case()
    a, b = rig.agent(ann), rig.agent(bob)
    ga = a.next(ann)
    assert b.next(bob)[2] == "empty"
    gb = b.expect(GRANT, limit=10)
    assert gb[2] == case and gb[3] > ga[3]
    acc = a.attempt(ann, ga)
    assert (acc[3], acc[7]) == (1, "granted-on")
    assert b.renew(gb[2], gb[3], 0).kind == RENEWED


def test_hello_tells_what_is_held_and_what_a_ticket_is_worth(rig):
    ann, bob = rig.person("ann"), rig.person("bob")
    rig.case()
    rig.case()
    a = rig.agent(ann, bob)
    g, h = a.next(ann), a.next(bob)
    a.giveback(h[2], h[3])
    a.tickets = [unpack(g.f1)[1], unpack(h.f1)[1], b"not one of ours"]
    a.connect(rig.endpoint(), rig.server_pk())
    _persons, tickets, leases, _receipts, _keys = unpack(a.hello().f1)
    assert tickets == [[g[2], g[3], 0], [h[2], h[3], 2]]
    assert leases == [[g[2], g[3], 0, "ann", 1]]


def test_a_case_without_key_goes_back(rig):
    ann = rig.person("ann")
    case = rig.case(key=False)
    a = rig.agent(ann)
    assert a.next(ann)[2] == "backlog"
    wait_for("the case is back, long before a lease would end", lambda: rig.lane("pool") == {case}, 1)
    rig.keys.add(case, case + case)

    def granted():
        return a.next(ann).kind == GRANT

    wait_for("the key has come", granted)


def test_a_stopped_broker_starts_its_observations_over():
    with rig_with(brokers=2, lease_ms=2000, guard_ms=1) as rig:
        ann = rig.person("ann")
        rig.case()
        a = rig.agent(ann, n=1)
        g = a.next(ann)
        a.renew(g[2], g[3], 0)
        for n in (0, 1):
            rig.wait_log("observer.restart", n)  # each begins with one
        rig.procs["broker0"].send_signal(signal.SIGSTOP)
        rig.procs["broker1"].send_signal(signal.SIGSTOP)
        select.select([], [], [], 3.2)  # longer than the lease: nobody could renew
        rig.procs["broker0"].send_signal(signal.SIGCONT)
        rig.procs["broker1"].send_signal(signal.SIGCONT)
        assert a.renew(g[2], g[3], 1).kind == RENEWED
        for n in (0, 1):
            rig.wait_log("why=\"the loop stood still\"", n)
        assert a.renew(g[2], g[3], 2).kind == RENEWED


# ---- receipts --------------------------------------------------------------------------------------


def test_receipts_are_passed_on_and_come_again_by_sync(rig):
    ann = rig.person("ann")
    a = rig.agent(ann)
    a.record(a.header(ann, 2, fields=()))
    receipt = pack([1, RECEIPT, 1, a.ob, 1, a.h, b"i" * 16, b"s" * 64])
    assert rig.fcall("hf1_recorder", ("mark", a.ob, 1, 1, a.h, receipt))[0][0] == b"ok"
    assert a.expect(RECEIPT).raw == receipt
    synced = a.sync(settled=0)
    assert synced.fields[1:5] == [1, a.h, 1, 0]
    assert a.expect(RECEIPT).raw == receipt
    a.sync(settled=1)
    assert a.receive(0.2) is None
    assert unpack(a.hello().f1)[3] == [receipt]


# ---- hostile frames --------------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [
    [b""], [b"x"] * 3, [b"x"] * 40, [b"", b""], [b"\xc0", b""], [pack({"a": 1}), b""], [pack([1, NEXT]), b""],
    [pack([1, NEXT, -1, "ann"]), b""], [pack([1, NEXT, 1, "ann"]) + b"\0", b""], [b"\xdd\x05\xf5\xe1\x00", b""],
    [pack([1, NEXT, 1, "Ann!"]), b""], [pack([1, NEXT, 1, 1.5]), b""], [pack([1, NEXT, 10 ** 17, "ann"]), b""],
    [pack([1, NEXT, 1, "ann"]), b"not empty"], [pack([1, HELLO, "c1", bytes(16), bytes(16), bytes(64), 0, 0, 0,
                                                      bytes(32)]), b"\xc1"],
])
def test_the_third_bad_shape_cuts_the_connection_and_no_other(rig, parts):
    ann, bob = rig.person("ann"), rig.person("bob")
    a, other = rig.agent(ann), rig.agent(bob)
    for _ in range(2):
        a.send_raw(*parts)
    assert a.sync().kind == wire.SYNCED
    a.send_raw(*parts)
    # the agent reconnects by itself, and is a stranger to the broker
    wait_for("the session is gone", lambda: _asks_for_hello(a))
    assert other.sync().kind == wire.SYNCED
    a.hello()


def _is_cut(a):
    return not a.send_raw(pack([1, wire.SYNC, a.ob, a.seq, a.h, 0, 0]), b"", limit=0.05)


def _asks_for_hello(a):
    if not a.send_raw(pack([1, wire.SYNC, a.ob, a.seq, a.h, 0, 0]), b"", limit=0.2):
        return False
    frame = a.receive(0.3)
    return frame is not None and frame.kind == NACK and frame[0] == "HELLO"


def test_what_is_too_big_or_not_spoken_is_told(rig):
    ann = rig.person("ann")
    a = rig.agent(ann)
    for _ in range(5):
        a.send_raw(b"x" * 1025, b"")
        assert a.expect(NACK)[0] == "TOOBIG"
        a.send_raw(pack([1, RECORD, a.ob, 1, wire.H0, wire.H0, wire.H0, b"", bytes(64), None]), b"x" * 65537)
        assert a.expect(NACK).fields[:3] == ["TOOBIG", RECORD, 1]
        a.send_raw(pack([2, NEXT, 1, "ann"]), b"")
        assert a.expect(NACK)[0] == "UNSUPPORTED"
        a.send_raw(pack([1, 99, 1]), b"")
        assert a.expect(NACK).fields[:2] == ["UNSUPPORTED", 99]
        a.send(wire.BLOB, "ann", bytes(32), 5, 0, f1=b"12345")
        assert a.expect(wire.HAVE).fields == [bytes(32), 5]
        a.send(wire.BLOB, "ann", bytes(32), 6, 0, f1=b"123456")      # of another size than was said
        assert a.expect(NACK).fields[:2] == ["BADSIG", wire.BLOB]
        a.send(wire.BLOB, "bob", bytes(32), 5, 0, f1=b"12345")       # who is not logged in here
        assert a.expect(NACK).fields[1] == wire.BLOB
        a.send(WELCOME, "c1", 1, 1, 0, 0, bytes(32), 0, 0, 1, 1, 1, 1)
        assert a.expect(NACK).fields[:2] == ["UNSUPPORTED", WELCOME]
    assert a.sync().kind == wire.SYNCED


def test_another_outbox_is_unknown_here(rig):
    ann = rig.person("ann")
    a = rig.agent(ann)
    a.ob = os.urandom(16)
    assert a.record(a.header(ann, 2, fields=()))[0] == "HELLO"


def test_a_slow_reader_harms_nobody_else(rig):
    ann, bob = rig.person("ann"), rig.person("bob")
    slow, other = rig.agent(ann), rig.agent(bob)
    for _ in range(3000):
        slow.send(wire.LOOK, 1, "ann", "me", 0, None)
    start = time.monotonic()
    assert other.sync().kind == wire.SYNCED
    assert time.monotonic() - start < 2


def test_requests_beyond_the_limit_are_told_to_come_again(rig):
    ann = rig.person("ann")
    a = rig.agent(ann)
    rig.procs["redis"].send_signal(signal.SIGSTOP)
    for _ in range(200):
        a.send(wire.LOOK, 1, "ann", "me", 0, None)
    answers = [a.expect(NACK) for _ in range(60)]
    assert all(n.fields[:2] == ["RETRY", wire.LOOK] for n in answers)
    rig.procs["redis"].send_signal(signal.SIGCONT)
    assert a.until(SEEN)[5] == "ok"


def test_settings_are_checked_before_anything_is_done():
    with rig_with(brokers=0) as rig:
        broker = str(BIN / "hf-broker")

        def run(*args):
            return subprocess.run([broker, *args], env=rig.env(), capture_output=True, text=True, timeout=20)

        assert run("--check-config").returncode == 0
        printed = run("--print-config", "--set", "lease_ms=6000").stdout
        assert "lease_ms" in printed and "6000" in printed
        assert run("--check-config", "--set", "lease_ms=1999").returncode == 78
        assert run("--check-config", "--set", "leese_ms=3000").returncode == 78
        (rig.dir / "broker.conf").write_text("lease_ms = 1\n")
        assert run("--check-config").returncode == 78


# ---- failures --------------------------------------------------------------------------------------


def test_the_broker_waits_for_its_campaign():
    with rig_with(open_it=False) as rig:
        rig.wait_log("campaign.waiting")
        rig.open()
        rig.wait_log("front.bound")
        rig.agent(rig.person("ann"))


def test_without_a_key_store_records_are_taken_and_nothing_is_handed_out():
    with rig_with(brokers=0) as rig:
        rig.keys.close()
        rig.start_broker(0, keys=False)
        ann = rig.person("ann")
        rig.case()
        a = rig.agent(ann)
        assert unpack(a.hello().f1)[4] == []
        assert a.next(ann)[2] == "backlog"
        acc = a.record(a.header(ann, 2, fields=()))
        assert (acc[3], acc[6]) == (0, bytes(32))
        fresh = FakeKeys(f"ipc://{rig.dir}/keys.sock")
        fresh.rows = rig.keys.rows
        rig.keys = fresh
        wait_for("it grants once the keys are there", lambda: a.next(ann).kind == GRANT)


def test_tcp_and_the_endpoint_of_the_installation():
    with rig_with(brokers=0) as rig:
        rig.daemon("broker9", program="hf-broker")
        ann = rig.person("ann")
        a = Agent()
        rig.enrol(a)
        a.login(ann)
        wait_for("let in", lambda: a.connect(rig.broker, rig.server_pk()).sock.poll(300, zmq.POLLOUT))
        assert a.hello().fields[8:10] == [120000, 2120]
        rig.agents.append(a)


def test_a_new_epoch_opened_for_recovery_waits_lease_and_guard(rig):
    ann = rig.person("ann")
    rig.case()
    a = rig.agent(ann)
    assert a.sync().kind == wire.SYNCED
    select.select([], [], [], 2.5)  # a broker that has watched for long knows nothing of the new epoch
    start = time.monotonic()
    assert rig.router(("open", 2, "b" * 32, "recover", 1)) == [[b"ok"]]
    wait_for("the broker has noticed", lambda: _asks_for_hello(a) or None)
    assert a.hello()[3] == 1
    assert a.next(ann)[2] == "embargo"
    wait_for("it grants", lambda: a.next(ann).kind == GRANT)
    assert time.monotonic() - start > 2.2


def test_a_killed_broker_is_replaced_by_the_other():
    with rig_with(brokers=2) as rig:
        ann = rig.person("ann")
        rig.case()
        a = rig.agent(ann)
        g = a.next(ann)
        rig.kill("broker0")
        f0, f1 = a.write(a.header(ann, token=g[3], case=g[2]))
        a.connect(rig.endpoint(1), rig.server_pk())
        assert unpack(a.hello().f1)[2] == [[g[2], g[3], 0, "ann", 1]]
        a.send_raw(f0, f1)
        assert a.expect(ACCEPTED).fields[1:4] == [1, a.h, 0]
        rig.start_broker(0)
        a.connect(rig.endpoint(0), rig.server_pk())
        a.send_raw(f0, f1)
        assert a.expect(NACK)[0] == "HELLO"
        a.hello()
        a.send_raw(f0, f1)
        assert a.expect(ACCEPTED).fields[1:4] == [1, a.h, 0]


def test_redis_killed_in_between_loses_nothing_and_leases_stand(rig):
    ann = rig.person("ann")
    rig.case()
    a = rig.agent(ann)
    g = a.next(ann)
    rig.kill("redis")
    f0, f1 = a.write(a.header(ann, token=g[3], case=g[2]))

    def answer():
        a.send_raw(f0, f1)
        frame = a.receive(0.3)
        return frame if frame is not None and frame.kind == ACCEPTED else None

    assert answer() is None
    rig.start_redis()
    acc = wait_for("the record is in", answer)
    assert acc.fields[1:4] == [1, a.h, 0]
    assert a.sync()[5] == 0  # the broker lived through it: NORMAL at once
    assert len(rig.redis.xrange("hf:{c1}:log", "-", "+")) and rig.redis.hget("hf:{c1}:meta", "mode") == b"0"


def test_what_is_not_known_is_not_answered(rig):
    ann = rig.person("ann")
    a = rig.agent(ann)
    rig.procs["redis"].send_signal(signal.SIGSTOP)
    f0, f1 = a.write(a.header(ann, 2, fields=()))
    a.send_raw(f0, f1)
    assert a.receive(0.5) is None  # it is with Redis, or on its way
    a.send(wire.LOOK, 3, "ann", "me", 0, None)  # waits behind it
    assert a.receive(0.2) is None
    rig.kill("redis")
    rig.wait_log("batch.unknown")
    assert a.expect(NACK).fields[:3] == ["RETRY", wire.LOOK, 3]  # this one was not sent for sure
    assert a.receive(0.5) is None
    rig.start_redis()
    rig.wait_log("serving now=yes", count=2)
    a.send_raw(f0, f1)
    assert a.expect(ACCEPTED).fields[1:4] == [1, a.h, 0]


def test_a_broker_that_came_with_redis_waits_before_it_grants():
    with rig_with(lease_ms=2000, guard_ms=100) as rig:
        ann, bob = rig.person("ann"), rig.person("bob")
        rig.case()
        a = rig.agent(ann)
        g = a.next(ann)
        rig.kill("broker0")
        rig.kill("redis")
        rig.start_redis()
        start = time.monotonic()
        rig.start_broker(0)
        a.connect(rig.endpoint(), rig.server_pk())
        b = rig.agent(bob)
        w = a.hello()
        assert w[3] == 1 and unpack(w.f1)[2] == [[g[2], g[3], 0, "ann", 1]]
        assert b.next(bob)[2] == "embargo"
        assert a.attempt(ann, g)[3] == 0
        wait_for("it grants again", lambda: b.next(bob)[2] != "embargo")
        assert time.monotonic() - start > 2.1


def test_a_store_that_is_older_than_the_broker_halts(rig):
    ann = rig.person("ann")
    rig.case()
    a = rig.agent(ann)
    old = rig.redis.hgetall("hf:{c1}:meta")
    for _ in range(3):
        a.record(a.header(ann, 2, fields=()))
    rig.redis.hset("hf:{c1}:meta", mapping=old)
    a.send(NEXT, 1, "ann")

    def halted():
        answer = a.record(a.header(ann, 2, fields=()), limit=1)
        return answer.kind == NACK and answer[0] == "HALTED"

    wait_for("the store is halted", halted)
    assert rig.redis.hget("hf:{c1}:meta", "mode") == b"2"


@pytest.mark.parametrize("how", ["lacks", "contradicts", "trimmed"])
def test_a_store_whose_log_says_something_else_halts_however_high_its_counters_are(rig, how):
    """An older copy into which the router wrote before the broker came back."""
    ann = rig.person("ann")
    rig.case()
    a = rig.agent(ann)
    for _ in range(3):
        a.record(a.header(ann, 2, fields=()))
    rig.agent(rig.person("bob"))  # whom the broker knows by the log alone
    before, log = rig.redis.hgetall("hf:{c1}:meta"), rig.redis.xrange("hf:{c1}:log")
    read = max(i for i, (_, e) in enumerate(log) if e[b"e"].startswith(b"person "))
    if how == "trimmed":
        rig.redis.xtrim("hf:{c1}:log", maxlen=0)
    else:
        rig.redis.xdel("hf:{c1}:log", *(no for no, _ in log[read:]))
    if how == "contradicts":
        rig.redis.execute_command("XSETID", "hf:{c1}:log", log[read - 1][0])
        for no, e in log[read:]:
            rig.redis.xadd("hf:{c1}:log", {**e, b"e": e[b"e"] + b"0"}, id=no)
    rig.redis.hset("hf:{c1}:meta", mapping={b"opseq": int(before[b"opseq"]) + 50, b"logno": int(before[b"logno"]) + 50})
    rig.redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    if how == "trimmed":
        wait_for("it is attached again", lambda: rig.log("broker0").count("store.attached") == 2)
        assert rig.redis.hget("hf:{c1}:meta", "mode") == b"0"
    else:
        wait_for("the store is halted", lambda: rig.redis.hget("hf:{c1}:meta", "mode") == b"2")


def test_a_new_epoch_asks_everybody_for_hello(rig):
    ann = rig.person("ann")
    a = rig.agent(ann)
    rig.open(2, "b" * 32)
    wait_for("EPOCH or HELLO is asked for", lambda: _asks_for_hello(a) or None)
    w = a.hello()
    assert w[1] == 2 and a.next(ann)[2] == "empty"


def test_a_store_that_would_forget_is_not_trusted(rig):
    ann = rig.person("ann")
    a = rig.agent(ann)
    rig.redis.config_set("appendfsync", "everysec")
    rig.wait_log("appendfsync is not always")
    f0, f1 = a.write(a.header(ann, 2, fields=()))
    a.send_raw(f0, f1)
    assert a.expect(NACK)[0] == "RETRY"
    rig.redis.config_set("appendfsync", "always")
    rig.wait_log("serving now=yes", count=2)
    a.send_raw(f0, f1)
    assert a.expect(ACCEPTED)[3] == 0


def test_a_full_store_stops_grants_but_takes_records(rig):
    ann = rig.person("ann")
    rig.case()
    a = rig.agent(ann)
    rig.redis.config_set("maxmemory", 1500 * 1024)
    rig.wait_log("what=memory")
    assert a.next(ann)[2] == "backlog"
    assert a.record(a.header(ann, 2, fields=())).kind == ACCEPTED
    rig.redis.config_set("maxmemory", "1gb")
    wait_for("it grants", lambda: a.next(ann).kind == GRANT)


def test_one_liar_does_not_halt_the_campaign_but_two_witnesses_do(rig):
    ann, bob = rig.person("ann"), rig.person("bob")
    a, b = rig.agent(ann), rig.agent(bob)
    for _ in range(3):
        a.hello(epoch=1, opseq=10 ** 9)
    assert a.sync()[5] == 0
    b.hello(epoch=1, opseq=10 ** 9)
    wait_for("halted", lambda: a.sync()[5] == 2)


def test_sigterm_answers_what_is_in_flight_and_ends_with_0(rig):
    ann = rig.person("ann")
    a = rig.agent(ann)
    frames = [a.write(a.header(ann, 2, fields=())) for _ in range(50)]
    for f0, f1 in frames:
        a.send_raw(f0, f1)
    a.until(ACCEPTED)
    start = time.monotonic()
    assert rig.kill("broker0", signal.SIGTERM) == 0
    assert time.monotonic() - start < 5
    rig.start_broker(0)


def test_nothing_personal_is_logged(rig):
    ann = rig.person("ann-secretname")
    case = rig.case(digits=("19900001111",), task=b"TASKCANARY")
    a = rig.agent(ann)
    g = a.next(ann)
    a.attempt(ann, g, body=b"BODYCANARY")
    a.take(ann, digits=b"19900001111")
    a.look(ann, "number", arg=b"19900001111")
    rig.procs["broker0"].send_signal(signal.SIGUSR1)
    rig.wait_log("event=stats")
    log = rig.broker_log()
    for canary in ("19900001111", "TASKCANARY", "BODYCANARY", "secretname", (case + case).hex()):
        assert canary not in log
