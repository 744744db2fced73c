"""What hfctl does to cases and to the handing out: pause, move, reopen, free, late, approve, absence. One stack for
all of them: real broker, router, recorder; hf-caller --lines makes what there is to act on."""
import json
import os
import signal
import subprocess

import pytest

from stack import BIN, Stack, wait_for
import test_main_path

LEADER, HEAD, ADMIN, SUP = ("--as", "l1"), ("--as", "h1"), ("--as", "admin"), ("--as", "s1")


class Lines(test_main_path.Lines):
    def hear(self, *kinds):
        def too_long(*_):
            raise AssertionError(f"hf-caller says nothing of {kinds}, but {self.passed[-4:]}")
        signal.signal(signal.SIGALRM, too_long)
        signal.alarm(20)
        try:
            return super().hear(*kinds)
        finally:
            signal.alarm(0)


class Office(Stack):
    def as_json(self, *args):
        return json.loads(self.ctl("--json", *args).stdout)

    def case(self, case):
        return self.as_json("case", "show", case)

    def placed(self, case, lane):
        return wait_for(lane, lambda: (s := self.case(case))["lane"].startswith(lane) and not s["held"] and s)

    def refused(self, code, *args):
        r = self.ctl(*args, check=False)
        assert r.returncode == code, (r.returncode, r.stdout, r.stderr)
        assert r.stderr.startswith("hfctl: ")
        return r.stderr

    def entry(self, name, *args):
        """One entry of hf1_broker, as another agent's broker would send it."""
        wall = [int(x) for x in self.redis.time()]
        now = 1773018000000 + (float(open("/proc/uptime").read().split()[0]) * 1e3 - self.boot_ms)
        got = self.redis.fcall("hf1_broker", 1, "hf:{c1}:meta", int(now), wall[0] * 1000, 0, name, len(args), *args)
        return got[4]


@pytest.fixture(scope="module")
def office():
    with Office(pg=True) as s:
        (s.dir / "broker.conf").write_text("lease_ms = 30000\n")
        (s.dir / "demo").touch()
        with open("/proc/uptime") as f:
            boot_us = int(float(f.read().split()[0]) * 1e6)
        s.boot_ms = boot_us / 1e3
        (s.dir / "clock").write_text(f"1773018000000 {boot_us} 1000 0\n")  # Monday 2026-03-09 09:00
        s.ctl("db", "migrate")
        for name in ("hf-recorder", "hf-broker", "hf-router"):
            s.daemon(name)
        s.ctl("campaign", "create", "c1")
        subprocess.run([str(BIN / "hf-sample"), "--rows", "40", "--seed", "4", "--format", "xlsx", "--out",
                        str(s.dir / "roster.xlsx")], check=True)
        s.ctl("roster", "import", s.dir / "roster.xlsx")
        for who, roles in (("l1", "leader"), ("h1", "callback-head"), ("s1", "supervisor"), ("p01", "caller"),
                           ("p02", "caller"), ("p03", "caller")):
            s.ctl(*ADMIN, "person", "set", who, "--roles", roles, "--team", "t1", "--qualified", "yes")
            at = s.dir / who if who[0] == "p" else s.dir / "ctl" / "c1"
            s.ctl(*ADMIN, "agent", "enrol", "--person", who, "--out", at)
        s.ctl(*ADMIN, "stage", "open", "2")
        s.ctl(*ADMIN, "pass", "open", "1", "--until", "2026-03-09 20:00")
        s.ctl(*ADMIN, "release", "--count", "35", "--seed", "5")
        wait_for("cases in the pool", lambda: s.redis.zcard("hf:{c1}:lane:pool") == 35)
        s.p01 = Lines(s, s.dir / "p01")
        agent = next(line for line in (s.dir / "p03" / "agent.conf").read_text().splitlines()
                     if line.startswith("agent ")).split('"')[1]
        s.ob = os.urandom(16)
        assert s.entry("hello", s.ob, agent, 0, bytes(32), 0, 0)[0] == b"ok"
        yield s
        s.p01.close()


