"""The main job as the README tells it, by hand: roster, enrolment, release, a pulled case, "nobody answered", and
where it shows: case show, PostgreSQL, rates; then the same with daemons killed under it."""
import json
import os
import re
import signal
import subprocess
import types

import pytest

from office_rig import PIN, Browser
from stack import BIN, Stack, wait_for


class Lines:
    """hf-caller --lines, one JSON object a line both ways."""

    def __init__(self, stack, agent, *args):
        self.p = subprocess.Popen([str(BIN / "hf-caller"), "--lines", "--agent", str(agent), *args], env=stack.env(),
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                  bufsize=1)

    def say(self, **what):
        self.p.stdin.write(json.dumps(what) + "\n")
        self.p.stdin.flush()

    def hear(self, *kinds):
        """The next object that has one of these keys; others are passed over."""
        self.passed = []
        for line in self.p.stdout:
            said = json.loads(line)
            if not kinds or any(k in said for k in kinds):
                return said
            self.passed.append(said)
        raise AssertionError(f"hf-caller ended while waiting for {kinds}")

    def close(self):
        self.p.stdin.close()
        for _ in self.p.stdout:
            pass
        return self.p.wait(20)


@pytest.fixture(scope="module")
def stack():
    with Stack(pg=True) as s:
        (s.dir / "broker.conf").write_text("lease_ms = 3000\n")
        # the campaign's clock stands in the calling hours whatever the hour of the test is
        (s.dir / "demo").touch()
        with open("/proc/uptime") as f:
            boot_us = int(float(f.read().split()[0]) * 1e6)
        (s.dir / "clock").write_text(f"1773018000000 {boot_us} 1000 0\n")  # Monday 2026-03-09 09:00
        s.ctl("db", "migrate")
        s.daemon("hf-recorder")
        s.daemon("hf-broker")
        s.daemon("hf-router")
        s.ctl("campaign", "create", "c1")
        yield s


@pytest.fixture(scope="module")
def roster(stack):
    subprocess.run([str(BIN / "hf-sample"), "--rows", "30", "--seed", "3", "--format", "xlsx", "--out",
                    str(stack.dir / "roster.xlsx")], check=True)
    got = json.loads(stack.ctl("--json", "roster", "import", stack.dir / "roster.xlsx").stdout)
    assert (got["rows"], got["imported"], got["updated"], got["rejected"]) == (30, 30, 0, 0)
    return stack.dir / "roster.xlsx"


@pytest.fixture(scope="module")
def p01(stack):
    stack.ctl("person", "set", "p01", "--roles", "caller", "--team", "t1", "--qualified", "yes")
    stack.ctl("agent", "enrol", "--person", "p01", "--out", stack.dir / "p01")
    return stack.dir / "p01"


def test_a_second_import_of_the_same_roster_changes_nothing(stack, roster):
    def said():          # marks and the like come when they come
        return sum(f[b"e"].startswith((b"record ", b"create ")) for _, f in stack.redis.xrange("hf:{c1}:log"))
    before = said()
    got = json.loads(stack.ctl("--json", "roster", "import", roster).stdout)
    assert (got["rows"], got["imported"], got["updated"], got["rejected"]) == (30, 0, 30, 0)
    assert stack.redis.hlen("hf:{c1}:cases") == 30
    assert said() == before


