"""An agent written from PROTOCOL.md alone works a campaign: real Redis, real hf-broker, and what the log says."""
import itertools
import os
import secrets
import shutil
import signal

import pytest
import zmq
import zmq.utils.z85 as z85

import hfp
from agent import FakeKeys
from agent_py import Agent, Cloned, Forged, Lease, Nacked
from stack import Stack, wait_for

CAMPAIGN = "c1"
CAMPAIGN_KEY, INDEX_KEY, RECEIPT_KEY = b"c" * 32, b"i" * 32, b"r" * 32
CALLER, LEADER = 1, 2


class Campaign(Stack):
    """Opened, with a key store, one broker, and people with keys."""

    def __init__(self):
        super().__init__()
        self.keys, self.agents, self.people = FakeKeys(f"ipc://{self.dir}/keys.sock"), [], {}
        for last, key in ((0, CAMPAIGN_KEY), (1, INDEX_KEY), (2, RECEIPT_KEY)):
            self.keys.add(bytes(15) + bytes([last]), key)
        self.recorder_seed, self.incarnation = secrets.token_bytes(32), secrets.token_bytes(16)
        self.fresh = [secrets.token_bytes(16) for _ in range(30)]
        for case in self.fresh:
            self.keys.add(case, self.key_of(case))
        self.router("open", 1, self.incarnation.hex(), "test")
        self.redis.sadd("hf:campaigns", CAMPAIGN)
        self.enrolments = itertools.count()
        self.start_broker()

    def router(self, *entry):
        reply = self.fcall("hf1_router", entry)
        assert reply[0][0] == b"ok", reply
        return reply[0]

    def start_broker(self):
        started = self.log("broker").count("keys.loaded")
        self.daemon("broker", "--set", "lease_ms=3000", "--set", "guard_ms=300", "--set", "check_ms=200",
                    program="hf-broker")
        wait_for("the broker has its keys", lambda: self.log("broker").count("keys.loaded") > started)

    @staticmethod
    def key_of(case):
        return hfp.hash32(b"key of ", case)

    def person(self, name, roles=CALLER, lanes=("pool",)):
        seed = self.people[name] = secrets.token_bytes(32)
        self.router("admit_person", name, roles, "t1", 1, hfp.public(seed).hex(), 1)
        self.router("offer", name, 5, f"own:{name}:due", *lanes)
        return name

    def enrol(self, *persons, admit=True):
        """A directory as hfctl writes it (PROTOCOL 3)."""
        d = self.dir / f"agent{next(self.enrolments)}"
        (d / "persons").mkdir(parents=True)
        curve_pk, curve_sk = (z85.decode(k) for k in zmq.curve_keypair())
        seed = secrets.token_bytes(32)
        agent, sign_pk = hfp.agent_id(curve_pk, hfp.public(seed)), hfp.public(seed)
        conf = {"campaign": CAMPAIGN, "brokers": self.broker, "agent": agent.hex(), "curve_pk": curve_pk.hex(),
                "broker_key": (self.dir / "secrets" / "broker.pub").read_text().strip(), "sign_pk": sign_pk.hex(),
                "recorder_key": hfp.public(self.recorder_seed).hex()}
        (d / "agent.conf").write_text("".join(f'{k} = "{v}"\n' for k, v in conf.items()))
        (d / "curve.key").write_text(curve_sk.hex() + "\n")
        (d / "sign.key").write_text(seed.hex() + "\n")
        for p in persons:
            (d / "persons" / f"{p}.key").write_text(f'unattended = "1"\nseed = "{self.people[p].hex()}"\n')
        if admit:
            self.router("admit_agent", agent.hex(), curve_pk.hex(), sign_pk.hex(), "active")
        return d

    def agent(self, *persons, enrolled=None, connect=True):
        a = Agent(enrolled or self.enrol(*persons))
        self.agents.append(a)
        for p in persons:
            a.login(p)
        if connect:  # the broker hears of new persons through the log
            a.connect()
            wait_for("all may act", lambda: all(p["ok"] for p in a.persons.values()) or not a.hello())
        return a

    def case(self, name="陈晨", lane="pool", due=1, owner="-", digits="19900001234"):
        case = self.fresh.pop()
        task = hfp.pack([1, 1, "26110101000001", 2, name, 14, [["self", digits, ""]]])
        sealed = hfp.seal(self.key_of(case), task, hfp.task_ad(case), secrets.token_bytes(24))
        self.router("create", case, lane, due, sealed, "", owner, hfp.index(INDEX_KEY, "num", digits))
        return case

    def state(self, case):
        """The parts of a case's state text (ARCHITECTURE 3.1), the blob left off."""
        names = "version owner hand lane due token rseq given flags ob law_at why".split()
        return dict(zip(names, self.redis.hget("hf:{c1}:cases", case).decode().split("|")))

    def entries(self, kind):
        """Log entries of a type: (detail words, fields)."""
        found = []
        for _, f in self.redis.xrange("hf:{c1}:log"):
            if f[b"e"].split()[0] == kind.encode():
                found.append((f[b"d"].decode().split(), f))
        return found

    def receipt(self, agent, level, upto, seed=None, h=None):
        h = h or agent.outbox.hash_at(upto)
        data = hfp.receipt_bytes(level, agent.outbox.ob, upto, h, self.incarnation)
        return hfp.frame("RECEIPT", level=level, ob=agent.outbox.ob, upto=upto, h=h, incarnation=self.incarnation,
                         sig=hfp.sign(seed or self.recorder_seed, data))

    def mark(self, agent, level, upto, **how):
        f0 = self.receipt(agent, level, upto, **how)
        reply = self.fcall("hf1_recorder", ("mark", agent.outbox.ob, level, upto, agent.outbox.hash_at(upto), f0))
        assert reply[0][0] == b"ok", reply

    def close(self):
        for a in self.agents:
            a.close()
        code = self.kill("broker", signal.SIGTERM) if "broker" in self.procs else 0
        self.keys.close()
        super().close()
        assert code == 0