def called(office, outcome="no-answer", **more):
    """A case that p01 pulled and recorded, placed by the router."""
    office.p01.say(do="next")
    task = office.p01.hear("task", "error")["task"]
    office.p01.say(do="record", case=task["case"], token=task["token"], outcome=outcome, channel="phone", number=1,
                   seconds=35, then="stay", **more)
    assert office.p01.hear("accepted", "error")["accepted"]["verdict"] == "effective"
    return task["case"]


def own(office, **more):
    case = called(office, **more)
    office.placed(case, "own:p01:")
    return case


def test_a_pause_holds_all_until_it_is_taken_back(office):
    office.ctl(*ADMIN, "queue", "pause", "--reason", "电话线路检修")
    assert office.as_json("queue", "ls")["paused_by"] == "admin"
    assert "电话线路检修" in office.ctl("queue", "ls").stdout
    assert "admin 暂停了发放: 电话线路检修" in office.ctl("why", "p01").stdout
    office.p01.say(do="next")
    assert office.p01.hear("none", "task")["none"]["reason"] == "paused"
    office.refused(77, *LEADER, "queue", "resume")
    assert office.as_json("queue", "ls")["paused"] is True
    office.ctl(*ADMIN, "queue", "resume")
    task = office.p01.hear("task", "error")["task"]  # the NEXT had waited
    assert office.as_json("queue", "ls")["paused"] is False
    office.p01.say(do="give-back", token=task["token"], reason="class")
    assert office.p01.hear("lease", "error")["lease"]
    office.refused(64, *ADMIN, "queue", "pause")
    office.refused(64, *ADMIN, "queue", "pause", "--reason", "长" * 17)


def test_a_move_takes_the_work_and_leaves_the_credit(office):
    case = own(office)
    before = office.case(case)
    office.refused(77, *SUP, "case", "move", case, "--to", "p02")
    office.refused(66, *LEADER, "case", "move", case, "--to", "nobody")
    assert office.placed(case, "own:p01:")
    moved = office.as_json(*LEADER, "case", "move", case, "--to", "p02", "--reason", "sick")
    assert moved["lane"].startswith("own:p02:") and moved["owner"] == "p01"
    assert office.case(case)["due"] == before["due"]


def test_credit_moves_when_a_second_person_says_yes(office):
    given, refused = own(office), own(office)
    for case in (given, refused):
        office.ctl(*LEADER, "case", "move", case, "--to", "p02", "--credit")
        assert office.case(case)["owner"] == "p01"
    rows = wait_for("both are settled", lambda: len(r := office.as_json("approve", "list")) == 2 and r)
    no = {r["case"]: str(r["no"]) for r in rows}
    assert {r["person"] for r in rows} == {"l1"} and set(no) == {given, refused}
    assert "另一个人" in office.refused(77, *LEADER, "approve", "give", no[given])
    office.refused(77, *SUP, "approve", "give", no[given])
    assert office.case(given)["owner"] == "p01"
    assert office.as_json(*HEAD, "approve", "give", no[given])["owner"] == "p02"
    assert office.as_json(*HEAD, "approve", "refuse", no[refused])["owner"] == "p01"
    wait_for("nothing waits", lambda: office.as_json("approve", "list") == [])
    office.refused(66, *HEAD, "approve", "give", no[given])


def test_what_rests_is_opened_again_by_a_record(office):
    case = called(office, "confirmed", spoke="self", ticks=["cost", "one-school", "consequences"], script="v1")
    office.placed(case, "resting")
    office.refused(77, *SUP, "case", "reopen", case)
    got = office.as_json(*LEADER, "case", "reopen", case, "--reason", "mother asked")
    assert got["lane"].startswith("own:p01:") and got["why"] == "reopened"
    assert "休眠" in office.refused(64, *LEADER, "case", "reopen", case)


