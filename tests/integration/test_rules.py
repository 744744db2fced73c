"""The rules of a campaign as hfctl gives and changes them: days off, the policy, spot checks. One stack for all of
them: real broker, router, recorder; hf-caller --lines makes what the rules are about."""
import subprocess

import pytest

import hfp
from stack import BIN, ROOT, wait_for
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
    assert "空号" in now["numbers"][-1].get("note", "") and "空号" not in now["numbers"][0].get("note", "")
    assert office.redis.hget("hf:{c1}:tasks", bytes.fromhex(case)) == task
    office.p01.say(do="give-back", token=now["token"], reason="class")
    assert office.p01.hear("lease", "error")["lease"]


DEFAULT = ROOT / "deploy/policy/default.policy"


def test_a_policy_is_tried_proposed_and_approved_by_another_person(office):
    text = DEFAULT.read_text()
    mine = text.replace("policy | 1 |", "policy | 2 |").replace(
        "10min, 30min, 2h", "20min, 30min, 2h").replace("their-time, 1h, 2h, 1d", "their-time, 1h, 3h, 1d")
    assert mine.count("20min, 30min, 2h") == mine.count("their-time, 1h, 3h, 1d") == 1
    path = file(office, "mine.policy", mine)
    now = office.as_json("policy", "show")
    assert (now["version"], now["approved_by"], now["waiting"]) == (1, "", 0)
    assert now["questions"]["Q1"] == "literal" and len(now["questions"]) == 21 and now["settings"]["strike.take"] == "1h"

    # Whom it concerns: p01, who has a case that would be called again after three hours instead of two.
    later = called(office, "call-later", next_step={"do": "we-call", "at": "2026-03-09 15:00"})
    office.placed(later, "own:p01:")
    tried = office.as_json(*ADMIN, "policy", "apply", path, "--dry-run")
    assert (tried["was"], tried["version"], tried["dry_run"]) == (1, 2, True)
    assert len(tried["added"]) == len(tried["removed"]) == 3 and tried["cases"] == 35
    assert tried["concerned"] == sum(tried["persons"].values()) >= 1 and set(tried["persons"]) == {"p01"}
    assert office.as_json("policy", "show")["waiting"] == 0  # only looked at

    # What is wrong is told with its line, and what is not newer is refused.
    bad = file(office, "bad.policy", mine.replace("20min, 30min", "20 minutes"))
    told = office.ctl(*ADMIN, "policy", "apply", bad, check=False)
    assert told.returncode == 65 and "bad.policy:" in told.stderr
    office.refused(65, *ADMIN, "policy", "apply", DEFAULT)
    office.refused(65, *ADMIN, "policy", "apply", file(office, "old.policy", mine.replace("policy | 2 |", "policy | 1 |")))
    office.refused(77, "--as", "s1", "policy", "apply", path)
    office.refused(66, "--as", "d2", "policy", "approve")

    # Proposed it waits; oneself and a leader are not the second person.
    office.ctl(*ADMIN, "policy", "apply", path)
    assert office.as_json("policy", "show", "--waiting")["proposed_by"] == "admin"
    office.refused(77, *ADMIN, "policy", "approve")
    office.refused(77, "--as", "l1", "policy", "approve")
    assert office.as_json("policy", "show")["version"] == 1
    office.kill("hf-router")
    office.daemon("hf-router")
    office.ctl("--as", "d2", "policy", "approve")
    now = office.as_json("policy", "show")
    assert (now["version"], now["proposed_by"], now["approved_by"], now["waiting"]) == (2, "admin", "d2", 0)
    assert "提出 admin, 同意 d2" in office.ctl("policy", "show").stdout
    case = called(office, "busy")
    due = office.placed(case, "own:p01:")["due"]
    assert due >= "2026-03-09T09:20", due  # in twenty minutes, no longer in ten

    # One that is refused leaves everything as it was.
    office.ctl(*ADMIN, "policy", "apply", file(office, "third.policy", mine.replace("policy | 2 |", "policy | 3 |")))
    office.ctl("--as", "h1", "policy", "refuse")
    now = office.as_json("policy", "show")
    assert (now["version"], now["waiting"]) == (2, 0)


def to_time(office, text_ms):
    with open("/proc/uptime") as f:
        boot_us = int(float(f.read().split()[0]) * 1e6)
    new = office.dir / "clock.new"
    new.write_text(f"{text_ms} {boot_us} 1000 0\n")
    new.rename(office.dir / "clock")


