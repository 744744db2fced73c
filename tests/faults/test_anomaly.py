"""The Nth call of one kind fails, once, inside a program that works under load: nothing accepted is lost.

A program either says so and goes on, or ends and is started again; then records flow again. At the end of each run the
checker judges the whole history. `make test` takes a few N of each kind; HF_ANOMALY=N (make test-long) every N up to
that, with malloc 200 and then geometrically."""
import os
import random

import pytest

from faults import AT_START, CALLS, Order, fail_once
from rig import FaultStack

PROGRAMS = ("hf-broker0", "hf-router", "hf-recorder", "p00")
SEED = int(os.environ.get("HF_SEED", "1"))
UPTO = int(os.environ.get("HF_ANOMALY", "0"))


def numbers(kind):
    if UPTO == 0:
        return (1, 3, 30) if kind in ("write", "fsync", "send", "malloc") else (1,)
    few, n, out = 200 if kind == "malloc" else UPTO, 1, []
    while n <= (1 << 20 if kind == "malloc" else few):
        out.append(n)
        n = n + 1 if n < few else n * 2
    return out


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
                hits += fail_once(s, order, program, kind, n, kind in AT_START or rng.random() < 0.4,
                                  6 if UPTO else 1.5)
        s.finish()
        s.judge()
        print(f"{program}: {hits} of {len(s.faults)} calls failed")
        assert hits >= 2