def test_a_parked_case_is_freed_and_may_be_handed_out_again(office):
    numbers = iter(range(1, 10**6))
    got = wait_for("a case of the pool is due", lambda: (
        g := office.entry("grant", office.ob, "p03", next(numbers)))[0] == b"ok" and g)
    case = got[1]
    for n in range(5):
        if n > 0:
            got = office.entry("take", office.ob, "p03", next(numbers), case, "*")
        assert got[0] == b"ok", got
        assert office.entry("expire", case, got[2], 0)[0] == b"ok"
    hexed = case.hex()
    assert office.case(hexed)["lane"] == "parked"
    office.refused(64, *LEADER, "case", "reopen", hexed)
    assert office.as_json(*LEADER, "case", "free", hexed)["lane"] == "pool"
    got = office.entry("take", office.ob, "p03", next(numbers), case, "*")
    assert office.entry("expire", case, got[2], 0)[0] == b"ok"
    assert office.case(hexed)["lane"] == "pool"  # once more is not too often
    office.refused(64, *LEADER, "case", "free", hexed)


def late(office, no):
    """A case of which p01 told the end after somebody else had it."""
    case = own(office)
    raw = bytes.fromhex(case)
    office.p01.say(do="take", case=case)
    task = office.p01.hear("task", "error")["task"]
    assert office.entry("expire", raw, task["token"], office_rseq(office, raw))[0] == b"ok"
    got = office.entry("take", office.ob, "p03", no, raw, "*")
    assert got[0] == b"ok", got
    office.p01.say(do="record", case=case, token=task["token"], outcome="needs-help", channel="phone", number=1,
                   seconds=90, note="call the leader", then="stay")
    assert office.p01.hear("accepted", "error")["accepted"]["verdict"] == "late"
    assert office.entry("giveback", office.ob, raw, got[2], "class")[0] == b"ok"
    row = wait_for("it is settled", lambda: next((r for r in office.as_json("late", "list") if r["case"] == case), None))
    assert (row["person"], row["what"], row["why"], row["owner"]) == ("p01", "needs-help", "granted-on", "p01")
    return case, str(row["no"])


def office_rseq(office, case):
    return int(office.redis.hget("hf:{c1}:cases", case).split(b"|")[6])


def test_a_late_record_is_adopted_or_dismissed(office):
    case, no = late(office, 10**7)
    office.refused(77, *SUP, "late", "adopt", no)
    assert office.as_json(*LEADER, "late", "adopt", no)["lane"] == "team:t1"
    wait_for("it left the list", lambda: office.as_json("late", "list") == [])
    office.refused(66, *LEADER, "late", "adopt", no)
    case, no = late(office, 10**7 + 1)
    assert office.as_json(*LEADER, "late", "dismiss", no)["lane"].startswith("own:p01:")
    wait_for("it left the list", lambda: office.as_json("late", "list") == [])


def test_who_is_away_leaves_work_and_promises_to_others(office):
    promised = called(office, "call-later", next_step={"do": "we-call", "at": "2026-03-09 15:00"})
    office.placed(promised, "own:p01:promise")
    own(office)
    mine = {c for c in office.redis.smembers("hf:{c1}:owned:p01")
            if office.case(c.hex())["lane"].startswith("own:p01:")}
    plan = office.as_json(*LEADER, "absence", "set", "p01", "--until", "2026-03-09 18:00", "--to", "split", "--dry-run")
    assert plan["dry_run"] and plan["cases"] == len(mine) and [m["to"] for m in plan["moves"]] == ["p02", "p03"]
    assert sum(m["cases"] for m in plan["moves"]) == len(mine) and sum(m["promises"] for m in plan["moves"]) >= 1
    assert office.case(promised)["lane"] == "own:p01:promise"
    office.refused(77, *SUP, "absence", "set", "p01", "--until", "2026-03-09 18:00")
    office.refused(64, *LEADER, "absence", "set", "p01", "--until", "2026-03-08 18:00")
    office.refused(64, *LEADER, "absence", "set", "p01", "--until", "2026-03-09 18:00", "--to", "p01")
    done = office.as_json(*LEADER, "absence", "set", "p01", "--until", "2026-03-09 18:00", "--to", "split")
    assert done["moves"] == plan["moves"]
    got = [office.case(c.hex()) for c in mine]
    assert {g["owner"] for g in got} == {"p01"}
    for m in plan["moves"]:
        assert sum(g["lane"].startswith(f"own:{m['to']}:") for g in got) == m["cases"], got
    now = office.case(promised)
    assert now["lane"].endswith(":promise") and now["due"] == "2026-03-09T15:00:00+08:00"
    office.ctl(*LEADER, "absence", "set", "p01", "--until", "now")


