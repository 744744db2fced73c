#!/usr/bin/python3
"""The campaign of `make demo`: a roster, 48 callers and a strike team over the real wire, three passes, the stages
after admission, arrivals, rates and pay, in accelerated campaign time, with every daemon and store killed under load;
at the end every promise that can be looked at from outside.

SEED (1), ROWS (1403), CALLERS (48) change it; QUICK=1 lets campaign time run three times as fast. The last line is a JSON summary; exit 0 only if every promise held."""
import asyncio
import csv
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from callers import LEASE_S, Caller, Room  # noqa: E402
from checks import Checks  # noqa: E402
from clock import DAY, Clock, when  # noqa: E402
from screen import PERSON, Screen  # noqa: E402

ROOT, DIR = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
BIN = ROOT / "build" / "bin"
SEED = int(os.environ.get("SEED", "1"))
ROWS = int(os.environ.get("ROWS", "1403"))
CALLERS = int(os.environ.get("CALLERS", "48"))
T0 = 1773016200000               # Monday 2026-03-09 08:30 in Shanghai
# Campaign seconds a real second: while they call everybody; in the weeks after.
RATE, LATER_RATE = (3600, 24000) if os.environ.get("QUICK") else (1200, 9000)
KILLED = ("hf-broker", "hf-recorder", "hf-router", "redis", "postgres", "hf-dashboard", "a caller")
HOUR = 3600000
ENV = {**os.environ, "HF_HOME": str(DIR)}


def say(text):
    print(f"demo: {text}", file=sys.stderr, flush=True)


def run(*argv, check=True):
    r = subprocess.run([str(a) for a in argv], env=ENV, capture_output=True, text=True, check=False)
    if check and r.returncode != 0:
        raise SystemExit(f"demo: {' '.join(map(str, argv))}: exit {r.returncode}\n{r.stdout}{r.stderr}")
    return r.stdout


def ctl(*argv, **kw):
    return run(BIN / "hfctl", *argv, **kw)


# ---- faults ----------------------------------------------------------------------------------------

def pid_of(part):
    status = json.loads(run(ROOT / "deploy" / "local", "status", "--json", DIR, check=False) or "{}")
    return next((row.get("pid") for row in status.get("parts", []) if row.get("name") == part), None)


async def kill_part(part):
    pid = await asyncio.to_thread(pid_of, part)
    if not pid:
        return False
    os.kill(pid, signal.SIGKILL)
    for _ in range(200):
        new = await asyncio.to_thread(pid_of, part)
        if new and new != pid:
            return True
        await asyncio.sleep(0.1)
    return False