@pytest.fixture(name="c")
def _campaign():
    with Campaign() as c:
        yield c


def assert_chain_in_log(c, agent):
    """What the log has of this outbox is the outbox: every record once, in order, byte for byte, each hash right."""
    prev, seqs = hfp.ZERO32, []
    for words, f in c.entries("record"):
        if words[0] != agent.outbox.ob.hex():
            continue
        name, r = hfp.read_frame(f[b"r"])
        bc = hfp.hash32(f[b"b"])
        assert (name, r["prev_h"], r["bc"]) == ("RECORD", prev, bc)
        prev = hfp.chain(prev, agent.outbox.ob, r["seq"], r["header"], bc)
        assert r["h"] == prev and hfp.verified(agent.sign_pk, prev, r["sig"])
        assert int(words[1]) == r["seq"]
        seqs.append(r["seq"])
    assert seqs == list(range(1, agent.outbox.head + 1))
    assert prev == agent.outbox.hash_at(agent.outbox.head)


def test_pull_record_and_the_log_has_both(c):
    ann, case = c.person("ann"), c.case("张三")
    a = c.agent(ann)
    assert a.welcome["campaign"] == CAMPAIGN and a.welcome["epoch"] == 1
    assert a.persons["ann"] == {"ok": 1, "roles": CALLER, "team": "t1", "why": ""}
    lease = a.next(ann)
    assert isinstance(lease, Lease) and lease.case == case and lease.pulled == 1
    assert lease.task["name"] == "张三" and lease.task["numbers"] == [["self", "19900001234", ""]]
    assert case in a.outbox.holds, "what is shown is on the disk first"
    words, entry = c.entries("grant")[-1]
    assert words[:2] == ["ann", a.outbox.ob.hex()] and words[3:] == ["1", "pool"]
    assert entry[b"c"] == case
    assert c.state(case)["hand"] == "ann" and c.state(case)["token"] == f"{lease.token:016x}"

    fields = {"outcome": "callback", "channel": "phone", "number": hfp.number_id(lease.key, "19900001234"),
              "seconds": 41, "spoke": "mother", "concerns": ["fees"]}
    seq = a.record("ATTEMPT", ann, lease, fields=fields, body={"note": "晚上再打", "answered": "母亲"})
    told = a.wait_accepted(seq)
    assert (told["verdict"], told["why"], told["epoch"]) == (0, "", 1)
    proof = hfp.accepted_bytes(a.outbox.ob, seq, told["h"], 0, told["epoch"], told["opseq"])
    assert told["receipt"] == hfp.hash32(proof, key=RECEIPT_KEY)

    words, entry = c.entries("record")[-1]
    assert words == [a.outbox.ob.hex(), "1", "0", "-", "ann", "1"]
    assert (entry[b"r"], entry[b"b"]) == a.record_frames(1)
    assert int(entry[b"e"].split()[1]) == told["opseq"]
    said = hfp.read_body(hfp.open_seal(c.key_of(case), entry[b"b"], hfp.body_ad(case, a.outbox.ob, 1)))
    assert said == {"note": "晚上再打", "answered": "母亲"}
    state = c.state(case)
    assert (state["lane"], state["owner"], state["hand"], state["flags"]) == ("triage", "ann", "-", "d")
    assert_chain_in_log(c, a)


