#!/usr/bin/python3
"""The campaign of `make demo`: a roster, 48 callers and a strike team over the real wire, three passes in
accelerated campaign time, daemons killed under load, and at the end every check that can be made.

Each simulated caller is a process hf-caller --lines with an outbox of its own; what they say is drawn from the
seed. Campaign time is the file `clock` of the installation (deploy/local's demo alone may have one)."""
import asyncio
import collections
import json
import os
import pathlib
import random
import select
import signal
import subprocess
import sys
import time

ROOT, DIR = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
BIN = ROOT / "build" / "bin"
SEED = int(os.environ.get("SEED", "1"))
ROWS = int(os.environ.get("ROWS", "1403"))
RATE = 1500                      # campaign seconds a real second
LIMIT = float(os.environ.get("DEMO_SECONDS", "200"))
T0 = 1773016200000               # Monday 2026-03-09 08:30 in Shanghai
CAMPAIGN = "demo"
ENV = {**os.environ, "HF_HOME": str(DIR)}


def say(text):
    print(f"demo: {text}", file=sys.stderr, flush=True)


def run(*argv, check=True, env=None):
    r = subprocess.run([str(a) for a in argv], env=env or ENV, capture_output=True, text=True)
    if check and r.returncode != 0:
        raise SystemExit(f"demo: {' '.join(map(str, argv))}: exit {r.returncode}\n{r.stdout}{r.stderr}")
    return r.stdout


def ctl(*argv, **kw):
    return run(BIN / "hfctl", *argv, **kw)


class Clock:
    """Writes the file that all programs of the installation read."""

    def __init__(self):
        self.t0, self.b0, self.halted = T0, self.boot(), 0

    @staticmethod
    def boot():
        return int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1e6)

    def now(self):
        return self.t0 if self.halted else self.t0 + (self.boot() - self.b0) * RATE // 1000

    def write(self):
        tmp = DIR / "clock.tmp"
        tmp.write_text(f"{self.t0} {self.b0} {RATE * 1000} {self.halted}\n")
        os.chmod(tmp, 0o644)
        tmp.replace(DIR / "clock")

    def halt(self):
        self.t0, self.b0, self.halted = self.now(), self.boot(), 1
        self.write()

    def go(self):
        self.b0, self.halted = self.boot(), 0
        self.write()


# ---- one simulated caller -------------------------------------------------------------------------

FIRST = [("no-answer", 26), ("confirmed", 34), ("considering", 14), ("powered-off", 6), ("call-later", 8),
         ("third-party", 4), ("rejected", 3), ("will-not-say", 3), ("wrong-number", 2)]
AGAIN = [("no-answer", 16), ("confirmed", 62), ("considering", 8), ("powered-off", 6), ("call-later", 3),
         ("will-not-say", 3), ("rejected", 2)]


