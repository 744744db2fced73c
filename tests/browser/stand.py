#!/usr/bin/python3
"""A whole installation for the browser tests: stores, daemons, a roster, people of every role with a PIN, the office.

Says one JSON line when it is ready; then does what is said on its standard input, a line each, and answers each with a
line: `lose PERSON` (what that person holds ends and somebody else takes it), `returned` (and gives it back), `stop NAME`, `start NAME`, `ctl ARG …` (hfctl's own output), `clock MINUTES` (forward),
`sql QUERY`. Ends with its input."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import stack as stack_py  # noqa: E402
from stack import BIN, Stack, wait_for  # noqa: E402

stack_py.LIMIT = 60.0
MONDAY_NINE = 1773018000000  # 2026-03-09 09:00 in Beijing: calling hours whatever the hour of the test is
PIN = "482913"
PEOPLE = ("p01", "p02")
BOARD = {"q01": "caller", "q02": "caller", "l01": "leader", "s01": "strike", "v01": "supervisor", "g01": "data", "f01": "finance", "b01": "back-office", "z01": "leading", "h01": "callback-head"}
CASES = 120  # each caller gets a share of the pool: enough for twenty and what else is worked


class Stand:
    def __init__(self, s):
        self.s = s
        self.pages = {}

    def clock(self, ms):
        with open("/proc/uptime", encoding="ascii") as f:
            boot_us = int(float(f.read().split()[0]) * 1e6)
        new = self.s.dir / "clock.new"
        new.write_text(f"{ms} {boot_us} 1000 0\n")
        new.rename(self.s.dir / "clock")
        self.now, self.boot_us = ms, boot_us

    def port(self, name):
        import socket
        if name not in self.pages:
            with socket.socket() as sock:
                sock.bind(("127.0.0.1", 0))
                self.pages[name] = sock.getsockname()[1]
        return self.pages[name]

    def answers(self, url):
        try:
            return urllib.request.urlopen(url, timeout=5).status == 200
        except (OSError, urllib.error.URLError):
            return False

    def start(self, name):
        if name == "redis":
            self.s.start_redis()
        elif name == "postgres":
            self.s.start_pg()
        elif name == "office":
            self.s.spawn("office", [BIN / "hf-caller", "--office", "--agents", self.s.dir / "agents", "--listen",
                                    f"127.0.0.1:{self.port('office')}", "--imports-as", "admin"])
        elif name == "hf-dashboard":
            self.s.daemon(name, "--bind", f"127.0.0.1:{self.port(name)}")
        else:
            self.s.daemon(name)
        if name in self.pages:
            wait_for(f"{name} answers", lambda: self.answers(f"http://127.0.0.1:{self.port(name)}/"), 60)

    def set_up(self):
        s = self.s
        (s.dir / "demo").touch()
        (s.dir / "recorder.conf").write_text("archive_same_device = true\n")  # else no photo comes to the archive
        self.clock(MONDAY_NINE)
        s.ctl("db", "migrate")
        for name in ("hf-recorder", "hf-broker", "hf-router"):
            self.start(name)
        s.ctl("campaign", "create", "c1")
        subprocess.run([str(BIN / "hf-sample"), "--rows", str(CASES), "--seed", "3", "--out", str(s.dir / "roster.xlsx")],
                       check=True, stdout=subprocess.DEVNULL)
        s.ctl("roster", "import", s.dir / "roster.xlsx")
        (s.dir / "pin").write_text(PIN + "\n")
        (s.dir / "agents").mkdir()
        for p in PEOPLE:
            s.ctl("person", "set", p, "--roles", "caller", "--team", "t1", "--qualified", "yes")
            s.ctl("agent", "enrol", "--person", p, "--out", s.dir / "agents" / p, "--pin-file", s.dir / "pin")
        for p, role in BOARD.items():
            s.ctl("person", "set", p, "--roles", role, "--team", "t2", "--qualified", "yes")
            s.ctl("agent", "enrol", "--person", p, "--out", s.dir / "agents" / p, "--pin-file", s.dir / "pin")
        s.ctl("person", "set", "r01", "--roles", "caller", "--team", "t3", "--qualified", "yes")
        s.ctl("agent", "enrol", "--person", "r01", "--out", s.dir / "r01")
        s.ctl("stage", "open", "2")
        s.ctl("pass", "open", "1", "--until", "2026-03-13 20:00")
        s.ctl("release", "--count", str(CASES), "--seed", "5")
        # Who was reported by a caller goes to that caller's lane, all others to the pool.
        wait_for("a full pool", lambda: s.redis.zcard("hf:{c1}:lane:pool") > CASES * 3 // 4 and
                 s.redis.zcard("hf:{c1}:lane:unreleased") == 0, 60)
        self.start("office")
        self.start("hf-dashboard")

    def ms(self):
        """Campaign time, now."""
        with open("/proc/uptime", encoding="ascii") as f:
            return self.now + float(f.read().split()[0]) * 1e3 - self.boot_us / 1e3

    def entry(self, name, *args):
        """One entry of hf1_broker, as another agent's broker would send it."""
        wall = [int(x) for x in self.s.redis.time()]
        got = self.s.redis.fcall("hf1_broker", 1, "hf:{c1}:meta", int(self.ms()), wall[0] * 1000, 0, name, len(args), *args)[4]
        if got[0] != b"ok":
            raise ValueError(f"{name}: {got}")
        return got

    def lose(self, person):
        agent = re.search(r'^agent = "(\w+)"', (self.s.dir / "r01" / "agent.conf").read_text(), re.M).group(1)
        held = [(case, state.split(b"|")) for case, state in self.s.redis.hgetall("hf:{c1}:cases").items()
                if state.split(b"|")[2] == person.encode()]
        (case, state), = held
        self.ob = os.urandom(16)
        self.entry("hello", self.ob, agent, 0, bytes(32), 0, 0)
        self.entry("expire", case, state[5], int(state[6]))
        self.lost = case, self.entry("take", self.ob, "r01", 10**7, case, "*")[2]
        return case.hex()

    def do(self, words):
        if words[0] == "lose":
            return {"case": self.lose(words[1])}
        if words[0] == "returned":
            self.entry("giveback", self.ob, *self.lost, "class")
            return {}
        if words[0] == "stop":
            self.s.kill(words[1], signal.SIGKILL)
            return {}
        if words[0] == "start":
            self.start(words[1])
            return {}
        if words[0] == "clock":
            self.clock(int(self.ms()) + int(words[1]) * 60000)
            return {}
        if words[0] == "ctl":
            return {"out": self.s.ctl(*words[1:]).stdout}
        if words[0] == "sql":
            return {"rows": self.s.sql(" ".join(words[1:]))}
        raise ValueError(f"what is {words[0]}?")


def main():
    with Stack(pg=True) as s:
        stand = Stand(s)
        stand.set_up()
        print(json.dumps({"office": f"http://127.0.0.1:{stand.port('office')}", "pin": PIN, "people": PEOPLE,
                          "dashboard": f"http://127.0.0.1:{stand.port('hf-dashboard')}"}), flush=True)
        for line in sys.stdin:
            try:
                said = stand.do(line.split())
            except Exception as e:  # whoever asked must hear of it
                said = {"error": f"{type(e).__name__}: {e}"}
            print(json.dumps(said), flush=True)


main()
