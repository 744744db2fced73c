"""The rules of a campaign as hfctl gives and changes them: days off, the policy, spot checks. One stack for all of
them: real broker, router, recorder; hf-caller --lines makes what the rules are about."""
import subprocess

import pytest

import hfp
from stack import BIN, wait_for
from test_acts import ADMIN, Lines, Office, called

ICS = """BEGIN:VCALENDAR\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20260310\r
DTEND;VALUE=DATE:20260312\r
SUMMARY:春假 假期\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20260314\r
SUMMARY:春假 补班\r
END:VEVENT\r
END:VCALENDAR\r
"""


@pytest.fixture(scope="module")
def office():
    with Office(pg=True) as s:
        (s.dir / "broker.conf").write_text("lease_ms = 30000\n")
        (s.dir / "demo").touch()
        with open("/proc/uptime") as f:
            boot_us = int(float(f.read().split()[0]) * 1e6)
        (s.dir / "clock").write_text(f"1773018000000 {boot_us} 1000 0\n")  # Monday 2026-03-09 09:00
        s.ctl("db", "migrate")
        for name in ("hf-recorder", "hf-broker", "hf-router"):
            s.daemon(name)
        s.ctl("campaign", "create", "c1")
        subprocess.run([str(BIN / "hf-sample"), "--rows", "40", "--seed", "4", "--format", "xlsx", "--out",
                        str(s.dir / "roster.xlsx")], check=True)
        s.ctl("roster", "import", s.dir / "roster.xlsx")
        for who, roles in (("l1", "leader"), ("h1", "callback-head"), ("s1", "supervisor"), ("d2", "data"),
                           ("p01", "caller"), ("p02", "caller")):
            s.ctl(*ADMIN, "person", "set", who, "--roles", roles, "--team", "t1", "--qualified", "yes")
            at = s.dir / who if who[0] == "p" else s.dir / "ctl" / "c1"
            s.ctl(*ADMIN, "agent", "enrol", "--person", who, "--out", at)
        s.ctl(*ADMIN, "stage", "open", "2")
        s.ctl(*ADMIN, "pass", "open", "1", "--until", "2026-03-25 20:00")
        s.ctl(*ADMIN, "release", "--count", "35", "--seed", "5")
        wait_for("cases in the pool", lambda: s.redis.zcard("hf:{c1}:lane:pool") == 35)
        s.p01 = Lines(s, s.dir / "p01")
        yield s
        s.p01.close()


def file(office, name, text):
    path = office.dir / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def said(office, kind):
    """How many records of this kind stand in the log."""
    return sum(e.get(b"d", b"").endswith(b" %d" % (hfp.RECORDS.index(kind) + 1))
               for _, e in office.redis.xrange("hf:{c1}:log") if e[b"e"].startswith(b"record "))


def gate(office):
    return int(office.redis.hget("hf:{c1}:meta", "gate") or 0)


def test_days_off_close_the_gate_and_move_the_next_try(office):
    ics = file(office, "days.ics", ICS)
    got = office.as_json(*ADMIN, "holidays", "import", ics, "--dry-run")
    assert got == {"days": 3, "changed": 3, "dry_run": True} and office.as_json("holidays", "list") == []
    assert office.as_json(*ADMIN, "holidays", "import", ics)["changed"] == 3
    assert [(r["date"], r["kind"]) for r in office.as_json("holidays", "list")] == [
        ("2026-03-10", "holiday"), ("2026-03-11", "holiday"), ("2026-03-14", "workday")]
    case = called(office, "school-closed")
    due = office.placed(case, "own:p01:")["due"]
    assert due.startswith("2026-03-12T09:"), str(office.case(case))  # the next working day is not tomorrow
    # The same file again says nothing new, and is not even sent.
    before = said(office, "POLICY")
    assert office.as_json(*ADMIN, "holidays", "import", ics)["changed"] == 0
    assert said(office, "POLICY") == before == 1
    # Today off: the gate closes; a new router knows it from Redis.
    office.ctl(*ADMIN, "holidays", "import", file(office, "today.csv", "日期,性质,名称\n2026-03-09,放假,检修\n"))
    wait_for("the gate is closed", lambda: gate(office) > 0)
    office.kill("hf-router")
    office.daemon("hf-router")
    office.ctl(*ADMIN, "person", "set", "p02", "--qualified", "yes")
    assert gate(office) > 0
    office.ctl(*ADMIN, "holidays", "import", file(office, "back.csv", "2026-03-09,平常\n"))
    wait_for("the gate is open", lambda: gate(office) == 0)
    assert len(office.as_json("holidays", "list")) == 3


def test_a_bad_calendar_changes_nothing_and_says_where(office):
    told = office.ctl(*ADMIN, "holidays", "import", file(office, "bad.csv", "2026-03-20,放假,x\n2026-02-30,放假,y\n"),
                      check=False)
    assert told.returncode == 65 and "bad.csv:2: " in told.stderr and "hfctl: " in told.stderr
    assert len(office.as_json("holidays", "list")) == 3
    office.refused(66, *ADMIN, "holidays", "import", office.dir / "none.ics")
    office.refused(77, "--as", "s1", "holidays", "import", file(office, "other.csv", "2026-03-20,放假,x\n"))


def dead(office):
    """A case of several numbers, the first of which does not exist; pulled by p01."""
    while True:
        office.p01.say(do="next")
        task = office.p01.hear("task", "error")["task"]
        several = len(task["numbers"]) > 1
        office.p01.say(do="record", case=task["case"], token=task["token"], channel="phone", number=1, seconds=0,
                       outcome="empty-number" if several else "busy", then="stay")
        assert office.p01.hear("accepted", "error")["accepted"]["verdict"] == "effective"
        if several:
            return task["case"]


def test_a_roster_that_comes_again_leaves_what_is_known_of_numbers(office):
    case = dead(office)
    office.placed(case, "own:p01:")
    task = office.redis.hget("hf:{c1}:tasks", bytes.fromhex(case))
    before = said(office, "IMPORT")
    assert office.as_json(*ADMIN, "roster", "import", office.dir / "roster.xlsx")["imported"] == 0
    assert said(office, "IMPORT") == before  # nothing of it is new, what was dialled notwithstanding
    office.p01.say(do="take", case=case)
    now = office.p01.hear("task", "error")["task"]
    assert "空号" in now["numbers"][-1]["note"] and "空号" not in now["numbers"][0]["note"]
    assert office.redis.hget("hf:{c1}:tasks", bytes.fromhex(case)) == task
    office.p01.say(do="give-back", token=now["token"], reason="class")
    assert office.p01.hear("lease", "error")["lease"]