def test_what_was_said_is_read_by_whoever_comes_next(c):
    ann, bob, case = c.person("ann"), c.person("bob", LEADER), c.case()
    a, b = c.agent(ann), c.agent(bob)
    lease = a.next(ann)
    a.wait_accepted(a.record("ATTEMPT", ann, lease, fields={"outcome": "no-answer"}, body={"note": "关机"}))
    c.router("place", case, c.state(case)["version"], "0-0", "", "pool", 1, "again", "", "")
    got = b.next(bob)
    assert got.case == case and got.why == "again"
    (head, text), = got.last_bodies()
    assert (head["kind"], head["person"], head["fields"]["outcome"]) == ("ATTEMPT", "ann", "no-answer")
    assert text == {"note": "关机"}
    f, (row, last) = b.look(bob, "case", case=case)
    assert (f["code"], row[0], row[1], row[4]) == ("ok", case, "hand:bob", c.key_of(case))
    (ob, seq, header, body), = last
    assert (ob, seq, header.hex(), body) == (a.outbox.ob, 1, a.outbox.records[1]["header"], a.record_frames(1)[1])
    assert hfp.read_task(hfp.open_seal(row[4], row[5], hfp.task_ad(case)))["name"] == "陈晨"


def test_save_and_next_is_one_message(c):
    ann = c.person("ann")
    first, second = c.case(due=1), c.case(due=2)
    a = c.agent(ann)
    lease = a.next(ann)
    assert lease.case == first
    seq = a.record("ATTEMPT", ann, lease, fields={"outcome": "confirmed"}, next_too=True)
    answer = a.request(lambda: a.send(*a.record_frames(seq)), lambda: a.asks[ann].answer)
    assert a.accepted[seq]["verdict"] == 0
    assert answer.case == second
    assert len(c.entries("record")) == 1 and len(c.entries("grant")) == 2


def test_a_waiting_request_is_served_when_a_case_comes(c):
    ann = c.person("ann")
    a = c.agent(ann)
    what, f = a.next(ann)
    assert (what, f["reason"], f["who"]) == ("none", "empty", "")
    case = c.case()
    lease = a.wait_grant(ann)
    assert lease is not None and lease.case == case
    assert a.pump(lambda: lease.rseq == 1, 5), "an unasked GRANT is renewed at once"
    assert c.state(case)["rseq"] == "1"