class Caller:
    def __init__(self, person, stats):
        self.person, self.stats = person, stats
        self.rng = random.Random(f"{SEED}/{person}")
        self.seen = collections.Counter()
        self.stored = {}
        self.settled = 0
        self.stopping = False

    async def start(self):
        self.proc = await asyncio.create_subprocess_exec(
            str(BIN / "hf-caller"), "--lines", "--agent", str(DIR / "agents" / self.person),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=open(DIR / "agents" / f"{self.person}.log", "ab"), env=ENV, limit=1 << 20)

    def send(self, **what):
        self.proc.stdin.write((json.dumps(what) + "\n").encode())

    def outcome(self, case):
        table = FIRST if self.seen[case] == 0 else AGAIN
        return self.rng.choices([o for o, _ in table], [w for _, w in table])[0]

    def on_task(self, task):
        if self.stopping:
            return
        case = task["case"]
        outcome = self.outcome(case)
        self.seen[case] += 1
        talked = outcome in ("confirmed", "considering", "will-not-say", "call-later")
        record = {"do": "record", "case": case, "token": task["token"], "outcome": outcome, "channel": "phone",
                  "number": 1, "seconds": self.rng.randint(60, 600) if talked else self.rng.randint(5, 40),
                  "then": "next"}
        if talked:
            record["spoke"] = self.rng.choice(["self", "self", "self", "mother", "father"])
        if outcome == "third-party":
            record["spoke"] = "other"
        if outcome == "confirmed":
            record.update(ticks=["cost", "one-school", "consequences"], script="v1")
        if outcome == "considering":
            record["concerns"] = [self.rng.choice(["fees", "distance", "must-discuss", "other-school"])]
        self.stats["tasks"] += 1
        self.send(**record)

    async def talk(self):
        """Until hf-caller ends."""
        self.send(do="next")
        while True:
            line = await self.proc.stdout.readline()
            if not line:
                return
            self.on_line(json.loads(line))

    def on_line(self, said):
        if "task" in said:
            self.on_task(said["task"])
        elif "stored" in said:
            self.stats["stored"] += 1
            self.stored[said["stored"]["seq"]] = True
        elif "accepted" in said:
            self.stats["accepted"] += 1
            self.stats[said["accepted"]["verdict"]] += 1
        elif "settled" in said:
            self.settled = max(self.settled, said["settled"]["upto"])
        elif "error" in said:
            self.stats["errors"] += 1
            if self.stats["errors"] <= 5:
                say(f"{self.person}: {said['error']}")
        elif "none" in said and said["none"]["reason"] not in ("empty", "closed-until", "paused"):
            self.stats["none:" + said["none"]["reason"]] += 1
            asyncio.get_running_loop().call_later(0.5, self.again)

    def again(self):
        if not self.stopping:
            self.send(do="next")

    async def finish(self, talk):
        """stdin ends: hf-caller waits for what is outstanding and goes."""
        self.stopping = True
        self.proc.stdin.close()
        try:
            await asyncio.wait_for(talk, 30)
            await asyncio.wait_for(self.proc.wait(), 10)
        except asyncio.TimeoutError:
            self.proc.kill()
            self.stats["callers that did not end"] += 1


# ---- faults ----------------------------------------------------------------------------------------

def pid_of(part):
    for row in json.loads(run(ROOT / "deploy" / "local", "status", "--json", DIR, check=False) or "{}").get("parts", []):
        if row.get("name") == part:
            return row.get("pid")
    return None


async def kill_in_turn(clock, stats, stop):
    """kill -9 of every daemon and of Redis while the callers work; campaign time halts meanwhile."""
    for part in ("hf-broker", "hf-recorder", "hf-router", "redis", "hf-broker"):
        try:
            await asyncio.wait_for(stop.wait(), 14)
            return
        except asyncio.TimeoutError:
            pass
        pid = await asyncio.to_thread(pid_of, part)
        if not pid:
            continue
        clock.halt()
        say(f"kill -9 {part}")
        os.kill(pid, signal.SIGKILL)
        stats["killed"] += 1
        for _ in range(200):
            new = await asyncio.to_thread(pid_of, part)
            if new and new != pid:
                break
            await asyncio.sleep(0.1)
        clock.go()


# ---- the whole ---------------------------------------------------------------------------------------

def set_up(clock):
    run(ROOT / "deploy" / "local", "up", "--stores", DIR)
    (DIR / "demo").touch()
    clock.write()
    (DIR / "broker.conf").write_text('lease_ms = 6000\n')
    run(ROOT / "deploy" / "local", "up", DIR)
    ctl("campaign", "create", CAMPAIGN)
    run(BIN / "hf-sample", "people", "--out", DIR / "people.csv")
    ctl("people", "import", DIR / "people.csv")
    (DIR / "agents").mkdir(exist_ok=True)
    callers = [f"p{i:02d}" for i in range(1, 49)] + [f"s{i}" for i in range(1, 5)]
    for person in callers:
        ctl("agent", "enrol", "--person", person, "--out", DIR / "agents" / person)
    say(f"{len(callers)} people enrolled, each with keys of their own")
    run(BIN / "hf-sample", "--rows", str(ROWS), "--seed", str(SEED), "--format", "xlsx", "--out", DIR / "roster.xlsx")
    got = json.loads(ctl("--json", "roster", "import", DIR / "roster.xlsx"))
    assert got["imported"] == ROWS, got
    say(f"{ROWS} applicants imported from roster.xlsx")
    return callers


def when(ms):
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(ms / 1000 + 8 * 3600))


async def wait_campaign(clock, until, real_limit, stop):
    end = time.monotonic() + real_limit
    while clock.now() < until and time.monotonic() < end and not stop.is_set():
        await asyncio.sleep(0.2)