async def kill_in_turn(clock, callers, killed, stats):
    """kill -9 of each in turn, as soon as records flow again; campaign time halts while it comes back."""
    for part in KILLED:
        before = stats["accepted"]
        while stats["accepted"] < before + max(8, ROWS // 20):
            await asyncio.sleep(0.1)
        clock.halt()
        say(f"kill -9 {part}, {stats['accepted']} records accepted so far")
        if part == "a caller":
            callers[0].proc.kill()
            ok = True
        else:
            ok = await kill_part(part)
        if ok:
            killed.append(part)
        clock.go()


# ---- the story ---------------------------------------------------------------------------------------

def set_up(clock):
    run(ROOT / "deploy" / "local", "up", "--stores", DIR)
    (DIR / "demo").touch()
    clock.write()
    (DIR / "broker.conf").write_text(f"lease_ms = {LEASE_S * 1000}\n")
    run(ROOT / "deploy" / "local", "up", DIR)
    ctl("campaign", "create", "demo")
    run(BIN / "hf-sample", "people", "--out", DIR / "people.csv")
    ctl("people", "import", DIR / "people.csv")
    (DIR / "agents").mkdir(exist_ok=True)
    people = [f"p{i:02d}" for i in range(1, CALLERS + 1)] + [f"s{i}" for i in range(1, 5)]
    for person in [*people, "d1"]:       # the supervisor too
        ctl("agent", "enrol", "--person", person, "--out", DIR / "agents" / person)
    say(f"{len(people)} people enrolled, each with keys and an outbox of their own")
    for kind in ("xlsx", "csv"):
        run(BIN / "hf-sample", "--rows", str(ROWS), "--seed", str(SEED), "--format", kind, "--out",
            DIR / f"roster.{kind}")
    got = json.loads(ctl("--json", "roster", "import", DIR / "roster.xlsx"))
    assert got["imported"] == ROWS, got
    say(f"{ROWS} applicants imported from roster.xlsx")
    return people


async def until(clock, end, limit):
    stop = time.monotonic() + limit
    while clock.now() < end and time.monotonic() < stop:
        await asyncio.sleep(0.1)


async def passes(clock, room):
    for n, end in (("1", T0 + 10 * HOUR), ("2", T0 + DAY + 10 * HOUR), ("3", T0 + 2 * DAY + 10 * HOUR)):
        await asyncio.to_thread(ctl, "pass", "open", n, "--until", when(end))
        if n == "1":
            await asyncio.to_thread(ctl, "release", "--all", "--seed", str(SEED))
        say(f"pass {n}: {when(clock.now())} to {when(end)}")
        await until(clock, end, 75)
        say(f"campaign time {when(clock.now())}: {room.stats['accepted']} records accepted")
        clock.next_morning()


async def stage(clock, room, n, days):
    """A stage with its nights passed over; callers do what falls due."""
    await asyncio.to_thread(ctl, "stage", "open", str(n))
    room.stage = n
    say(f"stage {n}: {when(clock.now())}, {days} days")
    clock.go(LATER_RATE)
    for _ in range(days):
        await until(clock, clock.now() // DAY * DAY + 11 * HOUR, 12)
        clock.next_morning()
    clock.go(RATE)
    say(f"campaign time {when(clock.now())}: {room.stats['accepted']} records accepted")


async def work(clock, people, room, killed):
    callers = [Caller(p, room) for p in people]
    for c in callers:
        await c.start()
        c.talk = asyncio.create_task(c.run())
    faults = asyncio.create_task(kill_in_turn(clock, callers, killed, room.stats))
    await passes(clock, room)
    await stage(clock, room, 3, 5)
    await stage(clock, room, 4, 1)
    faults.cancel()
    clock.halt()
    await asyncio.gather(*(c.finish() for c in callers))
    return callers


def arrivals(room):
    """The college's list of who came, as its office would write it."""
    with open(DIR / "arrivals.csv", "w", encoding="gb18030", newline="") as f:
        sheet = csv.writer(f)
        sheet.writerow(["考生号", "报到"])
        for no, a in sorted(room.applicants.items()):
            if a.confirmed:
                sheet.writerow([no, "是" if a.arrives else "否"])
    say(ctl("arrivals", "import", DIR / "arrivals.csv").strip())


def funnel(checks, room):
    called, reached, lost = checks.one(
        "SELECT count(*) FILTER (WHERE attempts > 0), count(*) FILTER (WHERE contacts > 0), "
        "count(*) FILTER (WHERE unreachable) FROM hf.v_figure")
    strike, = checks.one("SELECT count(DISTINCT case_ref) FROM hf.ledger WHERE kind = 1 AND person LIKE 's_'")
    registered, = checks.one("SELECT count(*) FROM hf.v_figure WHERE registered")
    confirmed = sum(a.confirmed for a in room.applicants.values())
    return {"imported": ROWS, "called": called, "reached": reached, "confirmed": confirmed, "unreachable": lost,
            "through_strike": strike, "registered": registered}


def judge(checks, callers, room, killed):
    stats = room.stats
    census = checks.adds_up()
    checks.one_holder(room.holds)
    checks.long_call(room.holds, LEASE_S)
    ledger = checks.exactly_once(callers, stats)
    checks.nothing_thrown_away()
    checks.survived(killed, KILLED, stats)
    checks.chains()
    words = checks.sealed(DIR / "roster.csv")
    checks.hold("the campaign happened", stats["strike tasks"] > 0 or ROWS < 100, "no case reached the strike team")
    checks.hold("the campaign happened", stats["none:unqualified"] + stats["none:denied"] == 0,
                "somebody was refused work")
    return census, ledger, words


def main():
    began = time.monotonic()
    clock, killed = Clock(DIR, T0, RATE), []
    people = set_up(clock)
    clock = Clock(DIR, T0, RATE)
    clock.write()
    ctl("stage", "open", "2")
    room = Room(ROOT, DIR, SEED, say)
    callers = asyncio.run(work(clock, people, room, killed))
    arrivals(room)
    checks = Checks(run, ctl, ROOT, DIR, ROWS)
    screen = Screen(ROOT, DIR, ctl, ENV)
    checks.hold("a caller's screen", screen.works(), "the page, the PIN or the own list did not come")
    census, ledger, words = judge(checks, callers, room, killed)
    told = funnel(checks, room)
    for title, words_of in (("rates by team", ("rates", "--by", "team")), ("lanes", ("queue", "ls")),
                            ("pay", ("pay", "show"))):
        print(f"== {title}\n{ctl(*words_of, check=False)}")
    print("== " + " -> ".join(f"{k} {v}" for k, v in told.items()) + "\n")
    for promise, wrong in sorted(checks.promises.items()):
        print(f"{'held  ' if not wrong else 'BROKEN'} {promise}{''.join('; ' + w for w in wrong)}")
    print(f"       (killed: {', '.join(killed)}; {words} names and numbers looked for in every file)\n")
    address = [x.split('"')[1] for x in (DIR / "env.conf").read_text().splitlines() if x.startswith("dashboard")]
    if os.environ.get("STAYS"):
        clock.morning_at_rate_1()
        say(f"dashboard http://{address[0]}/ ; a caller's screen http://{screen.address}/ ({PERSON}, PIN {screen.pin}); "
            f"a caller's lines: HF_HOME={DIR} build/bin/hf-caller --lines --agent {DIR}/agents/p02")
    else:
        say(f"with a terminal it stays up: dashboard http://{address[0]}/, a caller's screen http://{screen.address}/ "
            f"({PERSON}, PIN {screen.pin})")
        screen.end()
    broken = [f"{p}: {w}" for p, wrong in checks.promises.items() for w in wrong]
    stats = room.stats
    print(json.dumps({
        "ok": not broken, "seed": SEED, "cases": ROWS, "callers": len(people), "tasks": stats["tasks"],
        "stored": stats["stored"], "accepted": stats["accepted"], "effective": stats["effective"],
        "late": stats["late"], "ledger": ledger, "killed": killed, "funnel": told, "failed": broken,
        "adds_up": census.get("adds_up"), "differences": len(census.get("differences", [])),
        "seconds": round(time.monotonic() - began, 1)}, ensure_ascii=False))
    return 0 if not broken else 1


if __name__ == "__main__":
    sys.exit(main())