def test_one_person_takes_over_all(office):
    cases = [own(office), own(office)]
    office.ctl(*LEADER, "absence", "set", "p01", "--until", "2026-03-09 18:00", "--to", "p02")
    for case in cases:
        s = office.placed(case, "own:p02:")
        assert s["owner"] == "p01"
    office.ctl(*LEADER, "absence", "set", "p01", "--until", "now")
    office.ctl("queue", "ls")  # it adds up


def test_the_strike_team_gets_a_dossier_made_from_the_ledger(office):
    case = called(office, "no-answer")
    office.placed(case, "own:p01:")
    office.refused(64, *LEADER, "strike", "return", case)
    office.ctl(*HEAD, "ruling", "give", "strike", "--case", case)
    office.placed(case, "strike")
    office.ctl(*LEADER, "rung", "agree", "9", "--case", case, "--reason", "letter 7")
    listed = office.as_json("strike", "list")
    assert [t["kind"] for t in listed["tasks"] if t["case"] == case] == ["difficult"] and listed["lost"] == 0

    def dossier():
        d = office.as_json("case", "dossier", case)
        return d if len(d["tries"]) == 3 else None
    d = wait_for("the ledger has it all", dossier)
    assert d["owner"] == "p01" and d["by"] > 1773018000000
    assert [(t["person"], t["kind"], t["what"]) for t in d["tries"]] == [
        ("p01", "ATTEMPT", "no-answer"), ("h1", "RULING", "strike"), ("l1", "WAIVER", "give")]
    how = {r["rung"]: r["how"] for r in d["rungs"]}
    assert how[9] == "agreed" and how[4] == "untried" and len(how) == 10
    text = office.ctl("case", "dossier", case).stdout
    assert "户籍派出所: 组长同意了" in text and "还有" in text and "199" not in text.split("\n", 1)[1]
    assert office.as_json(*LEADER, "strike", "return", case)["lane"].startswith("own:p01:")
    assert case not in {t["case"] for t in office.as_json("strike", "list")["tasks"]}