async def work(clock, people, stats):
    stop = asyncio.Event()
    callers = [Caller(p, stats) for p in people]
    for c in callers:
        await c.start()
    talks = [asyncio.create_task(c.talk()) for c in callers]
    faults = asyncio.create_task(kill_in_turn(clock, stats, stop))
    begun = time.monotonic()
    ends = [("1", T0 + int(9.5 * 3600000)), ("2", T0 + 34 * 3600000), ("3", T0 + 58 * 3600000)]
    for n, until in ends:
        await asyncio.to_thread(ctl, "pass", "open", n, "--until", when(until))
        if n == "1":
            await asyncio.to_thread(ctl, "release", "--all", "--seed", str(SEED))
        say(f"pass {n} open until {when(until)}")
        await wait_campaign(clock, until, LIMIT / 3, stop)
        say(f"campaign time {when(clock.now())}: {stats['accepted']} records accepted")
        if time.monotonic() - begun > LIMIT:
            break
    await faults
    clock.halt()
    stop.set()
    await asyncio.gather(*(c.finish(t) for c, t in zip(callers, talks)))
    return callers


def check(stats):
    """What can be checked from outside; each failure is a line."""
    bad = []
    end = time.monotonic() + 30
    while True:
        census = json.loads(run(BIN / "hfctl", "--json", "reconcile", "run", check=False) or "{}")
        if census.get("behind", 1) <= 0 or time.monotonic() > end:
            break
        select.select([], [], [], 0.2)
    if not census.get("adds_up"):
        bad.append("imported is not the sum of lanes and leases")
    if census.get("differences"):
        bad.append(f"Redis and PostgreSQL differ in {len(census['differences'])} cases")
    if census.get("imported") != ROWS:
        bad.append(f"{census.get('imported')} cases instead of {ROWS}")
    sql = ("SELECT count(*), count(DISTINCT (ob, seq)), count(*) FILTER (WHERE verdict = 0), "
           "count(*) FILTER (WHERE verdict = 1) FROM hf.ledger WHERE kind = 1")
    rows = run("psql", "-h", str(DIR / "run"), "-U", "hf_reconcile", "-d", "huifang", "-AtF,", "-c", sql,
               check=False).strip().split(",")
    ledger = [int(x) for x in rows] if rows != [""] else [0, 0, 0, 0]
    if ledger[0] != stats["stored"]:
        bad.append(f"stored {stats['stored']} records, the ledger has {ledger[0]}")
    if ledger[0] != ledger[1]:
        bad.append("a record is in the ledger twice")
    if stats["errors"]:
        bad.append(f"{stats['errors']} errors on callers' screens")
    if stats["callers that did not end"]:
        bad.append(f"{stats['callers that did not end']} callers did not end")
    return bad, census, ledger


def main():
    began = time.monotonic()
    clock, stats = Clock(), collections.Counter()
    people = set_up(clock)
    clock = Clock()
    clock.write()
    ctl("stage", "open", "2")
    asyncio.run(work(clock, people, stats))
    bad, census, ledger = check(stats)
    print(ctl("rates", "--by", "team", check=False))
    print(ctl("queue", "ls", check=False))
    for line in bad:
        say(f"FAILED: {line}")
    address = [l.split('"')[1] for l in (DIR / "env.conf").read_text().splitlines() if l.startswith("dashboard")]
    say(f"the dashboard is at http://{address[0]}/ while the demo is up; a caller's lines: "
        f"HF_HOME={DIR} build/bin/hf-caller --lines --agent {DIR}/agents/p01")
    summary = {"ok": not bad, "seed": SEED, "cases": ROWS, "callers": len(people), "tasks": stats["tasks"],
               "stored": stats["stored"], "accepted": stats["accepted"], "effective": stats["effective"],
               "late": stats["late"], "ledger": ledger[0], "killed": stats["killed"], "failed": bad,
               "adds_up": census.get("adds_up"), "differences": len(census.get("differences", [])),
               "seconds": round(time.monotonic() - began, 1)}
    print(json.dumps(summary, ensure_ascii=False))
    return 0 if not bad else 1


if __name__ == "__main__":
    sys.exit(main())