def test_nobody_answered_is_seen_everywhere(stack, roster, p01):
    stack.ctl("stage", "open", "2")
    stack.ctl("pass", "open", "1", "--until", "2026-03-09 20:00")
    stack.ctl("release", "--count", "10", "--seed", "5")
    wait_for("ten cases in the pool", lambda: stack.redis.zcard("hf:{c1}:lane:pool") == 10)
    c = Lines(stack, p01)
    c.say(do="next")
    task = c.hear("task", "error")["task"]
    assert task["numbers"][0]["digits"].startswith("199") and task["name"]
    c.say(do="record", case=task["case"], token=task["token"], outcome="no-answer", channel="phone", number=1,
          seconds=35, note="nobody there", then="stay", id="0190a0b0-0000-7000-8000-000000000001")
    stored = c.hear("stored", "error")["stored"]
    assert c.hear("accepted")["accepted"] == {"seq": stored["seq"], "verdict": "effective"}
    assert c.hear("settled")["settled"]["upto"] == stored["seq"]
    c.say(do="record", case=task["case"], token=task["token"], outcome="no-answer", channel="phone", number=1,
          seconds=35, note="nobody there", then="stay", id="0190a0b0-0000-7000-8000-000000000001")
    assert c.hear("stored", "error")["stored"]["seq"] == stored["seq"]
    assert c.close() == 0

    show = json.loads(stack.ctl("--json", "case", "show", task["case"]).stdout)
    assert show["owner"] == "p01" and show["records"][0]["outcome"] == "no-answer"
    wait_for("the router placed it", lambda: json.loads(
        stack.ctl("--json", "case", "show", task["case"]).stdout)["lane"].startswith("own:p01:"))
    assert "p01" in stack.ctl("case", "why", task["case"]).stdout
    assert "record" in stack.ctl("case", "trace", task["case"]).stdout
    rows = stack.sql("SELECT person, outcome, seconds, verdict FROM hf.v_contact")
    assert rows == [["p01", "no-answer", "35", "0"]]
    rates = json.loads(stack.ctl("--json", "rates", "--by", "caller").stdout)
    mine = next(r for r in rates["rows"] if r["who"] == "p01")
    assert (mine["cases"], mine["attempts"], mine["contacts"], mine["seconds"]) == (1, 1, 0, 35)
    stack.ctl("queue", "ls")


def test_a_case_is_found_by_its_candidate_number(stack, roster):
    import openpyxl
    sheet = openpyxl.load_workbook(roster).active
    head = [c.value for c in sheet[1]]
    no = sheet[2][head.index("考生号")].value
    show = json.loads(stack.ctl("--json", "case", "show", no).stdout)
    assert len(show["case"]) == 32


def test_a_campaign_that_is_not_there_is_told_and_nothing_is_done_in_it(stack):
    for verb in (["queue", "ls"], ["late", "list"], ["rates"], ["stage", "open", "2"], ["person", "qualify", "p9"]):
        done = stack.ctl("--campaign", "sprung", *verb, check=False)
        assert done.returncode == 66 and "sprung" in done.stderr and "c1" in done.stderr, (verb, done)
        assert done.stdout == ""
    assert stack.ctl("queue", "ls", check=False, HF_CAMPAIGN="sprung").returncode == 66
    assert stack.ctl("queue", "ls", HF_CAMPAIGN="c1").returncode == 0


def test_keys_for_somebody_without_a_role_are_made_and_the_missing_role_is_told(stack):
    done = stack.ctl("agent", "enrol", "--person", "p77", "--out", stack.dir / "p77")
    assert "hfctl person set p77" in done.stderr


def test_who_is_not_qualified_gets_no_work(stack, roster):
    stack.ctl("person", "set", "p09", "--roles", "caller", "--team", "t1")
    stack.ctl("agent", "enrol", "--person", "p09", "--out", stack.dir / "p09")
    c = Lines(stack, stack.dir / "p09")
    c.say(do="next")
    assert c.hear("none", "task")["none"]["reason"] == "unqualified"
    c.close()
    assert "资格审查" in stack.ctl("why", "p09", check=False).stdout


def test_each_daemon_dies_under_a_caller_and_nothing_is_lost(stack, roster, p01):
    stack.ctl("release", "--count", "15", "--seed", "6")
    c = Lines(stack, p01)
    c.say(do="next")
    stored = []
    for victim in ("hf-broker", "hf-recorder", "hf-router", "redis"):
        task = c.hear("task", "error")["task"]
        stack.kill(victim, signal.SIGKILL)
        c.say(do="record", case=task["case"], token=task["token"], outcome="no-answer", channel="phone", number=1,
              seconds=20, then="next")
        stored.append(c.hear("stored", "error")["stored"]["seq"])
        if victim == "redis":
            stack.spawn("redis", ["redis-server", stack.dir / "redis.conf"])
        else:
            stack.daemon(victim)
    task = c.hear("task", "error")["task"]
    c.say(do="give-back", token=task["token"], reason="class")
    c.close()
    n = len(stored)
    wait_for("all of them in the ledger, once", lambda: stack.sql(
        "SELECT count(*), count(DISTINCT (ob, seq)) FROM hf.ledger WHERE kind = 1 AND person = 'p01' AND seconds = 20"
    ) == [[str(n), str(n)]])
    wait_for("the census adds up", lambda: stack.ctl("reconcile", "run", check=False).returncode == 0)