def test_renewing_keeps_and_silence_loses(c):
    ann, case = c.person("ann"), c.case()
    a = c.agent(ann)
    lease = a.next(ann)
    for n in (1, 2):
        before = lease.deadline
        assert a.renew(lease) and lease.rseq == n and lease.deadline > before
    wait_for("the lease expires", lambda: c.state(case)["hand"] == "-")
    assert c.entries("expire")[-1][0] == ["ann", "silent"]
    assert not a.renew(lease) and lease.ended == "expired"
    # and yet the call took place: nobody was granted the case since
    told = a.wait_accepted(a.record("ATTEMPT", ann, lease, fields={"outcome": "confirmed"}))
    assert told["verdict"] == 0


def test_giving_back_returns_the_case(c):
    ann, case = c.person("ann"), c.case()
    a = c.agent(ann)
    lease = a.next(ann)
    assert a.giveback(lease, "break") == "given-back"
    assert c.state(case)["lane"] == "pool" and case not in a.outbox.holds
    assert c.entries("giveback")[-1][0] == ["ann", "break"]


def test_a_record_after_somebody_else_was_granted_is_late(c):
    ann, bob, case = c.person("ann"), c.person("bob"), c.case()
    a, b = c.agent(ann), c.agent(bob)
    lease = a.next(ann)
    a.giveback(lease)
    other = b.next(bob)
    assert other.case == case
    told = a.wait_accepted(a.record("ATTEMPT", ann, lease, fields={"outcome": "confirmed"}))
    assert (told["verdict"], told["why"]) == (1, "granted-on")
    assert c.state(case)["hand"] == "bob", "it moves nothing"
    assert c.entries("record")[-1][0][2:4] == ["1", "granted-on"]


def test_records_made_without_a_network_arrive_once_and_in_order(c):
    ann, case = c.person("ann"), c.case()
    a = c.agent(ann)
    lease = a.next(ann)
    a.disconnect()
    a.record("ATTEMPT", ann, lease, fields={"outcome": "no-answer"}, again=1)
    for n in range(5):
        a.record("NOTE", ann, case=case, body={"note": f"第{n}条"})
    assert c.entries("record") == []
    a.connect()
    told = a.wait_accepted(6)
    assert told["verdict"] == 0 and a.accepted_upto == 6
    assert_chain_in_log(c, a)
    a.accepted.clear()
    a.resend(1)  # saying it again says nothing new
    assert a.pump(lambda: len(a.accepted) == 6, 5)
    assert a.accepted[6] == told
    assert_chain_in_log(c, a)
    assert c.state(case)["hand"] == "ann", "another try follows: the lease went on"


def test_a_gap_is_told_and_filled(c):
    ann = c.person("ann")
    a = c.agent(ann)
    for n in range(4):
        a.record("NOTE", ann, body={"note": str(n)}, send=False)
    a.send(*a.record_frames(3))
    assert a.pump(lambda: a.nacks, 5)
    assert (a.nacks[0]["code"], a.nacks[0]["ref"], a.nacks[0]["expected"]) == ("GAP", 3, 1)
    a.wait_accepted(4)
    assert_chain_in_log(c, a)


def test_a_broker_that_is_killed_is_survived(c):
    ann = c.person("ann")
    case, _ = c.case(due=1), c.case(due=2)
    a = c.agent(ann)
    lease = a.next(ann)
    c.kill("broker")
    seq = a.record("ATTEMPT", ann, lease, fields={"outcome": "no-answer"})
    c.start_broker()
    assert a.wait_accepted(seq)["verdict"] == 0
    assert c.state(case)["lane"] == "triage"
    assert isinstance(a.next(ann), Lease)
    assert_chain_in_log(c, a)


