"""Faults on the real programs; after each run the checker judges its history. HF_SEED picks another order of faults,
HF_FAULT_SECONDS the length of the long run."""
import contextlib
import os
import random
import shutil
import signal
import time

import pytest

from faults import DAEMONS, Small, agent, double, kill, network, pause, postgres_away
from rig import FaultStack, Worker, wait_for

SEED = int(os.environ.get("HF_SEED", "1"))
SECONDS = float(os.environ.get("HF_FAULT_SECONDS", "45"))
@pytest.fixture(name="stack")
def _stack():
    with FaultStack(SEED) as s:
        yield s


@pytest.fixture(name="long_stack")
def _long_stack():
    with FaultStack(SEED, cases=2000 + int(100 * SECONDS)) as s:     # a case that was tried thrice comes back late
        yield s


def test_everything_at_random_under_load(long_stack):
    s, rng = long_stack, random.Random(SEED)
    s.work()
    s.progress(20)
    kinds = [lambda: kill(s, rng.choice((*DAEMONS, "redis", "postgres"))),
             lambda: pause(s, rng.choice((*DAEMONS, "redis")), rng), lambda: agent(s, rng, False),
             lambda: agent(s, rng, True), lambda: network(s, rng), lambda: network(s, rng),
             lambda: double(s, rng.choice(("hf-recorder", "hf-router"))), lambda: postgres_away(s)]
    end = time.monotonic() + SECONDS
    order = []
    while time.monotonic() < end:
        order = order or rng.sample(kinds, len(kinds))
        order.pop()()
        s.progress()
    s.finish()
    run = s.judge()
    assert sum(e["op"] == "accepted" for e in run["history"]) > 100


def put_back(s, source):
    """Redis dies and comes back with the files of another moment; returns those it had."""
    if s.procs["redis"].poll() is None:
        s.kill("redis", signal.SIGKILL)
    kept = s.dir / f"aof-{len(s.faults)}"
    os.rename(s.dir / "redis" / "appendonlydir", kept)
    shutil.copytree(source, s.dir / "redis" / "appendonlydir")
    s.begin("redis")
    return kept


def copy_of(s, name):
    """The store's files as they are while it is down for a moment."""
    s.kill("redis", signal.SIGKILL)
    shutil.copytree(s.dir / "redis" / "appendonlydir", s.dir / name)
    s.begin("redis")
    return s.dir / name


def grants(s):
    return sum(e[0] == "grant" for e in s.log_entries())


def test_an_older_copy_of_the_store_is_found_out_before_any_grant(stack):
    s = stack
    s.work()
    s.progress(20)
    old = copy_of(s, "aof-old")
    s.progress(40)
    before = s.redis.hget("hf:{c1}:meta", "opseq")
    s.fault("an old AOF")
    new = put_back(s, old)
    wait_for("the older store is halted", lambda: s.redis.hget("hf:{c1}:meta", "mode") == b"2")
    log = s.log_entries()
    restored = max(i for i, e in enumerate(log) if e[0] == "mode")
    assert not [e for e in log[restored:] if e[0] in ("grant", "record")]
    assert int(s.redis.hget("hf:{c1}:meta", "opseq")) < int(before)
    count, end = grants(s), time.monotonic() + 3
    wait_for("time in which something could be granted", lambda: time.monotonic() > end)
    assert grants(s) == count
    s.fault("the right AOF again")
    put_back(s, new)
    s.progress(10)
    s.finish()
    s.judge()


def test_an_older_copy_that_the_router_wrote_on_into_is_found_out_too(stack):
    """The router comes first and writes past all that brokers, recorder and agents saw; only then do they come."""
    s = stack
    s.work()
    s.progress(20)
    old = copy_of(s, "aof-old")
    s.progress(30)
    for name in ("hf-broker0", "hf-broker1", "hf-recorder"):
        s.procs[name].send_signal(signal.SIGSTOP)
    before = [int(v) for v in s.redis.hmget("hf:{c1}:meta", "opseq", "logno")]
    s.fault("an old AOF, the router first")
    new = put_back(s, old)
    while any(int(v) <= b + 200 for v, b in zip(s.redis.hmget("hf:{c1}:meta", "opseq", "logno"), before)):
        s.fcall("hf1_router", *(("gate", str(shut), "0") for shut in (1 << 42, 0) * 50))
    count = grants(s)
    for name in ("hf-broker0", "hf-broker1", "hf-recorder"):
        s.procs[name].send_signal(signal.SIGCONT)
    wait_for("the older store is halted", lambda: s.redis.hget("hf:{c1}:meta", "mode") == b"2", 60)
    wait_for("the recorder finds it older too", lambda: "redis is older" in s.log("hf-recorder"), 60)
    assert grants(s) == count
    s.fault("the right AOF again")
    put_back(s, new)
    s.progress(10)
    s.finish()
    s.judge()


