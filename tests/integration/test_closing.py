"""Pass 3 ends when every list is signed off and every open case is ruled, and says until then who and which it
waits for; the same through hfctl and through the router alone."""
import json
import subprocess

import hfp
import pytest

from router_rig import MONDAY, Rig, at
from stack import BIN, Stack, wait_for
from test_main_path import Lines


def book(redis, campaign):
    return (redis.hget("hf:{%s}:router" % campaign, "book") or b"").decode()


@pytest.fixture()
def rig():
    with Rig() as r:
        r.start()
        r.ready()
        yield r


def test_the_router_keeps_pass_3_open_until_all_is_signed_and_ruled(rig):
    for person, roles, team in (("ann", "caller", "t1"), ("bob", "caller", "t2"), ("lea", "leader", "t1"),
                                ("head", "callback-head", "")):
        rig.person(person, roles, team=team)
    rig.roster(4)
    rig.say("STAGE", fields={"n": 2, "open": 1})
    rig.say("RELEASE", fields={"count": 0, "seed": 7})
    wait_for("released", lambda: rig.lane_size("pool") == 4)
    rig.say("PASS", fields={"n": 3, "open": 1, "until": at("20 21:00")})
    rig.clock(MONDAY)
    cases = {}
    for person, outcome in (("ann", "confirmed"), ("bob", "considering")):
        lease = wait_for("a case", lambda p=person: isinstance(x := rig.next(p), tuple) and x)
        cases[person] = lease[0]
        rig.attempt(person, lease, outcome)

    def answer():
        return (rig.redis.hget(rig.key("router"), "closing") or b"").decode()

    def close():
        old = answer()[:20].split(" ")[0]
        rig.say("PASS", fields={"n": 3, "open": 0})
        wait_for("the answer", lambda: answer()[:20].split(" ")[0] != old)
        said = answer().split()
        return (" pass=0 " in book(rig.redis, "c1"), sorted(w for w in said if w.startswith(("owner", "leader"))),
                next(w for w in said if w.startswith("open=")), len([w for w in said if w.startswith("case=")]))

    assert close() == (False, ["leader=t1", "owner=ann", "owner=bob"], "open=3", 3)
    rig.say("SIGNOFF", "ann", {"n": 3})
    rig.say("SIGNOFF", "bob", {"n": 2})  # of another pass
    rig.kill("hf-router")  # what was signed is kept
    rig.start()
    assert close() == (False, ["leader=t1", "owner=bob"], "open=3", 3)
    rig.say("SIGNOFF", "bob", {"n": 3})
    rig.say("SIGNOFF", "lea", {"n": 3})
    rig.say("RULING", "head", {"verdict": "admitted-unconfirmed"})
    assert close() == (False, [], "open=3", 3)
    rig.say("RULING", "admin", {"verdict": "admitted-unconfirmed"})
    wait_for("ruled", lambda: rig.lane_size("resting") == 4)
    # The confirmed one has no parent's number and no reason why; those who were ruled have the ruling for a reason.
    assert close() == (False, [], "open=0", 0)
    assert [w for w in answer().split() if w.startswith(("incomplete", "number"))] == [
        "incomplete=1", "number=%s,ann" % cases["ann"].hex()]
    rig.kill("hf-router")  # it is in the case's memory
    rig.start()
    assert not close()[0]
    rig.say("NUMBER", "ann", {"valid": 0}, case=cases["ann"], body=hfp.body(note="父母在外地，没有手机", kind="mother"))
    wait_for("it is closed then", lambda: close()[0])


def test_a_pass_that_opens_wants_new_signatures(rig):
    rig.person("ann")
    rig.say("STAGE", fields={"n": 2, "open": 1})
    for n in (2, 3):
        rig.say("PASS", fields={"n": n, "open": 1, "until": at("20 21:00")})
        wait_for("open", lambda n=n: f" pass={n} " in book(rig.redis, "c1"))
        assert " signed=" not in book(rig.redis, "c1")
        rig.say("SIGNOFF", "ann", {"n": n})
        wait_for("signed", lambda: " signed=ann" in book(rig.redis, "c1"))