def test_an_agent_that_died_goes_on_from_its_disk(c):
    ann, case = c.person("ann"), c.case()
    a = c.agent(ann)
    a.next(ann)
    a.record("NOTE", ann, body={"note": "没发出去"}, send=False)
    a.close()
    b = c.agent(ann, enrolled=a.dir)
    assert b.outbox.ob == a.outbox.ob
    assert b.tickets == {(case, b.outbox.holds[case]["token"]): 0}, "KEPT"
    assert [row[0] for row in b.server_leases] == [case]
    assert b.wait_accepted(1)["verdict"] == 0
    seq = b.record("ATTEMPT", ann, case=case, token=b.outbox.holds[case]["token"], fields={"outcome": "confirmed"},
                   body={"note": "好"})
    assert b.wait_accepted(seq)["verdict"] == 0
    assert_chain_in_log(c, b)


def test_an_outbox_put_back_from_a_copy_is_found_out(c):
    ann = c.person("ann")
    a = c.agent(ann)
    a.wait_accepted(a.record("NOTE", ann))
    copy = c.dir / "copy"
    shutil.copytree(a.outbox.path.parent, copy)
    a.wait_accepted(a.record("NOTE", ann))
    b = Agent(a.dir, copy)
    c.agents.append(b)
    b.login(ann)
    with pytest.raises((Cloned, Nacked)) as e:
        b.connect()
    assert e.type is Cloned or e.value.code == "EQUIVOCATION"


def test_a_second_record_under_one_number_freezes_the_outbox(c):
    ann = c.person("ann")
    a = c.agent(ann)
    copy = c.dir / "copy"
    shutil.copytree(a.outbox.path.parent, copy)
    a.wait_accepted(a.record("NOTE", ann))
    b = Agent(a.dir, copy)
    c.agents.append(b)
    b.login(ann)
    b.record("NOTE", ann)
    with pytest.raises((Cloned, Nacked)) as e:
        b.connect()
    assert e.type is Cloned or e.value.code == "EQUIVOCATION"
    # one that does not say HELLO first, but speaks on the connection it has
    a.send(*b.record_frames(1))
    assert a.pump(lambda: a.nacks, 5)
    assert a.nacks[0]["code"] == "EQUIVOCATION"
    with pytest.raises(Nacked) as e:
        a.wait_accepted(a.record("NOTE", ann))
    assert e.value.code == "EQUIVOCATION", "frozen"
    assert len(c.entries("record")) == 1


def test_receipts_are_believed_only_with_the_recorders_name(c):
    ann = c.person("ann")
    a = c.agent(ann)
    for n in range(3):
        a.wait_accepted(a.record("NOTE", ann, body={"note": str(n)}))
    c.mark(a, 1, 2)
    a.sync()
    assert a.pump(lambda: a.marks[1] == 2, 5)
    assert a.synced["settled_upto"] == 2 and a.synced["released_upto"] == 0
    c.mark(a, 2, 2)
    a.sync()
    assert a.pump(lambda: a.marks[2] == 2, 5)
    assert sorted(a.outbox.records) == [2, 3], "what is released may be forgotten"
    a.wait_accepted(a.record("NOTE", ann))
    c.mark(a, 1, 4, seed=secrets.token_bytes(32))
    with pytest.raises(Forged):
        a.sync()
        a.pump(lambda: False, 2)
    assert a.marks[1] == 2


def test_what_does_not_decode_or_may_not_be_said_is_kept_aside(c):
    ann = c.person("ann")
    a = c.agent(ann)
    bad = hfp.pack([1, 1, ann, "no token"])
    seq = a.outbox.add(bad, b"", a.sign_seed, None)
    a.send(*a.record_frames(seq))
    told = a.wait_accepted(seq)
    assert (told["verdict"], told["why"]) == (2, "schema")
    told = a.wait_accepted(a.record("RELEASE", ann, fields={"count": 0}))
    assert (told["verdict"], told["why"]) == (2, "role")
    told = a.wait_accepted(a.record("NOTE", "nobody"))
    assert (told["verdict"], told["why"]) == (2, "person")
    assert a.wait_accepted(a.record("NOTE", ann))["verdict"] == 0, "and does not stand in the way"
    assert_chain_in_log(c, a)


