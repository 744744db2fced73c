"""The Nth call of one kind fails, once, inside a program that works under load: nothing accepted is lost.

A program either says so and goes on, or ends and is started again; then records flow again. At the end of each run the
checker judges the whole history. `make test` takes a few N of each kind; HF_ANOMALY=N (make test-long) every N up to
that, with malloc 200 and then geometrically."""
import mmap
import os
import random
import struct

import pytest

from rig import ROOT, FaultStack, wait_for

KINDS = ("write", "fsync", "rename", "connect", "send", "malloc", "open", "wake")
AT_START = ("rename", "connect", "open")     # seldom called later
PROGRAMS = ("hf-broker0", "hf-router", "hf-recorder", "p00")
SEED = int(os.environ.get("HF_SEED", "1"))
UPTO = int(os.environ.get("HF_ANOMALY", "0"))


class Order:
    """The file that fail_nth.c shares with us."""

    def __init__(self, path):
        with open(path, "w+b") as f:
            f.write(bytes(12))
            f.flush()
            os.chmod(path, 0o666)
            self.m = mmap.mmap(f.fileno(), 12)

    def give(self, kind, countdown):
        self.m[4:8] = bytes(4)
        self.m[0:12] = struct.pack("<iii", KINDS.index(kind) + 1, countdown, 0)

    def hits(self):
        return struct.unpack("<i", self.m[8:12])[0]


def numbers(kind):
    if UPTO == 0:
        return (1, 3, 30) if kind in ("write", "fsync", "send", "malloc") else (1,)
    few, n, out = 200 if kind == "malloc" else UPTO, 1, []
    while n <= (1 << 20 if kind == "malloc" else few):
        out.append(n)
        n = n + 1 if n < few else n * 2
    return out


def process(s, program):
    if program in s.procs:
        return s.procs[program]
    return next(w.p for w in s.workers if w.person == program)


def start_again(s, order, program):
    """A daemon that ended is begun again, as its supervisor would; workers begin themselves again."""
    if program.startswith("hf-") and s.procs[program].poll() is not None:
        try:
            s.begin(program)
        except AssertionError:       # the failure was in its start: it said why and ended
            assert order.hits() > 0 and s.procs[program].poll() is not None, s.log(program)
            s.begin(program)


def fail_once(s, order, program, kind, n, at_start):
    """Returns whether the call came at all within the time that it has."""
    s.fault(f"{kind} number {n} of {program}{' from its start' if at_start else ''}")
    order.give(kind, n)
    if at_start:
        process(s, program).kill()
        process(s, program).wait(20)

    def came():
        start_again(s, order, program)
        return order.hits() > 0
    try:
        wait_for("the call", came, 6 if UPTO else 1.5)
    except AssertionError:
        order.give(kind, 0)
    hit = order.hits() > 0
    s.progress(2)
    start_again(s, order, program)
    return hit


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_call_that_fails_once_loses_nothing(program):
    rng, hits = random.Random(f"{SEED} {program}"), 0
    with FaultStack(SEED, workers=3, cases=3000, think=0.2) as s:
        order = Order(s.dir / "order")
        s.more_env[program] = {"LD_PRELOAD": ROOT / "build/tests/faults/fail_nth.so", "HF_FAIL_FILE": s.dir / "order"}
        if program.startswith("hf-"):
            s.kill(program)
            s.begin(program)
        s.work()
        s.progress(5)
        for kind in KINDS:
            for n in numbers(kind):
                hits += fail_once(s, order, program, kind, n, kind in AT_START or rng.random() < 0.4)
        s.finish()
        s.judge()
        print(f"{program}: {hits} of {len(s.faults)} calls failed")
        assert hits >= 2
