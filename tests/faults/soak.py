#!/usr/bin/env python3
"""The long soak: leg after leg, each a whole system of its own under faults of every kind, each judged by check.py.

    soak.py [--seconds N] [--leg N] [--seed N] [--workers N] [--out FILE]

A leg is a seed: odd ones lose Redis and PostgreSQL too, even ones lose no Redis, so that all that the lost ones relax
is checked there. One line of JSON a leg goes to FILE (default build/test/soak.jsonl), then the sums of the whole file.
A leg that fails is told, its history kept in build/test, and the next one goes on. Exit 1 if any failed."""
import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback

from faults import ALONE, CLOCKS, DAEMONS, DISKS, KINDS, LIGHT, LIMIT, LOST_POSTGRES, LOST_REDIS, Clock, Order, Small
from rig import FaultStack, now, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES, AGAIN = 6000, 60       # a case takes about 30 tries at once, so that the pool lasts
FAILING = ("hf-broker0", "hf-router", "hf-recorder", "p00")


class Leg:
    def __init__(self, seed, seconds, workers):
        self.seed, self.seconds, self.rng = seed, seconds, random.Random(f"soak {seed}")
        self.counts, self.healed, self.drills = {}, {}, {}
        self.lossy = seed % 2 == 1
        self.kinds = {**KINDS, **ALONE, **CLOCKS, **LOST_POSTGRES, **(LOST_REDIS if self.lossy else {})}
        self.workers = workers
        self.mounts = os.getuid() == 0
        if self.mounts:
            self.kinds |= DISKS
        self.errors = []

    def prepare(self, s):
        """Each program has clocks of its own; one of them has calls that fail; two disks are small."""
        s.clocks = {n: Clock(s.dir / f"wrong-{n}") for n in (*DAEMONS, *s.names)}
        for n, c in s.clocks.items():
            s.more_env[n] = c.env()
        s.failing, s.order = self.rng.choice(FAILING), Order(s.dir / "order")
        both = s.order.env()
        both["LD_PRELOAD"] = f"{both['LD_PRELOAD']}:{s.more_env[s.failing]['LD_PRELOAD']}"
        s.more_env[s.failing] = {**s.more_env[s.failing], **both}
        s.disks = {}
        if self.mounts:
            s.disks["archive"] = Small(s.dir / "archive", "400m")

    def do(self, s, name):
        began = len(s.faults)
        self.kinds[name](s, self.rng)
        if len(s.faults) > began or name in LIGHT:
            self.counts[name] = self.counts.get(name, 0) + 1

    def beside(self, s, name, rng):
        """A light one in a thread of its own."""
        def run():
            try:
                KINDS[name](s, rng)
                self.counts[name] = self.counts.get(name, 0) + 1
            except Exception as e:  # pylint: disable=broad-except
                self.errors.append(f"{name}: {e!r}")
        t = threading.Thread(target=run)
        t.start()
        return t

    def step(self, s, name):
        """One fault, most times with light ones beside it; then all is well again within its time."""
        others = []
        if name not in ALONE and "disk" not in name:
            nets = [n for n in LIGHT if n.startswith("network")]
            picked = self.rng.sample([n for n in LIGHT if n not in nets] * 2, self.rng.randrange(3))
            if not name.startswith("network") and self.rng.random() < 0.5:
                picked.append(self.rng.choice(nets))
            others = [self.beside(s, n, random.Random(self.rng.random())) for n in picked]
        s.heal_began = None
        self.do(s, name)
        began, before = s.heal_began or now(), [w.accepted for w in s.workers]
        wait_for(f"each agent has one more accepted after {name}", lambda: all(
            w.accepted > n for w, n in zip(s.workers, before)), LIMIT * 2)
        self.healed.setdefault("store" if s.heal_began else "process", []).append(round(now() - began, 2))
        for t in others:
            t.join()
        assert not self.errors, self.errors

    def keep(self, s):
        """Of a leg that failed: the logs and the history."""
        to = ROOT / "build" / "test" / f"soak-{self.seed}"
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(s.logs, to)
        (to / "history.json").write_text(json.dumps(s.history))

    def run(self):
        began = time.monotonic()
        with contextlib.ExitStack() as after:
            s = after.enter_context(FaultStack(self.seed, workers=self.workers, cases=CASES, think=0,
                                               recorder="archive_same_device = true\narchive_wait = 1\n"
                                               + ("" if self.lossy else "log_keep = 10000000\n"),
                                               prepare=self.prepare))
            s.again = AGAIN
            after.push(lambda kind, *_: kind and self.keep(s))
            if self.mounts:
                s.disks["p01"] = Small(s.dir / "p01", "48m")
            for d in s.disks.values():
                after.callback(d.close)
            s.work()
            wait_for("work begins", lambda: s.accepted() > 20, LIMIT)
            end, order = time.monotonic() + self.seconds, []
            while time.monotonic() < end:
                order = order or self.rng.sample(list(self.kinds), len(self.kinds))
                self.step(s, order.pop())
            s.finish(LIMIT * 3)
            run = s.judge()
            ops = [e["op"] for e in run["history"]]
            return dict(seed=self.seed, seconds=round(time.monotonic() - began), stored=ops.count("stored"),
                        accepted=ops.count("accepted"), ledger=len(run["ledger"]),
                        late=sum(r["verdict"] == 1 for r in run["ledger"]), faults=self.counts, healed=self.healed,
                        runbooks=[[line, round(t, 2)] for line, t in s.timed])