def test_a_ledger_kept_elsewhere_is_typed_in_later(office):
    office.p01.say(do="next")
    task = office.p01.hear("task", "error")["task"]
    case, no, me = task["case"], task["no"], LEADER
    office.p01.say(do="record", case=case, token=task["token"], outcome="no-answer", channel="phone", number=1,
                   seconds=35, then="stay")
    office.p01.hear("accepted", "error")
    office.placed(case, "own:p01:")
    sheet = office.dir / "ledger.csv"

    def write(*rows):
        sheet.write_text("考生号,日期,次数,总时长,途径,结果,备注\n" + "".join(",".join(r) + "\n" for r in rows))
    good = [(no, "2026-03-07 15:00", "2", "12分30秒", "电话", "没人接", ""), (no, "2026-03-08", "", "3", "微信", "还要考虑", "母亲说")]
    write(*good)
    r = office.ctl("--json", *me, "records", "import", sheet, check=False)
    assert r.returncode == 65 and {e["code"] for e in json.loads(r.stdout)["errors"]} == {"not-own"}
    office.ctl(*LEADER, "case", "move", case, "--to", "l1", "--credit")
    row = wait_for("it is settled", lambda: next((r for r in office.as_json("approve", "list") if r["case"] == case), None))
    assert office.as_json(*HEAD, "approve", "give", str(row["no"]))["owner"] == "l1"

    write(*good, (no, "2027-03-08", "1", "1", "电话", "没人接", ""), (no, "2026-03-08", "1", "1", "电话", "已退档", ""),
          ("4711ABCD", "2026-03-08", "1", "1", "电话", "没人接", ""), (no, "2026-03-08", "0", "1", "电话", "没人接", ""))
    r = office.ctl("--json", *me, "records", "import", sheet, check=False)
    got = json.loads(r.stdout)
    assert r.returncode == 65 and (got["rows"], got["recorded"], got["rejected"]) == (6, 2, 4)
    assert {(e["row"], e["code"]) for e in got["errors"]} == {
        (4, "bad-date"), (5, "unknown-result"), (6, "unknown-applicant"), (7, "bad-count")}
    assert no not in r.stdout + r.stderr
    write(*good)
    got = office.as_json(*me, "records", "import", sheet, "--dry-run")
    assert (got["recorded"], got["unchanged"], got["rejected"]) == (2, 0, 0)
    before = office.case(case)["law"]["attempts"]  # the dry run added none to what was there
    assert office.as_json(*me, "records", "import", sheet)["recorded"] == 2

    def typed():
        tries = office.as_json("case", "dossier", case)["tries"]
        return [(t["person"], t["what"], t["channel"], t["seconds"]) for t in tries
                if t["person"] == "l1" and t["kind"] == "ATTEMPT"]
    assert wait_for("the ledger has them", lambda: len(t := typed()) == 2 and t) == [
        ("l1", "no-answer", "phone", 750), ("l1", "considering", "wechat", 180)]
    law = office.placed(case, "own:l1:")["law"]
    assert (law["attempts"], law["state"]) == (before + 2, "considering")
    again = office.as_json(*me, "records", "import", sheet)
    assert (again["recorded"], again["unchanged"]) == (0, 2) and len(typed()) == 2


def test_without_a_router_there_is_no_effect_and_it_says_so(office):
    office.kill("hf-router")
    office.refused(75, *ADMIN, "queue", "pause", "--reason", "x")
    office.daemon("hf-router")
    wait_for("it arrives later", lambda: office.as_json("queue", "ls")["paused"])
    office.ctl(*ADMIN, "queue", "resume")


def test_a_case_counts_as_complete_with_a_parents_number_or_a_reason(office):
    case = own(office)
    office.p01.say(do="take", case=case)
    task = office.p01.hear("task", "error")["task"]
    # Every number turns out to be somebody else's, or to be none: of use is nothing any more.
    for n, number in enumerate(task["numbers"], 1):
        office.p01.say(do="record", case=case, token=task["token"], outcome="wrong-number", channel="phone",
                       number=n, seconds=10, again=n < len(task["numbers"]), then="stay")
        assert office.p01.hear("accepted", "error")["accepted"]["verdict"] == "effective"

    def missing():
        r = office.ctl("--json", "number", "incomplete", "--person", "p01", check=False)
        return {o["case"]: o["missing"] for o in json.loads(r.stdout)}.get(case)
    wait_for("nothing is of use", lambda: missing() == ["self", "parent"])
    by = office.as_json("number", "incomplete", "--by", "person")
    assert by["p01"]["incomplete"] >= 1 and by["p01"]["cases"] >= by["p01"]["incomplete"]
    assert "号码齐" in office.ctl("number", "incomplete", "--by", "person").stdout
    assert office.ctl("number", "incomplete", check=False).returncode == 1
    office.p01.say(do="number", case=case, kind="self", digits="19900001234", source="class-teacher", then="stay")
    assert office.p01.hear("accepted", "error")["accepted"]["verdict"] == "effective"
    office.p01.say(do="number", case=case, kind="mother", none="", then="stay")
    assert office.p01.hear("error")["error"]["code"] == "bad-field"
    wait_for("an own one was found", lambda: missing() == ["parent"])
    office.p01.say(do="number", case=case, kind="mother", none="家里没有电话", then="stay")
    assert office.p01.hear("accepted", "error")["accepted"]["verdict"] == "effective"
    wait_for("and there is a reason", lambda: missing() is None)
    office.placed(case, "own:p01:")
    office.p01.say(do="take", case=case)
    task = office.p01.hear("task", "error")["task"]
    assert task["missing"] == [] and task["none"] == {"mother": "家里没有电话"}
    assert [n["digits"] for n in task["numbers"]][0] == "19900001234" and all(n["digits"] for n in task["numbers"])
    office.p01.say(do="give-back", token=task["token"], reason="class")
    assert office.p01.hear("lease", "error")["lease"]