def test_a_spot_check_is_drawn_by_a_seed_that_was_fixed_before(office):
    sup = ("--as", "s1")
    office.refused(77, "--as", "l1", "spotcheck", "commit", "--until", "2026-03-09 10:00")
    office.refused(64, *sup, "spotcheck", "commit", "--until", "2026-03-09 08:00")
    told = office.as_json(*sup, "spotcheck", "commit", "--until", "2026-03-09 10:00")
    wait_for("it is in the ledger", lambda: len(office.as_json("spotcheck", "list")) == 1)
    office.refused(75, *sup, "spotcheck", "draw")  # not before its time
    seed = (office.dir / "ctl/c1" / ("spotcheck-" + told["commitment"])).read_text()
    assert seed.strip() not in office.ctl("spotcheck", "list").stdout
    called(office, "busy"), called(office, "busy")
    called(office, "withdraw-asked", note="x")
    to_time(office, 1773018000000 + 3_600_000)
    drawn = office.as_json(*sup, "spotcheck", "draw")
    assert drawn["fits"] and drawn["commitment"] == told["commitment"] and drawn["seed"] == int(seed)
    why = {r["no"]: r["why"] for r in drawn["sample"]}
    assert "退档" in why.values() and list(why.values()).count("新人") >= 2  # of p01's first five
    assert {r["person"] for r in drawn["sample"]} == {"p01"} and {r["checker"] for r in drawn["sample"]} == {"s1"}
    # Anybody draws the same again, from the ledger.
    assert office.as_json("spotcheck", "list", "1") == drawn
    office.refused(66, *sup, "spotcheck", "draw")
    # A finding is somebody else's.
    no = str(drawn["sample"][0]["no"])
    office.refused(64, *sup, "spotcheck", "find", no, "--what", "")
    office.ctl(*ADMIN, "person", "set", "p01", "--roles", "caller,supervisor")
    own = office.ctl("--as", "p01", "spotcheck", "find", no, "--what", "ok", check=False)
    assert own.returncode == 77 and "自己" in own.stderr
    office.ctl(*sup, "spotcheck", "find", no, "--what", "ok")
    got = wait_for("the finding is in the ledger", lambda: next(
        r["findings"] for r in office.as_json("spotcheck", "list", "1")["sample"] if str(r["no"]) == no))
    assert got == [{"by": "s1", "what": "ok"}]


def test_a_correction_has_its_time_and_who_hears_of_it(office):
    sup = ("--as", "s1")
    monday = 1773018000000 + 7 * 86_400_000  # 2026-03-16, behind the days off of this file
    to_time(office, monday)

    def broker_now():
        office.p01.say(do="look", what="me")
        return office.p01.hear("seen", "error")["seen"]["as_of"]
    wait_for("the broker has the time", lambda: broker_now() >= monday)
    office.ctl("--as", "d2", "holidays", "import", file(office, "one.csv", "日期,性质,名称\n2026-03-18,放假,样本\n"))
    office.ctl(*sup, "finding", "add", "record", "--person", "p01", "--note", "没有台账")

    def mine():
        return next((f for f in office.as_json("finding", "list") if f["what"] == "record"), None)
    first = wait_for("it is in the ledger", mine)
    assert first["state"] == "open" and first["due"].startswith("2026-03-17 18:00") and not first["overdue"]
    assert (first["misses"], first["to"]) == (0, "")
    for hours, misses, to in ((33.1, 1, "own"), (57.1, 1, "own"), (81.1, 2, "leader"), (105.1, 3, "heads")):
        to_time(office, monday + int(hours * 3_600_000))  # 18:06 of that day; the 18th is a day off
        now = mine()
        assert now["overdue"] and (now["misses"], now["to"]) == (misses, to), hours
    assert "报回访组长" in office.ctl("finding", "list").stdout
    wait_for("the broker has the time", lambda: broker_now() >= monday + 105 * 3_600_000)
    office.ctl(*sup, "finding", "correct", str(first["no"]))
    done = wait_for("corrected", lambda: (f := mine())["state"] == "corrected" and f)
    to_time(office, monday + 20 * 86_400_000)
    assert mine() == done and done["misses"] == 3 and not done["overdue"]