def sums(path):
    legs = [json.loads(line) for line in path.read_text().splitlines()]
    good = [x for x in legs if "error" not in x]
    kinds, healed, lines = {}, {}, {}
    for x in legs:
        for k, n in x["faults"].items():
            kinds[k] = kinds.get(k, 0) + n
        for k, t in x["healed"].items():
            healed.setdefault(k, []).extend(t)
        for line, t in x.get("runbooks", []):
            lines.setdefault(line, []).append(t)
    print(f"{len(legs)} legs, {len(legs) - len(good)} failed; {sum(x['seconds'] for x in legs)} s; "
          f"{sum(x['stored'] for x in good)} stored, {sum(x['accepted'] for x in good)} answers, "
          f"{sum(x['ledger'] for x in good)} in the ledger, {sum(x['late'] for x in good)} late, 0 lost, 0 doubled")
    print(f"{sum(kinds.values())} faults of {len(kinds)} kinds; losses of Redis {sum(kinds.get(k, 0) for k in LOST_REDIS)}, "
          f"of PostgreSQL {sum(kinds.get(k, 0) for k in LOST_POSTGRES)}")
    for k, n in sorted(kinds.items(), key=lambda x: -x[1]):
        print(f"  {n:5d}  {k}")
    for k, t in healed.items():
        t.sort()
        print(f"after a {k}: {len(t)} times, half within {t[len(t) // 2]} s, 95 % within {t[len(t) * 95 // 100]} s, "
              f"longest {t[-1]} s")
    for line, t in lines.items():
        t.sort()
        print(f"  {line}: {len(t)} times, half within {t[len(t) // 2]} s, longest {t[-1]} s")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seconds", type=float, default=float(os.environ.get("HF_SOAK_SECONDS", "3600")))
    p.add_argument("--leg", type=float, default=180)
    p.add_argument("--seed", type=int, default=int(os.environ.get("HF_SEED", "1")))
    p.add_argument("--workers", type=int, default=8)
    p.add_argument("--out", type=pathlib.Path, default=ROOT / "build" / "test" / "soak.jsonl")
    o = p.parse_args()
    o.out.parent.mkdir(parents=True, exist_ok=True)
    version = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                             check=False).stdout.strip()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # so that a leg takes its programs with it
    end, seed, bad = time.monotonic() + o.seconds, o.seed, 0
    while time.monotonic() < end:
        leg = Leg(seed, o.leg, o.workers)
        try:
            said = leg.run()
        except Exception as e:  # pylint: disable=broad-except
            bad += 1
            traceback.print_exc()
            said = dict(seed=seed, seconds=0, faults=leg.counts, healed=leg.healed, error=str(e)[:2000])
        with open(o.out, "a", encoding="utf-8") as f:
            f.write(json.dumps(dict(said, version=version)) + "\n")
        print({k: v for k, v in said.items() if k != "runbooks"}, flush=True)
        seed += 1
    sums(o.out)
    print(f"{0 if bad else 1} passed, {bad} failed")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