def test_an_emptied_store_grants_nothing(stack):
    s = stack
    s.work()
    s.progress(20)
    for name in DAEMONS:  # so that the copy is the last moment before
        s.procs[name].send_signal(signal.SIGSTOP)
    good = copy_of(s, "aof-good")
    s.fault("FLUSHALL")
    s.redis.flushall()
    for name in DAEMONS:
        s.procs[name].send_signal(signal.SIGCONT)
    for n in (0, 1):
        wait_for("each broker says so", lambda n=n: "recover redis" in s.log(f"hf-broker{n}"))
    assert s.ctl("campaign", "create", "c1", check=False).returncode != 0, "a lost store is no new campaign"
    end = time.monotonic() + 3
    wait_for("time in which something could be granted", lambda: time.monotonic() > end)
    assert grants(s) == 0 and s.redis.zcard("hf:{c1}:leases") == 0
    s.fault("the right AOF again")
    put_back(s, good)
    s.progress(5)
    s.finish()
    s.judge()


def test_a_zombie_is_late_and_kept():
    with FaultStack(SEED, workers=2, cases=6, think=0) as s:
        z, other = (Worker(s, p, SEED) for p in s.names)
        s.workers = [z, other]
        z.say("next", {}, do="next")
        task = None
        while task is None:
            task = z.q.get(timeout=20).get("task")
        s.fault("SIGSTOP of the holder")
        z.p.send_signal(signal.SIGSTOP)
        wait_for("the lease runs out", lambda: s.redis.zcard("hf:{c1}:leases") == 0, 30)
        other.start()

        def granted_on():
            return any(e[0] == "grant" and e[2] == task["case"] and e[4].startswith(other.person + " ")
                       for e in s.log_entries())
        wait_for("the case is granted on", granted_on, 30)
        z.p.send_signal(signal.SIGCONT)
        z.record(task, "stay")
        wait_for("the late record is answered", lambda: any(
            e["op"] == "accepted" and e["who"] == z.person for e in s.history))
        assert [e["verdict"] for e in s.history if e["op"] == "accepted" and e["who"] == z.person] == ["late"]
        z.stop.set()
        z.start()
        s.finish()
        run = s.judge()
        assert [r["verdict"] for r in run["ledger"] if r["person"] == z.person and r["kind"] == 1] == [1]


@pytest.mark.parametrize("way", ["dark", "deaf", "mute"])
def test_a_cut_in_mid_call_ends_effective_if_nobody_else_was_granted(way):
    """Both ways or one way, until the lease has run out; deaf and mute are a network that carries one direction only."""
    with FaultStack(SEED, workers=1, cases=6, think=0) as s:
        w = Worker(s, s.names[0], SEED)
        s.workers = [w]
        w.say("next", {}, do="next")
        task = None
        while task is None:
            task = w.q.get(timeout=40).get("task")
        s.fault(f"network {way} in mid-call")
        for proxy in s.proxies:
            proxy.say(way)
        wait_for("the lease runs out", lambda: s.redis.zcard("hf:{c1}:leases") == 0, 60)
        w.record(task, "stay")
        wait_for("it is stored without the network", lambda: any(e["op"] == "stored" for e in s.history), 60)
        assert not any(e["op"] == "accepted" for e in s.history)
        for proxy in s.proxies:
            proxy.say("pass")
        wait_for("it is answered", lambda: any(e["op"] == "accepted" for e in s.history), 60)
        assert [e["verdict"] for e in s.history if e["op"] == "accepted"] == ["effective"]
        w.stop.set()
        w.start()
        s.finish()
        s.judge()


@pytest.mark.skipif(os.getuid() != 0, reason="mounts a tmpfs")
def test_a_full_disk_of_an_agent_promises_nothing():
    with FaultStack(SEED, workers=2, cases=30) as s, contextlib.closing(Small(s.dir / "p00", "12m")) as disk:
        s.work()
        s.progress(5)
        s.fault("the disk of p00 is full")
        disk.full()
        w = s.workers[0]
        wait_for("it says that the disk is full, or ends", lambda: any(
            e["op"] == "error" and e["who"] == "p00" for e in s.history) or w.life > 1)
        before = w.stored
        s.workers[1].stored = 0
        wait_for("the other goes on", lambda: s.workers[1].stored > 3)
        # the last page of its file may have had room for a few; what they promise, the judge looks at
        assert w.stored - before <= 8, "stored on a full disk"
        disk.room()
        w.p.kill()
        wait_for("it stores again", lambda: w.stored > before, 40)
        s.finish()
        s.judge()


@pytest.mark.skipif(os.getuid() != 0, reason="mounts a tmpfs")
def test_a_full_disk_of_redis_accepts_nothing_falsely():
    with FaultStack(SEED, workers=3, cases=100) as s:
        s.kill("redis", signal.SIGKILL)
        with contextlib.closing(Small(s.dir / "redis", "24m")) as disk:
            s.begin("redis")
            s.work()
            s.progress(20)
            s.fault("the disk of Redis is full")
            disk.full()
            wait_for("Redis ends", lambda: s.procs["redis"].poll() is not None)
            disk.room()
            s.begin("redis")
            s.progress(20)
            s.finish()
            s.judge()