def test_what_pass_1_left_goes_on_in_pass_2(rig):
    rig.person("ann")
    case, = rig.roster(1)
    rig.say("STAGE", fields={"n": 2, "open": 1})
    rig.say("PASS", fields={"n": 1, "open": 1, "until": at("3 21:00")})
    rig.say("RELEASE", fields={"count": 0, "seed": 7})
    wait_for("released", lambda: rig.lane_size("pool") == 1)
    rig.clock(MONDAY)
    lease = wait_for("a case", lambda: isinstance(x := rig.next("ann"), tuple) and x)
    rig.attempt("ann", lease, "considering")
    rig.placed(case, "own:ann:retry")
    rig.clock(at("3 10:00"))
    rig.say("PASS", fields={"n": 1, "open": 0})
    wait_for("closed", lambda: " pass=0 " in book(rig.redis, "c1"))
    assert rig.next("ann") == "closed-until"  # nothing is offered between two passes
    rig.say("PASS", fields={"n": 2, "open": 1, "until": at("6 21:00")})
    rig.placed(case, "own:ann:due", why="new-pass")


def test_hfctl_names_what_is_missing():
    with Stack(pg=True) as s:
        (s.dir / "demo").touch()
        with open("/proc/uptime") as f:
            boot_us = int(float(f.read().split()[0]) * 1e6)
        (s.dir / "clock").write_text(f"1773018000000 {boot_us} 1000 0\n")  # Monday 2026-03-09 09:00
        s.ctl("db", "migrate")
        s.daemon("hf-broker")
        s.daemon("hf-router")
        s.daemon("hf-recorder")
        s.ctl("campaign", "create", "c1")
        office = s.dir / "ctl" / "c1"
        for person, roles, team in (("p01", "caller", "t1"), ("lea", "leader", "t1"), ("head", "callback-head", "t9")):
            s.ctl("--as", "admin", "person", "set", person, "--roles", roles, "--team", team, "--qualified", "yes")
            s.ctl("--as", "admin", "agent", "enrol", "--person", person, "--out",
                  s.dir / "p01" if person == "p01" else office)
        subprocess.run([str(BIN / "hf-sample"), "--rows", "3", "--seed", "3", "--format", "csv", "--out",
                        str(s.dir / "r.csv")], check=True)
        s.ctl("--as", "admin", "roster", "import", s.dir / "r.csv")
        s.ctl("--as", "admin", "stage", "open", "2")
        s.ctl("--as", "admin", "release", "--all")
        s.ctl("--as", "admin", "pass", "open", "3", "--until", "2026-03-09 20:00")
        c = Lines(s, s.dir / "p01")
        c.say(do="next")
        task = c.hear("task", "error")["task"]
        c.say(do="record", case=task["case"], token=task["token"], outcome="no-answer", channel="phone", number=1,
              seconds=35, then="stay", id="0190a0b0-0000-7000-8000-000000000001")
        c.hear("accepted", "error")
        c.close()
        wait_for("placed", lambda: json.loads(s.ctl("--json", "case", "show", task["case"]).stdout)["owner"] == "p01")
        r = s.ctl("--as", "admin", "--json", "pass", "close", "3", check=False)
        said = json.loads(r.stdout)
        assert r.returncode == 1 and said["unsigned"] == ["p01"] and said["teams_unsigned"] == ["t1"]
        assert said["open"] == 3 and len(said["cases"]) == 3 and task["case"] in said["cases"]
        plain = s.ctl("--as", "admin", "pass", "close", "3", check=False)
        assert plain.returncode == 1 and "p01" in plain.stderr and task["case"] in plain.stderr
        assert task["name"] not in plain.stderr
        s.ctl("--as", "lea", "signoff", "3")
        s.ctl("--as", "head", "ruling", "give", "admitted-unconfirmed", "--all-open")
        s.ctl("--as", "admin", "ruling", "give", "admitted-unconfirmed", "--all-open")
        said = json.loads(s.ctl("--as", "admin", "--json", "pass", "close", "3", check=False).stdout)
        assert (said["unsigned"], said["teams_unsigned"], said["open"]) == (["p01"], [], 0)
        # p01 signs on the own machine; here the office does it with a second key
        assert s.ctl("--as", "lea", "ruling", "give", "admitted-unconfirmed", "--all-open", check=False).returncode != 0
        assert s.ctl("--as", "admin", "ruling", "give", "nonsense", "--all-open", check=False).returncode == 64
        assert s.ctl("--as", "lea", "waiver", "give", "7", "--case", task["case"]).returncode == 0
