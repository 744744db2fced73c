"""kill -9 of brokers, Redis and agents at random under load: whatever was stored arrives, once.

Two brokers, eight callers (each a process with an outbox of its own). An agent that was killed is started again
over the same directory. At the end every (outbox, seq) that a caller was told to be stored is in the log exactly
once, chains have no gap, and no case was in two hands at once: tokens of effective records of a case rise."""
import json
import os
import random
import signal
import subprocess
import threading
import time

import pytest

from stack import BIN, Stack, wait_for

SECONDS = float(os.environ.get("HF_KILL_SECONDS", "12"))
SEED = int(os.environ.get("HF_SEED", "1"))
CALLERS = 8
CASES = 600


class Caller(threading.Thread):
    """Pulls and records until told to stop; survives the death of its hf-caller by starting another."""

    def __init__(self, stack, person):
        super().__init__(daemon=True)
        self.stack, self.person = stack, person
        self.agent = stack.dir / person
        self.stored, self.held = set(), 0
        self.stop, self.dead = threading.Event(), threading.Event()
        self.spawn()

    def spawn(self):
        self.p = subprocess.Popen([str(BIN / "hf-caller"), "--lines", "--agent", str(self.agent)], env=self.stack.env(),
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                  bufsize=1)

    def say(self, **what):
        try:
            self.p.stdin.write(json.dumps(what) + "\n")
            self.p.stdin.flush()
        except (BrokenPipeError, ValueError):
            pass

    def run(self):
        while not self.stop.is_set():
            self.say(do="next")
            for line in self.p.stdout:
                if not line.endswith("\n"):
                    break  # killed in the middle of a line
                said = json.loads(line)
                if "task" in said:
                    t = said["task"]
                    self.held += 1
                    self.say(do="record", case=t["case"], token=t["token"], outcome="no-answer", channel="phone",
                             number=1, seconds=7, then="stay" if self.stop.is_set() else "next")
                elif "stored" in said:
                    self.stored.add(said["stored"]["seq"])
                elif "none" in said and said["none"]["reason"] not in ("empty", "closed-until"):
                    self.say(do="next")
                if self.stop.is_set() and "stored" in said:
                    break
            if self.p.poll() is not None and not self.stop.is_set():
                self.spawn()
        self.dead.set()

    def finish(self):
        self.stop.set()
        try:
            self.p.stdin.close()
        except BrokenPipeError:
            pass


@pytest.fixture
def stack():
    with Stack(pg=True) as s:
        s.broker = f"tcp://127.0.0.1:{s.port} ipc://{s.dir}/broker2.sock"
        s.write_env()
        (s.dir / "broker.conf").write_text("lease_ms = 2000\nguard_ms = 500\n")
        s.ctl("db", "migrate")
        s.daemon("hf-recorder")
        s.daemon("hf-broker")
        s.daemon("hf-broker2", "--bind", f"ipc://{s.dir}/broker2.sock", program="hf-broker")
        s.daemon("hf-router")
        s.ctl("campaign", "create", "c1")
        yield s


def fill(s):
    """Cases in the pool, straight through the router's own entry; people by hfctl."""
    for i in range(CALLERS):
        p = f"p{i:02d}"
        s.ctl("person", "set", p, "--roles", "caller", "--team", "t1", "--qualified", "yes")
        s.ctl("agent", "enrol", "--person", p, "--out", s.dir / p)
    subprocess.run([str(BIN / "hf-sample"), "--rows", str(CASES), "--seed", "9", "--format", "csv", "--out",
                    str(s.dir / "r.csv")], check=True)
    s.ctl("roster", "import", s.dir / "r.csv")


def on_the_clock(s):
    (s.dir / "demo").touch()
    with open("/proc/uptime") as f:
        boot_us = int(float(f.read().split()[0]) * 1e6)
    # an hour a second, from Monday 2026-03-09 09:00, so that retries come back while we watch
    (s.dir / "clock").write_text(f"1773018000000 {boot_us} 60000 0\n")


def test_whatever_was_stored_arrives_once(stack):
    s = stack
    on_the_clock(s)
    fill(s)
    s.ctl("stage", "open", "2")
    s.ctl("pass", "open", "1", "--until", "2026-03-09 20:30")
    s.ctl("release", "--all", "--seed", "1")
    rng = random.Random(SEED)
    callers = [Caller(s, f"p{i:02d}") for i in range(CALLERS)]
    for c in callers:
        c.start()
    end, killed = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        before = sum(len(c.stored) for c in callers)
        wait_for("records between two kills", lambda: sum(len(c.stored) for c in callers) > before + 10 or
                 time.monotonic() > end, 30)
        victim = rng.choice(["hf-broker", "hf-broker2", "redis", "agent", "agent"])
        killed += 1
        if victim == "agent":
            rng.choice(callers).p.send_signal(signal.SIGKILL)
        elif victim == "redis":
            s.kill("redis", signal.SIGKILL)
            s.spawn("redis", ["redis-server", s.dir / "redis.conf"])
        elif victim == "hf-broker":
            s.kill(victim, signal.SIGKILL)
            s.daemon(victim)
        else:
            s.kill(victim, signal.SIGKILL)
            s.daemon(victim, "--bind", f"ipc://{s.dir}/broker2.sock", program="hf-broker")
    for c in callers:
        c.finish()
    for c in callers:
        c.join(30)
        for _ in c.p.stdout or []:
            pass
        c.p.wait(20)
    told = sum(len(c.stored) for c in callers)
    assert told > 50 and killed > 3

    def heads():
        """Every outbox is accepted to its head: what hf-caller wrote is read back from its own directory."""
        return s.sql("SELECT count(*), count(DISTINCT (ob, seq)) FROM hf.ledger WHERE kind = 1")[0]

    for c in callers:  # a last life: sends what a killed one left
        c.spawn()
        c.p.stdin.close()
    for c in callers:
        for _ in c.p.stdout:
            pass
        c.p.wait(30)
    wait_for("all that was stored is in the ledger",
             lambda: int(heads()[0]) >= told, 30)
    rows, distinct = map(int, heads())
    assert rows == distinct
    gaps = s.sql("SELECT ob FROM hf.ledger GROUP BY ob HAVING count(*) <> max(seq) OR min(seq) <> 1")
    assert gaps == []
    # Effective records of a case carry rising tokens: nobody who was superseded moved it.
    bad = s.sql("SELECT 1 FROM (SELECT token, lag(token) OVER (PARTITION BY case_ref ORDER BY no) AS before "
                "FROM hf.ledger WHERE kind = 1 AND verdict = 0) x WHERE before > token")
    assert bad == []
    census = json.loads(s.ctl("--json", "reconcile", "run", check=False).stdout)
    assert census["adds_up"] and census["imported"] == CASES
    print(f"{told} records told as stored, {rows} in the ledger, {killed} kills")
