"""The agent from the text against the whole: a campaign made by hfctl, the real key store, the recorder's receipts."""
import json
import secrets
import subprocess

import pytest
import zmq
import zmq.utils.z85 as z85

import hfp
from agent_py import Agent, Lease
from stack import BIN, Stack, wait_for

MONDAY_MORNING = 1773018000000  # 2026-03-09 09:00 in Beijing: calling hours whatever the hour of the test is


class Whole(Stack):
    def __init__(self, *daemons):
        super().__init__(pg=True)
        (self.dir / "broker.conf").write_text("lease_ms = 3000\n")
        (self.dir / "demo").touch()
        with open("/proc/uptime", encoding="ascii") as f:
            boot_us = int(float(f.read().split()[0]) * 1e6)
        (self.dir / "clock").write_text(f"{MONDAY_MORNING} {boot_us} 1000 0\n")
        self.ctl("db", "migrate")
        for daemon in daemons:
            self.daemon(daemon)
        self.ctl("campaign", "create", "c1")

    def router(self, *entry):
        reply = self.fcall("hf1_router", entry)
        assert reply[0][0] == b"ok", reply

    def add_key(self, case, key):
        """One row for the key store, as hfctl sends it before a COMMIT."""
        s = zmq.Context.instance().socket(zmq.DEALER)
        s.linger = 0
        s.connect(f"ipc://{self.dir}/keys.sock")
        s.send(hfp.pack(["add", "c1", [[case, key]]]))
        assert s.poll(10000) and hfp.unpack(s.recv()) == ["added", 1]
        s.close()

    def enrol(self, person):
        """A directory as PROTOCOL 3 has it, admitted as the router admits it."""
        d, seed, sign_seed = self.dir / person, secrets.token_bytes(32), secrets.token_bytes(32)
        (d / "persons").mkdir(parents=True)
        curve_pk, curve_sk = (z85.decode(k) for k in zmq.curve_keypair())
        sign_pk = hfp.public(sign_seed)
        agent = hfp.agent_id(curve_pk, sign_pk).hex()
        conf = {"campaign": "c1", "brokers": self.broker, "agent": agent, "curve_pk": curve_pk.hex(),
                "sign_pk": sign_pk.hex(), "broker_key": (self.dir / "secrets" / "broker.pub").read_text().strip(),
                "recorder_key": (self.dir / "secrets" / "recorder.pub").read_text().strip()}
        (d / "agent.conf").write_text("".join(f'{k} = "{v}"\n' for k, v in conf.items()))
        (d / "curve.key").write_text(curve_sk.hex() + "\n")
        (d / "sign.key").write_text(sign_seed.hex() + "\n")
        (d / "persons" / f"{person}.key").write_text(f'unattended = "1"\nseed = "{seed.hex()}"\n')
        self.router("admit_person", person, 1, "t1", 1, hfp.public(seed).hex(), 1)
        self.router("offer", person, 5, "pool")
        self.router("admit_agent", agent, curve_pk.hex(), sign_pk.hex(), "active")
        return d

    def case(self):
        case, key = secrets.token_bytes(16), secrets.token_bytes(32)
        self.add_key(case, key)
        task = hfp.pack([1, 1, "26110101000001", 2, "陈晨", 14, [["self", "19900001234", ""]]])
        sealed = hfp.seal(key, task, hfp.task_ad(case), secrets.token_bytes(24))
        self.router("create", case, "pool", 1, sealed, "", "-", "")
        return case


def session(enrolled, person):
    a = Agent(enrolled)
    a.login(person)
    a.connect()
    wait_for(f"{person} may act", lambda: a.persons[person]["ok"] or not a.hello())
    return a


def wait_mark(agent, level, upto):
    """Asks by SYNC until the mark is there: PROTOCOL 8, every push may be lost."""
    wait_for(f"level {level} up to {upto}",
             lambda: agent.sync() and agent.pump(lambda: agent.marks[level] >= upto, 0.2))


@pytest.fixture(scope="module", name="stack")
def _stack():
    with Whole("hf-recorder", "hf-broker") as s:
        s.enrol("p01")
        yield s


@pytest.fixture(name="agent")
def _agent(stack):
    a = session(stack.dir / "p01", "p01")
    yield a
    a.close()


def test_a_call_reaches_the_ledger_and_the_receipt_comes_back(stack, agent):
    case = stack.case()
    # until the broker has heard of the case's new key, it answers `backlog`
    lease = wait_for("a lease", lambda: (lambda got: got if isinstance(got, Lease) else None)(agent.next("p01")))
    assert lease.case == case and lease.task["name"] == "陈晨"
    fields = {"outcome": "no-answer", "channel": "phone", "number": hfp.number_id(lease.key, "19900001234"),
              "seconds": 31}
    seq = agent.record("ATTEMPT", "p01", lease, fields=fields, body={"note": "响了很久"})
    assert agent.wait_accepted(seq)["verdict"] == 0
    wait_mark(agent, 1, seq)
    rows = stack.sql("SELECT encode(ob, 'hex'), seq, verdict FROM hf.ledger WHERE person = 'p01'")
    assert rows == [[agent.outbox.ob.hex(), str(seq), "0"]]


def test_the_recorder_dies_among_many_records(stack, agent):
    first = agent.outbox.head + 1
    for n in range(40):
        agent.record("NOTE", "p01", body={"note": f"第 {n} 条"})
        if n == 20:
            stack.kill("hf-recorder")
            stack.daemon("hf-recorder")
    agent.wait_accepted(agent.outbox.head)
    wait_mark(agent, 1, agent.outbox.head)
    rows = stack.sql(f"SELECT seq FROM hf.ledger WHERE person = 'p01' AND seq >= {first} ORDER BY seq")
    assert [int(r[0]) for r in rows] == list(range(first, first + 40))


def test_the_next_session_of_the_agent_goes_on(stack, agent):
    assert agent.outbox.head >= 1 and agent.welcome["accepted_upto"] == agent.outbox.head
    assert agent.marks[1] == agent.outbox.head, "WELCOME brings the newest receipts"
    seq = agent.record("NOTE", "p01", body={"note": "第二天"})
    assert agent.wait_accepted(seq)["verdict"] == 0
    wait_mark(agent, 1, seq)