def test_no_file_of_the_stack_holds_a_name_or_a_number(stack, roster):
    """Canaries: names and numbers of the roster, looked for in every byte that the servers and daemons wrote."""
    import openpyxl
    sheet = openpyxl.load_workbook(roster).active
    head = [c.value for c in sheet[1]]
    canaries = []
    for row in sheet.iter_rows(min_row=2, max_row=12, values_only=True):
        canaries += [str(row[head.index(k)]).encode() for k in ("姓名", "本人电话", "身份证号", "考生号")
                     if k in head and row[head.index(k)]]
    assert len(canaries) >= 30
    canaries += [c.decode().encode("gb18030") for c in canaries if not c.isdigit()]
    subprocess.run(["psql", "-q", "-h", stack.dir, "-U", "huifang", "-d", "huifang", "-c", "CHECKPOINT"], check=True)
    looked = 0
    for base, _, files in os.walk(stack.dir):
        for name in files:
            path = os.path.join(base, name)
            if path == str(roster) or not os.path.isfile(path):
                continue
            with open(path, "rb") as f:
                data = f.read()
            looked += 1
            for canary in canaries:
                assert canary not in data, f"{path} holds something of the roster"
    assert looked > 100


def new_pin(stack, *args):
    said = json.loads(stack.ctl("--json", *args).stdout)
    assert re.fullmatch(r"[0-9]{6}", said["pin"])
    return said["pin"]


def test_a_pin_is_made_with_the_enrolment_and_made_anew(stack):
    def records():
        return sum(f[b"e"].startswith(b"record ") for _, f in stack.redis.xrange("hf:{c1}:log"))

    agents = stack.dir / "agents"
    agents.mkdir()
    stack.daemon("office", "--office", "--agents", agents, "--listen", "127.0.0.1:0", program="hf-caller")
    office = types.SimpleNamespace(port=int(re.search(r"port=(\d+)", stack.log("office")).group(1)))
    for p in ("p31", "p32"):
        stack.ctl("person", "set", p, "--roles", "caller,leader", "--team", "t1", "--qualified", "yes")
    first = new_pin(stack, "agent", "enrol", "--person", "p31", "--out", agents / "p31", "--new-pin")
    b = Browser(office, "p31", first)  # enrolled after the office was opened
    wait_for("the broker's word", lambda: b.ask("GET", "/api/me")[1]["person"].get("roles") == ["caller", "leader"])
    second = new_pin(stack, "person", "reset-pin", "--person", "p31", "--out", agents / "p31")
    if first != second:
        assert b.login("p31", first)[0] == 401
    b = Browser(office, "p31", second)
    wait_for("the new key's login", lambda: b.ask("GET", "/api/me")[1]["person"].get("team") == "t1")
    # a key that lay open keeps its value: no record is needed
    stack.ctl("agent", "enrol", "--person", "p32", "--out", agents / "p32")
    key = agents / "p32" / "persons" / "p32.key"
    seed = re.search(r'seed = "([0-9a-f]{64})"', key.read_text()).group(1)
    assert b.login("p32", "")[1]["error"]["code"] == "no-pin"
    (stack.dir / "pin").write_text(PIN + "\n")
    before = records()
    stack.ctl("person", "reset-pin", "--person", "p32", "--out", agents / "p32", "--pin-file", stack.dir / "pin")
    assert records() == before
    assert seed not in key.read_text() and PIN not in key.read_text() and key.stat().st_mode & 0o777 == 0o600
    b = Browser(office, "p32", PIN)
    wait_for("the old key's login", lambda: b.ask("GET", "/api/me")[1]["person"].get("role") == "caller")
    r = stack.ctl("person", "reset-pin", "--person", "p33", "--out", agents / "p32", check=False)
    assert r.returncode == 66 and "p33" in r.stderr
    assert stack.kill("office", signal.SIGTERM) == 0
