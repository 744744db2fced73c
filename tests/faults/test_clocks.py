"""Clocks on the real programs: a jump of ten years forwards and back in a whole run, a router and a broker that begin
with a wrong clock, a clock that runs at twice the rate, a workstation that was suspended for an hour."""
import os
import signal

import rig
from faults import DAEMONS, DECADE_NS, Clock
from rig import FaultStack, Worker, now, wait_for

SEED = int(os.environ.get("HF_SEED", "1"))
LIMIT = 60
HOUR_NS = 3600 * 10 ** 9
NEVER_MS = 250000000000000      # closed cases are due in the year 9999


def prepare(s):
    s.clocks = {n: Clock(s.dir / f"wrong-{n}") for n in (*DAEMONS, *s.names)}
    for n, c in s.clocks.items():
        s.more_env[n] = c.env()


def whole_log(s, name):
    return (s.logs / f"{name}.log").read_text(errors="replace")


def first_task(w):
    w.say("next", {}, do="next")
    while True:
        said = w.q.get(timeout=LIMIT)
        if said and "task" in said:
            return said["task"]


def jump(s, name, years):
    s.fault(f"the wall clock of {name} is {years:+d} years off")
    s.clocks[name].wall(years // 10 * DECADE_NS)


def right(s, name):
    s.clocks[name].wall(0)


def test_a_whole_run_with_clocks_ten_years_off():
    with FaultStack(SEED, workers=4, cases=300, prepare=prepare) as s:
        s.work()
        s.progress(10, LIMIT)
        for years in (10, -10):
            for name in ("hf-broker0", "hf-recorder", "p00"):
                jump(s, name, years)
            wait_for("the broker says so", lambda: s.log("hf-broker0").rfind("guard.stop what=clock")
                     > s.log("hf-broker0").rfind("guard.go what=clock"), LIMIT)
            s.progress(10, LIMIT)          # by the other broker
            for name in ("hf-broker0", "hf-recorder", "p00"):
                right(s, name)
            wait_for("it goes on", lambda: s.log("hf-broker0").rfind("guard.go what=clock")
                     > s.log("hf-broker0").rfind("guard.stop what=clock"), LIMIT)
            jump(s, "hf-router", years)
            wait_for("the router says so", lambda n=years: "event=reload why=\"the wall clock jumped\"" in s.log(
                "hf-router"), LIMIT)
            right(s, "hf-router")
            wait_for("nothing waits in triage", lambda: s.redis.zcard("hf:{c1}:lane:triage") == 0, LIMIT)
            s.progress(10, LIMIT)
        s.fault("agents, recorder and router begin ten years ahead")
        for name in ("hf-recorder", "hf-router", "p01", "p02"):
            jump(s, name, 10)
        for w in s.workers[1:3]:
            w.p.kill()
        for name in ("hf-recorder", "hf-router"):
            s.kill(name)
            s.begin(name)
        wait_for("such a router does nothing, and says so", lambda: "set this machine's clock" in s.log("hf-router"), LIMIT)
        for name in ("hf-recorder", "hf-router", "p01", "p02"):
            right(s, name)
        s.kill("hf-router")
        s.begin("hf-router")
        s.progress(20, LIMIT)
        s.finish(LIMIT)
        run = s.judge()
        due = [int(text.split(b"|")[4]) for text in s.redis.hvals("hf:{c1}:cases")]
        assert max(d for d in due if d < NEVER_MS) < 1773018000000 + 400 * 86400000, "a case is due in another decade"
        assert sum(e["op"] == "accepted" for e in run["history"]) > 50


def test_a_broker_whose_clock_runs_fast_ends_nobodys_lease(monkeypatch):
    """Twice as fast: it would end a lease of 14 s after 7; it finds out after 5, and from then on leaves it to others."""
    monkeypatch.setattr(rig, "LEASE_MS", 14000)
    with FaultStack(SEED, workers=2, cases=30, think=0, prepare=prepare) as s:
        s.fault("the clock of broker 0 runs twice as fast")
        s.clocks["hf-broker0"].rate(1000000)
        w, other = (Worker(s, p, SEED) for p in s.names)
        s.workers = [w, other]
        task = first_task(w)
        began = now()
        w.p.kill()
        w.p.wait(LIMIT)
        wait_for("it says so", lambda: "event=guard.stop what=clock" in s.log("hf-broker0"), LIMIT)
        wait_for("the lease ends", lambda: any(e[0] == "expire" and e[2] == task["case"] for e in s.log_entries()), LIMIT)
        assert now() - began > 13.5
        assert "event=lease.expired" not in whole_log(s, "hf-broker0")
        w.stop.set()
        w.start()
        other.start()
        s.progress(3, LIMIT)
        s.clocks["hf-broker0"].rate(0)
        s.finish(LIMIT)
        s.judge()


def test_a_workstation_suspended_for_an_hour():
    """Its clocks have gone on, and somebody else was sent there: what it recorded is LATE and kept, and a leader adopts
    it. (If nobody was: test_faults, a cut in mid-call.)"""
    with FaultStack(SEED, workers=2, cases=6, think=0, prepare=prepare) as s:
        z, other = (Worker(s, p, SEED) for p in s.names)
        s.workers = [z, other]
        task = first_task(z)
        s.fault("the holder is suspended for an hour")
        z.p.send_signal(signal.SIGSTOP)
        wait_for("the lease runs out", lambda: s.redis.zcard("hf:{c1}:leases") == 0, LIMIT)
        other.start()
        wait_for("the case is granted on", lambda: any(
            e[0] == "grant" and e[2] == task["case"] and e[4].startswith(other.person + " ")
            for e in s.log_entries()), LIMIT)
        s.clocks[z.person].asleep(HOUR_NS)
        z.p.send_signal(signal.SIGCONT)
        z.record(task, "stay")
        wait_for("its record is answered", lambda: any(
            e["op"] == "accepted" and e["who"] == z.person for e in s.history), LIMIT)
        assert [e["verdict"] for e in s.history if e["op"] == "accepted" and e["who"] == z.person] == ["late"]
        z.stop.set()
        z.start()
        s.finish(LIMIT)
        s.judge()  # ends the router, so that nothing moves between the looks
        s.begin("hf-router")
        adopt(s, z.person)


def adopt(s, person):
    """It stands in the late inbox until somebody takes it over; then it counts as if it had come in time."""
    rows = [line.split() for line in s.ctl("late", "list").stdout.splitlines() if person in line]
    no = s.sql(f"SELECT no FROM hf.ledger WHERE person = '{person}' AND kind = 1 AND verdict = 1")
    assert len(rows) == 1 and [rows[0][0]] in no, (rows, no)
    s.ctl("person", "set", "admin", "--roles", "admin,leader", "--team", "t1")
    wait_for("it is adopted", lambda: s.ctl("late", "adopt", rows[0][0], check=False).returncode == 0, LIMIT)
    wait_for("it left the list", lambda: person not in s.ctl("late", "list").stdout, LIMIT)
