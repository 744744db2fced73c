"""The Nth call of one kind fails, once, inside a program that works under load: nothing accepted is lost.

A program either says so and goes on, or ends and is started again; then records flow again. At the end of each run the
checker judges the whole history. `make test` takes a few N of each kind. HF_ANOMALY=1 (tests/long/anomaly) takes every
N of a smoke run - the program starts, and does what it is there for twice - for malloc the first 200, then twice as many
each time; HF_ANOMALY=N stops at N."""
import os
import random
import time

import pytest

from faults import AT_START, CALLS, Order, fail_once, process, start_again
from rig import FaultStack, wait_for

PROGRAMS = ("hf-broker0", "hf-router", "hf-recorder", "p00")
TOGETHER = (("write", "fsync", "rename"), ("connect", "open"), ("send",), ("malloc",), ("wake",))  # in one stack
SEED = int(os.environ.get("HF_SEED", "1"))
UPTO = int(os.environ.get("HF_ANOMALY", "0"))


def numbers(kind):
    return (1, 3, 30) if kind in ("write", "fsync", "send", "malloc") else (1,)


def released(s):
    """How many records the recorder has put into the archive too."""
    return sum(int(s.redis.hget(k, "released") or 0) for k in s.redis.keys("hf:{c1}:ob:*"))


def folded(s):
    """Up to which entry of the log the router has placed."""
    return int((s.redis.hget("hf:{c1}:router", "cursor") or b"0-0").split(b"-")[1])


def smoke(s, order, program, kind, n):
    """From its start until it did its work twice; whether it came to the Nth call, which failed."""
    done = {"hf-recorder": released, "hf-router": folded, "hf-broker0": FaultStack.stored}.get(
        program, lambda s: next(w.stored for w in s.workers if w.person == program))
    s.fault(f"{kind} number {n} of a run of {program}")
    order.give(kind, n)
    process(s, program).kill()
    process(s, program).wait(20)
    for _ in range(2):  # once with the failure, once to see that nothing is left of it
        before = None

        def works():
            nonlocal before
            start_again(s, order, program)
            if process(s, program).poll() is None and before is None:
                before = done(s)
            return before is not None and done(s) >= before + 2
        try:
            wait_for(f"{program} works, {kind} {n}", works, 60)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{s.log(program)}") from e
        if order.hits() == 0:
            break
    hit = order.hits() > 0
    order.give(kind, 0)
    return hit


def every(s, order, program, kind, until):
    """All N until two in a row are not reached any more."""
    n, hits, last, missed = 1, 0, 0, 0
    while missed < 2 and n <= (UPTO if UPTO > 1 else 1 << 20) and time.monotonic() < until:
        if smoke(s, order, program, kind, n):
            hits, last, missed = hits + 1, n, 0
        else:
            missed += 1
        n = n * 2 if kind == "malloc" and n >= 200 else n + 1
    return f"{program} {kind}: {hits} calls failed, up to number {last}" + ("" if missed == 2 else ", cut short")


@pytest.mark.skipif(UPTO == 0, reason="minutes each: tests/long/anomaly")
@pytest.mark.parametrize("kinds", TOGETHER, ids="-".join)
@pytest.mark.parametrize("program", PROGRAMS)
def test_every_call_of_a_smoke_run_fails_once(program, kinds):
    with FaultStack(SEED, workers=3, cases=6000, think=1) as s:
        until = time.monotonic() + float(os.environ.get("HF_ANOMALY_SECONDS", "540"))  # the pass closes after 690 s
        order = Order(s.dir / "order")
        s.more_env[program] = order.env()
        if program == "hf-broker0":
            s.kill("hf-broker1")  # all that is done goes through this one
        if program.startswith("hf-"):
            s.kill(program)
            s.begin(program)
        s.work()
        s.progress(5)
        said = [every(s, order, program, kind, until) for kind in kinds]
        s.finish()
        s.judge()
        print("\n" + "\n".join(said))


@pytest.mark.skipif(UPTO != 0, reason="the short form")
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_call_that_fails_once_loses_nothing(program):
    rng, hits = random.Random(f"{SEED} {program}"), 0
    with FaultStack(SEED, workers=3, cases=3000, think=0.2) as s:
        order = Order(s.dir / "order")
        s.more_env[program] = order.env()
        if program.startswith("hf-"):
            s.kill(program)
            s.begin(program)
        s.work()
        s.progress(5)
        for kind in CALLS:
            for n in numbers(kind):
                hits += fail_once(s, order, program, kind, n, kind in AT_START or rng.random() < 0.4)
        s.finish()
        s.judge()
        print(f"{program}: {hits} of {len(s.faults)} calls failed")
        assert hits >= 2