def test_what_was_done_since_is_a_record_and_is_counted(office):
    case = called(office, done=["group"])
    office.placed(case, "own:p01:")
    office.p01.say(do="note", case=case, note="宿舍选好了，想走专硕", done=["dormitory", "special-master"], then="stay")
    assert office.p01.hear("accepted", "error")["accepted"]["verdict"] == "effective"
    office.p01.say(do="note", case=case, note="x", done=["nonsense"])
    assert office.p01.hear("error")["error"]["code"] == "bad-field"

    def row():
        rows = {r["case"]: r for r in office.as_json("service", "list", "--person", "p01")}
        return {k for k, v in rows.get(case, {}).items() if v is True}
    wait_for("the ledger has it", lambda: row() == {"group", "dormitory", "special_master"})
    mine = next(r for r in office.as_json("service", "list") if r["person"] == "p01")
    assert mine["group"] == 1 and mine["dormitory"] == 1 and mine["paid"] == 0 and mine["cases"] >= 1
    assert "进群 1" in office.ctl("service", "list").stdout
    office.p01.say(do="take", case=case)
    task = office.p01.hear("task", "error")["task"]
    assert [r["done"] for r in task["last"] if "done" in r] == [["dormitory", "special-master"], ["group"]]
    office.p01.say(do="give-back", token=task["token"], reason="class")
    assert office.p01.hear("lease", "error")["lease"]


def test_a_team_without_a_deputy_is_named(office):
    r = office.ctl("people", "check", check=False)
    assert r.returncode == 1 and "没有副组长" in r.stdout and "没有组长" not in r.stdout
    office.ctl(*ADMIN, "person", "set", "p03", "--roles", "caller,deputy", "--team", "t1")
    assert office.as_json("people", "check")["t1"]["deputy"] == 1
    office.ctl(*ADMIN, "person", "set", "p03", "--roles", "caller", "--team", "t1")


def at(office, ms):
    """The campaign's clock goes on from there."""
    with open("/proc/uptime") as f:
        boot_us = int(float(f.read().split()[0]) * 1e6)
    new = office.dir / "clock.new"
    new.write_text(f"{ms} {boot_us} 1000 0\n")
    new.rename(office.dir / "clock")


def broker_now(office):
    office.p01.say(do="look", what="me")
    return office.p01.hear("seen", "error")["seen"]["as_of"]


def test_who_was_never_reached_is_written_to_with_the_campaigns_words(office):
    """The last of this file: it moves the clock."""
    case = called(office, "no-answer")
    def why():
        return wait_for("it is placed", lambda: (s := office.case(case))["lane"] != "triage" and not s["held"] and s)["why"]
    for minute in range(180, 300, 10):  # from 12:00 on, another daypart
        if why() == "rung-1":
            break
        now = 1773018000000 + minute * 60000
        at(office, now)
        wait_for("the broker's clock has it", lambda: broker_now(office) >= now)
        task = take(office, case)
        office.p01.say(do="record", case=case, token=task["token"], outcome="no-answer", channel="phone", number=1,
                       seconds=35, then="stay")
        assert office.p01.hear("accepted", "error")["accepted"]["verdict"] == "effective"
    assert why() == "rung-1"
    task = take(office, case)
    assert task["rung"] == 1 and task["name"] + "同学" in task["template"] and "{" not in task["template"]


def take(office, case):
    office.p01.say(do="take", case=case)
    return office.p01.hear("task", "error")["task"]