@pytest.mark.parametrize("part", ["h", "bc", "body"])
def test_a_record_with_one_wrong_byte_is_refused(c, part):
    ann = c.person("ann")
    a = c.agent(ann)
    seq = a.record("NOTE", ann, body={"note": "x"}, send=False)
    f0, f1 = a.record_frames(seq)
    _, f = hfp.read_frame(f0)
    if part == "body":
        f1 = f1[:-1] + bytes([f1[-1] ^ 1])
    else:
        f[part] = f[part][:-1] + bytes([f[part][-1] ^ 1])
    a.send(hfp.frame("RECORD", **f), f1)
    assert a.pump(lambda: a.nacks, 5)
    assert (a.nacks[0]["code"], a.nacks[0]["kind"], a.nacks[0]["ref"]) == ("BADSIG", hfp.KIND["RECORD"], 1)
    a.resend(seq)
    assert a.wait_accepted(seq)["verdict"] == 0, "the right one is taken afterwards"


def test_an_incoming_call_finds_its_case(c):
    ann, bob = c.person("ann"), c.person("bob")
    case = c.case(lane="own:ann:callback", owner="ann", digits="19900007777")
    a, b = c.agent(ann), c.agent(bob)
    f, rows = b.look(bob, "number", argument="19900007777")
    assert (f["code"], rows) == ("denied", [[case, "ann", "t1"]])
    what, f = b.take(bob, number="19900007777")
    assert (what, f["reason"]) == ("none", "denied")
    lease = a.take(ann, number="19900007777")
    assert lease.case == case and lease.pulled == 0
    what, f = a.take(ann, number="19900008888")
    assert (what, f["reason"]) == ("none", "not-found")
    f, rows = a.look(ann, "own")
    assert [r[0] for r in rows] == [case] and rows[0][4] == c.key_of(case)
    f, ((person, roles, team, pulled, opened, offer, _gate),) = a.look(ann, "me")
    assert (person, roles, team, pulled, opened) == ("ann", CALLER, "t1", 0, 1) and "pool" in offer.split()


def test_a_login_that_is_not_signed_by_the_person_may_not_act(c):
    ann = c.person("ann")
    a = c.agent(ann, connect=False)
    a.login(ann, seed=secrets.token_bytes(32))
    a.connect()
    wait_for("the broker knows ann", lambda: a.hello() and a.persons["ann"]["why"] != "unknown")
    assert a.persons["ann"] == {"ok": 0, "roles": 0, "team": "", "why": "signature"}
    with pytest.raises(Nacked) as e:
        a.next(ann)
    assert e.value.code == "REVOKED"
    a.login(ann)
    assert a.hello() and a.persons["ann"]["ok"] == 1


def test_a_key_that_was_not_enrolled_gets_no_connection(c):
    ann = c.person("ann")
    a = c.agent(ann, enrolled=c.enrol(ann, admit=False), connect=False)
    with pytest.raises(TimeoutError):
        a.connect(limit=2.5)
    assert a.welcome is None


def test_frames_of_the_wrong_shape_are_dropped_and_cut_off_at_the_third(c):
    ann = c.person("ann")
    a = c.agent(ann)
    good = hfp.frame("NEXT", next_no=1, person=ann)
    events = a.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    for bad in (good + b"\0", b"\x94\x01\x03\xcc\x01\xa3ann", os.urandom(40)):
        a.send_raw(bad, b"")
    assert events.poll(5000), "three and out"
    a.socket.disable_monitor()
    events.close()
    assert c.entries("grant") == []
    a.connect()
    assert a.next(ann)[0] == "none"


def test_what_is_not_spoken_yet_is_said_so(c):
    a = c.agent(c.person("ann"))
    a.send(hfp.pack([1, 99, "later"]))
    a.send(hfp.pack([2, 3, 1, "ann"]))
    assert a.pump(lambda: len(a.nacks) == 2, 5)
    assert {n["code"] for n in a.nacks} == {"UNSUPPORTED"}
