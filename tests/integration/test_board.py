"""What a leader, a supervisor and two heads do from their screens: acts, lists with names, figures, a photo from a
phone. One whole stack for all of them, and one office in front of it; p01 works by --lines."""
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import types

import pytest

from office_rig import PIN, Browser
from stack import BIN, Stack, wait_for
import test_acts

LIMIT = 60.0
ADMIN = ("--as", "admin")
PEOPLE = (("l1", "leader", "t1"), ("l2", "leader", "t2"), ("h1", "callback-head", "t1"), ("h2", "leading", "t1"),
          ("s1", "supervisor", "t1"), ("d1", "data", "t1"), ("b1", "back-office", ""), ("q10", "caller", "t1"), ("f1", "finance", "t1"), ("p04", "caller", "t1"))


class Board(test_acts.Office):
    def open_office(self, **env):
        self.daemon("office", "--office", "--agents", self.dir / "agents", "--listen", "127.0.0.1:0", "--linger", "0",
                    "--resets-as", "admin", "--imports-as", "admin", program="hf-caller", **env)
        self.office = types.SimpleNamespace(port=int(re.findall(r"event=start port=(\d+)", self.log("office"))[-1]))

    def at(self, person):
        """A browser of this person, with its event stream; one for the whole run."""
        if person not in self.seats:
            b = Browser(self.office, person)
            wait_for("the broker's word", lambda: b.ask("GET", "/api/me")[1]["person"].get("role"), LIMIT)
            b.stream = b.events()
            self.seats[person] = b
        return self.seats[person]

    def act(self, person, kind, case=None, ends="effective", note=None, **fields):
        b = self.at(person)
        what = {"do": "act", "kind": kind, "fields": fields}
        if case is not None:
            what["case"] = case
        if note is not None:
            what["note"] = note
        status, said = b.do(**what)
        assert status == 200 and "stored" in said, said
        got = b.stream.until("accepted", lambda e, o: e == "line" and o.get("accepted", {}).get("seq") == said["stored"]["seq"])
        assert got["accepted"]["verdict"] == ends, got
        return said["stored"]["seq"]

    def error(self, person, **what):
        status, said = self.at(person).do(**dict({"do": "act"}, **what))
        assert status == 200 and "error" in said, said
        assert re.search("[\u4e00-\u9fff]", said["error"]["text"]), said
        return said["error"]

    def last(self, case, kind):
        """The newest record of this kind of a case, as the ledger has it."""
        return wait_for(kind, lambda: next((r for r in self.case(case)["records"] if r["kind"] == kind), None), LIMIT)


@pytest.fixture(scope="module")
def board():
    with Board(pg=True) as s:
        s.seats = {}
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
        subprocess.run([str(BIN / "hf-sample"), "--rows", "70", "--seed", "4", "--format", "xlsx", "--out",
                        str(s.dir / "roster.xlsx")], check=True)
        s.ctl("roster", "import", s.dir / "roster.xlsx")
        (s.dir / "agents").mkdir()
        (s.dir / "pin").write_text(PIN + "\n")
        for who, roles, team in (*PEOPLE, ("q05", "caller", "t1"), ("p01", "caller", "t1"), ("p02", "caller", "t1"), ("p03", "caller", "t1")):
            s.ctl(*ADMIN, "person", "set", who, "--roles", roles, *(("--team", team) if team else ()),
                  "--qualified", "yes")
            if who in ("p01", "p02", "p03", "q05"):
                s.ctl(*ADMIN, "agent", "enrol", "--person", who, "--out", s.dir / who)
            else:
                s.ctl(*ADMIN, "agent", "enrol", "--person", who, "--out", s.dir / "agents" / who, "--pin-file",
                      s.dir / "pin")
        s.ctl(*ADMIN, "stage", "open", "2")
        s.ctl(*ADMIN, "pass", "open", "1", "--until", "2026-03-09 20:00")
        s.ctl(*ADMIN, "release", "--count", "60", "--seed", "5")
        # Who was reported by a caller goes to that caller's lane, all others to the pool.
        wait_for("cases in the pool", lambda: s.redis.zcard("hf:{c1}:lane:unreleased") == 10 and
                 s.redis.zcard("hf:{c1}:lane:pool") > 40, LIMIT)
        agent = re.search(r'^agent = "(\w+)"', (s.dir / "p03" / "agent.conf").read_text(), re.M).group(1)
        s.ob = os.urandom(16)
        assert s.entry("hello", s.ob, agent, 0, bytes(32), 0, 0)[0] == b"ok"
        s.p01, s.q05 = (test_acts.Lines(s, s.dir / p) for p in ("p01", "q05"))
        s.open_office()
        yield s
        for b in s.seats.values():
            b.close()
        s.p01.close()
        s.q05.close()


def test_a_leader_answers_moves_waives_and_opens_again(board):
    asked = test_acts.called(board, "ask-leader", note="她想换专业, 能换吗")
    board.placed(asked, "own:p01:")
    assert board.error("l1", kind="handover", case=asked, fields={"to": "p02"})["code"] == "missing-field"
    leader = board.at("l1")
    rows = wait_for("the question is listed", lambda: leader.ask("GET", "/api/report/questions")[1]["data"], LIMIT)
    assert [(r["case"], r["person"], r["team"]) for r in rows] == [(asked, "p01", "t1")]
    assert rows[0]["deadline"] == rows[0]["since"] + 1800_000
    assert board.at("l2").ask("GET", "/api/report/questions")[1]["data"] == []
    assert board.at("l2").ask("GET", "/api/report/questions?team=t1")[0] == 403
    leader.do(do="look", what="case", case=asked)
    seen = leader.stream.line("seen")
    assert seen["rows"][0]["last"][0]["note"] == "她想换专业, 能换吗"
    status, said = leader.do(do="note", case=asked, note="开学后可以申请")
    assert status == 200 and "stored" in said, said
    assert wait_for("the answer brings it back", lambda: (s := board.case(asked))["why"] == "answered" and s, LIMIT)
    wait_for("it left the list", lambda: board.as_json("question", "list", "--team", "t1") == [], LIMIT)
    board.act("l1", "handover", asked, to="p02", reason="sick")
    moved = board.placed(asked, "own:p02:")
    assert moved["owner"] == "p01"
    board.act("l1", "waiver", asked, rung=6, reason="no such school")
    assert board.last(asked, "WAIVER")["person"] == "l1"
    rests = test_acts.called(board, "confirmed", spoke="self", ticks=["cost", "one-school", "consequences"],
                             script="v1")
    board.placed(rests, "resting")
    board.act("l1", "reopen", rests, reason="mother asked")
    assert board.placed(rests, "own:p01:")["why"] == "reopened"
    hand_up = test_acts.called(board, "needs-help", note="请组长打")
    board.placed(hand_up, "team:t1")
    board.act("l1", "handover", hand_up, to_team="strike", reason="too hard for us")
    board.placed(hand_up, "strike")


def test_a_late_record_is_adopted_from_the_screen(board):
    case, no = test_acts.late(board, 10**7)
    row = next(r for r in board.as_json("late", "list") if str(r["no"]) == no)
    board.act("l1", "adopt", case, ref_ob=row["ob"], ref_seq=row["seq"])
    board.placed(case, "team:t1")
    wait_for("it left the list", lambda: board.as_json("late", "list") == [], LIMIT)


def test_credit_moves_when_two_persons_say_so(board):
    case = test_acts.own(board)
    board.act("l1", "handover", case, to="p02", reason="wrong owner", credit=True)
    row = wait_for("it waits", lambda: next(iter(board.as_json("approve", "list")), None), LIMIT)
    assert row["case"] == case and board.case(case)["owner"] == "p01"
    board.act("h1", "approval", case, ref_ob=row["ob"], ref_seq=row["seq"], verdict="give")
    wait_for("the credit moved", lambda: board.case(case)["owner"] == "p02", LIMIT)


def test_a_finding_counts_when_a_head_decides(board):
    board.act("s1", "finding", what="deduction", subject="p02", count=30, reason="empty records", note="三条没打")
    row = wait_for("it waits for a head", lambda: next(
        (r for r in board.as_json("approve", "list") if r["person"] == "s1"), None), LIMIT)
    it = {"ref_ob": row["ob"], "ref_seq": row["seq"], "verdict": "give"}
    assert board.error("s1", kind="decision", fields=it)["code"] == "denied"
    board.act("h2", "decision", reason="seen", **it)
    wait_for("nothing waits", lambda: not [r for r in board.as_json("approve", "list") if r["person"] == "s1"], LIMIT)


def test_what_is_not_an_act_is_refused_and_says_why(board):
    case = test_acts.own(board)
    for person, what, code, word in (
            ("s1", dict(kind="handover", case=case, fields={"reason": "x"}), "denied", "组长"),
            ("s1", dict(kind="stage", fields={"n": 3, "open": 1}), "denied", "数据组"),
            ("l1", dict(kind="fly"), "unknown-kind", "fly"),
            ("l1", dict(kind="attempt", case=case, fields={"outcome": "confirmed"}), "unknown-kind", "attempt"),
            ("l1", dict(kind="import"), "unknown-kind", "import"),
            ("l1", dict(kind="timer", case=case, fields={"what": "x"}), "unknown-kind", "timer"),
            ("l1", dict(), "missing-field", "kind"),
            ("l1", dict(kind="waiver", fields={"rung": 4}), "missing-field", "case"),
            ("l1", dict(kind="waiver", case=case, fields={}), "missing-field", "rung"),
            ("l1", dict(kind="waiver", case=case, fields={"rung": -1}), "bad-field", "rung"),
            ("l1", dict(kind="waiver", case=case, fields={"rung": "4"}), "bad-field", "rung"),
            ("l1", dict(kind="waiver", case=case, fields={"rung": 4, "to": "p01"}), "unknown-field", "to"),
            ("l1", dict(kind="waiver", case=case, fields={"rung": 4}, more=1), "unknown-field", "more"),
            ("l1", dict(kind="waiver", case=case, fields=[4]), "bad-field", "fields"),
            ("l1", dict(kind="handover", case=case, fields={"reason": "x", "to": "../p01"}), "bad-field", "to"),
            ("l1", dict(kind="handover", case=case, fields={"reason": "长" * 17}), "bad-field", "reason"),
            ("l1", dict(kind="adopt", case=case, fields={"ref_ob": "12", "ref_seq": 1}), "bad-field", "ref_ob"),
            ("l1", dict(kind="absence", case=case, fields={"subject": "p01"}), "unknown-field", "case"),
            ("l1", dict(kind="absence", fields={"subject": "p01", "until": "soon"}), "bad-field", "until"),
            ("l1", dict(kind="absence", fields={"subject": "p01"}, note="x" * 4001), "bad-field", "note"),
            ("l1", dict(kind="absence", fields={"subject": "p01"}, id="1"), "bad-field", "id"),
            ("l2", dict(kind="reopen", case=case, fields={"reason": "x"}, note="x"), "no-key", "名单")):
        got = board.error(person, **what)
        assert got["code"] == code and word in got["text"], (what, got)
    before = board.redis.xlen("hf:{c1}:log")
    assert board.case(case)["lane"].startswith("own:p01:") and before == board.redis.xlen("hf:{c1}:log")


def test_lists_have_names_and_only_for_who_may(board):
    case = test_acts.own(board)
    up = test_acts.called(board, "needs-help", note="请组长打")
    board.placed(up, "team:t1")
    leader = board.at("l1")
    status, said = leader.ask("GET", "/api/list/team?page=0")
    assert status == 200 and said["what"] == "team" and said["code"] == "ok" and said["pages"] >= 1, said
    row = next(r for r in said["rows"] if r["case"] == up)
    assert row["name"] and row["lane"] == "team:t1" and row["class"] == "team" and row["class_text"] == "转组长"
    assert row["asked_by"] == "p01" and row["question"] == "请组长打" and row["last"] == "needs-help"
    assert row["since"].startswith("2026-03-09T") and row["deadline"] > row["since"] and row["tries"] >= 1
    assert leader.ask("GET", "/api/list/team?page=900")[1]["rows"] == []
    status, said = leader.ask("GET", f"/api/list/case?case={case}")
    assert status == 200 and said["rows"][0]["name"] and said["rows"][0]["numbers"][0]["digits"].startswith("199")
    assert said["rows"][0]["last"][0]["outcome"] == "no-answer"
    status, said = leader.ask("GET", "/api/list/me")
    assert said["rows"][0]["person"] == "l1" and said["rows"][0]["team"] == "t1"
    digits = leader.ask("GET", f"/api/list/case?case={case}")[1]["rows"][0]["numbers"][0]["digits"]
    status, said = leader.ask("GET", f"/api/list/number?number={digits}")
    assert status == 200 and said["code"] == "ok" and case in [r["case"] for r in said["rows"]]
    status, said = board.at("p04").ask("GET", f"/api/list/number?number={digits}")
    assert status == 200 and said["code"] == "denied" and said["rows"][0].keys() == {"case", "owner", "team"}
    assert said["rows"][0]["owner"] == "p01" and said["rows"][0]["team"] == "t1"
    kept = board.dir / "archive" / "evidence" / "c1" / ("ab" * 32)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(b"sealed with no key of this case" * 4)
    photo = f"/api/evidence?case={case}&hash="
    for person, path, status in (("l1", photo + "ab" * 32, 410), ("p04", photo + "ab" * 32, 403), ("l1", photo + "cd" * 32, 404),
                                 ("l1", photo + "../passwd", 400), ("l1", "/api/list/papers", 403),
                                 ("p04", "/api/list/team", 403), ("l1", "/api/list/strike", 403),
                                 ("l2", f"/api/list/case?case={case}", 403),
                                 ("l1", f"/api/list/case?case={'0' * 32}", 404), ("l1", "/api/list/all", 404),
                                 ("l1", "/api/list/", 404), ("l1", "/api/list/case", 400),
                                 ("l1", "/api/list/case?case=12", 400), ("l1", f"/api/list/own?case={case}", 400),
                                 ("l1", "/api/list/own?page=-1", 400), ("l1", "/api/list/number?number=12", 400)):
        got, said = board.at(person).ask("GET", path)
        assert got == status and re.search("[\u4e00-\u9fff]", said["error"]["text"]), (path, got, said)
    assert leader.ask("GET", "/api/list/team", cookie=False)[0] == 401
    assert leader.ask("GET", photo + "ab" * 32, cookie=False)[0] == 401


def test_figures_are_what_hfctl_says_and_only_for_who_may(board):
    case = test_acts.own(board)
    args = {"absence-preview": "person=p01&until=2026-03-09T18:00:00%2B08:00&to=split", "case": f"case={case}",
            "rates": "by=team", "ids": "figure=attempted&team=t1", "pay": "minimum=1", "night": "night=1"}
    got, names = {}, {}
    for person in ("h1", "l1"):
        status, said = board.at(person).ask("GET", "/api/reports")
        assert status == 200 and said["home"] is True
        names[person] = [r["name"] for r in said["reports"]]
        for name in names[person]:
            got[person, name] = board.at(person).ask("GET", f"/api/report/{name}?{args.get(name, '')}")
    assert got.pop(("h1", "absence-preview"))[0] == 403 and got["l1", "absence-preview"][1]["data"]["dry_run"] is True
    assert case in [c for m in got["l1", "absence-preview"][1]["data"]["moves"] for c in m["which"]]
    for person in ("h1", "l1"):
        assert got.pop((person, "night"))[1]["error"]["code"] in ("not-found", "bad-field")
    assert {"queue", "rates", "nights", "pay", "approvals", "late", "findings"} <= set(names["h1"])
    assert "pay" not in names["l1"] and "absence-preview" in names["l1"]
    for (person, name), (status, said) in got.items():
        assert status == 200 and said["name"] == name and said["asof"].startswith("2026-03-09T"), (person, name, said)
    assert got["h1", "rates"][1]["data"] == board.as_json("rates", "--by", "team")
    opened = got["l1", "ids"][1]["data"]  # a figure opens to the cases it counts
    assert opened["count"] == len(opened["cases"]) and case in opened["cases"]
    assert board.at("l1").ask("GET", "/api/report/ids?figure=attempted&team=t2")[0] == 403
    assert got["l1", "case"][1]["data"]["owner"] == "p01"
    daily = got["l1", "daily"][1]["data"]
    assert daily["text"].startswith("【回访战报】2026-03-09") and daily["columns"][0] == "小组"
    assert daily["rows"][-1]["小组"] == "合计" and daily["rows"][-1]["个案"] == 60 and daily["rows"][-1]["今日拨打"] >= 1
    assert daily["text"] == board.ctl("report", "daily").stdout
    weekly = got["l1", "weekly"][1]["data"]
    assert weekly["title"] == "回访周报" and {"p01", "全组"} <= {r["人员"] for r in weekly["rows"]}
    assert "p01" in board.ctl("report", "weekly").stdout and board.sql("SELECT count(*) FROM hf.export_log") == [["0"]]
    assert board.ctl("report", "daily", "--day", "x", check=False).returncode == 64
    assert isinstance(board.at("p04").ask("GET", "/api/report/flags")[1]["data"], (list, dict))
    assert board.at("p04").ask("GET", "/api/report/flags?person=p01")[0] == 403
    for person, path, status, code in (
            ("p04", "queue", 403, "denied"), ("l1", "pay?minimum=1", 403, "denied"), ("f1", "late", 403, "denied"),
            ("h1", "passwords", 404, "not-found"), ("h1", "", 404, "not-found"), ("h1", "../me", 400, None),
            ("l1", "case", 400, "missing-field"), ("l1", "case?case=--as", 400, "bad-field"),
            ("h1", "rates?by=--as", 400, "bad-field"), ("h1", "rates?by=x;id", 400, "bad-field"),
            ("h1", "pay?minimum=-1", 400, "bad-field"), ("h1", "spotcheck?n=77", 404, "not-found"),
            ("l1", "absence-preview?person=p01&until=soon", 400, "bad-field"),
            ("p04", "absence-preview?person=p01&until=2026-03-09T18:00:00%2B08:00", 403, "denied")):
        s, said = board.at(person).ask("GET", f"/api/report/{path}")
        assert s == status, (path, s, said)
        assert code is None or (said["error"]["code"] == code and re.search("[\u4e00-\u9fff]", said["error"]["text"]))
    assert board.at("p04").ask("GET", "/api/report/absence-preview?until=2026-03-09T18:00:00%2B08:00")[0] == 200
    assert board.at("f1").ask("GET", "/api/report/pay?minimum=1")[1]["name"] == "pay"
    status, said = board.at("p04").ask("GET", "/api/report/my-pay")
    assert status == 200 and [r["person"] for r in said["data"]["rows"]] == ["p04"] and said["data"]["provisional"]
    assert "p01" not in str(said) and board.at("f1").ask("GET", "/api/report/my-pay")[1]["data"]["rows"] == []


def test_an_office_that_is_not_on_the_server_says_so(board):
    here = board.office, board.seats
    board.seats = {}
    try:
        (board.dir / "far").mkdir()
        board.ctl(*ADMIN, "agent", "enrol", "--person", "h1", "--out", board.dir / "far" / "h1", "--pin-file",
                  board.dir / "pin")
        board.spawn("far", [BIN / "hf-caller", "--office", "--agents", board.dir / "far", "--listen", "127.0.0.1:0",
                            "--linger", "0"], env=dict(board.env(), HF_HOME=""), notify=True)
        board.office = types.SimpleNamespace(port=int(re.search(r"event=start port=(\d+)", board.log("far")).group(1)))
        head = board.at("h1")
        assert head.ask("GET", "/api/reports")[1]["home"] is False
        status, said = head.ask("GET", "/api/report/queue")
        assert (status, said["error"]["code"]) == (503, "no-home") and "HF_HOME" in said["error"]["text"]
        head.close()
        assert board.kill("far", signal.SIGTERM) == 0
    finally:
        board.office, board.seats = here


def credentials(board, dir, names):
    """A directory as systemd makes it for a unit: these secrets and no other."""
    dir.mkdir(mode=0o700)
    for name in names:
        (dir / name).write_bytes((board.dir / "secrets" / name).read_bytes())
    return dir


def test_figures_need_no_more_than_the_unit_gives(board):
    unit = (pathlib.Path(__file__).resolve().parents[2] / "deploy/systemd/hf-office.service").read_text()
    given = re.findall(r"^LoadCredential=([^:]+):", unit, re.M)
    assert "Environment=HF_HOME=/var/lib/huifang\n" in unit and "Environment=HF_SECRETS=%d\n" in unit and given
    board.ctl(*ADMIN, "person", "set", "h9", "--roles", "callback-head", "--team", "t9")
    board.ctl(*ADMIN, "agent", "enrol", "--person", "h9", "--out", board.dir / "agents-unit" / "h9", "--pin-file",
              board.dir / "pin", "--name", "何负责人")
    board.ctl("agent", "name", "--person", "h9", "--out", board.dir / "agents-unit" / "h9", "何负责")
    assert board.ctl("agent", "name", "--person", "h2", "--out", board.dir / "agents-unit" / "h9", "何", check=False).returncode == 66
    here = board.office, board.seats
    board.seats = {}
    try:
        env = dict(board.env(), HF_HOME=str(board.dir), HF_SECRETS=str(credentials(board, board.dir / "unit", given)))
        board.spawn("unit", [BIN / "hf-caller", "--office", "--agents", board.dir / "agents-unit", "--listen", "127.0.0.1:0",
                             "--linger", "0"], env=env, notify=True)
        board.office = types.SimpleNamespace(port=int(re.search(r"event=start port=(\d+)", board.log("unit")).group(1)))
        head = board.at("h9")
        args = {"night": "night=1", "case": f"case={test_acts.own(board)}", "pay": "minimum=1"}
        for row in head.ask("GET", "/api/reports")[1]["reports"]:
            if row["name"] in ("absence-preview", "night"):
                continue
            status, said = head.ask("GET", f"/api/report/{row['name']}?{args.get(row['name'], '')}")
            assert status == 200 or said["error"]["code"] == "missing-field", (row["name"], said, board.log("unit")[-2000:])
        # what it was not given it has not
        assert head.ask("GET", "/api/me")[1]["person"] == {"id": "h9", "name": "何负责", "role": "callback-head",
                                                           "roles": ["callback-head"], "team": "t9"}
        assert head.ask("GET", "/api/people") == (200, {"people": [{"id": "h9", "name": "何负责"}]})
        assert "何负责" not in board.log("unit")
        head.close()
        assert board.kill("unit", signal.SIGTERM) == 0
    finally:
        board.office, board.seats = here


def test_an_office_with_an_agent_of_its_own_imports(board, tmp_path):
    """As deploy/conf/README has it: a home beside the screens, a person for it, two secrets."""
    home = board.dir / "office-home"
    home.mkdir(mode=0o700)
    (home / "env.conf").write_bytes((board.dir / "env.conf").read_bytes())
    for name in ("demo", "clock"):
        (home / name).write_bytes((board.dir / name).read_bytes())
    board.ctl(*ADMIN, "person", "set", "office", "--roles", "data,operator")
    board.ctl(*ADMIN, "agent", "enrol", "--person", "office", "--out", home / "ctl" / "c1")
    here = board.office, board.seats
    board.seats = {}
    try:
        env = dict(board.env(), HF_HOME=str(home),
                   HF_SECRETS=str(credentials(board, board.dir / "own", ("redis-dash", "redis-admin"))))
        for who, role in (("d9", "data"), ("l9", "leader"), ("p09", "caller")):
            board.ctl(*ADMIN, "person", "set", who, "--roles", role, "--team", "t9")
            board.ctl(*ADMIN, "agent", "enrol", "--person", who, "--out", board.dir / "agents-own" / who, "--pin-file",
                      board.dir / "pin")
        board.spawn("own", [BIN / "hf-caller", "--office", "--agents", board.dir / "agents-own", "--listen", "127.0.0.1:0",
                            "--linger", "0", "--imports-as", "office", "--resets-as", "office"], env=env, notify=True)
        board.office = types.SimpleNamespace(port=int(re.search(r"event=start port=(\d+)", board.log("own")).group(1)))
        data, file = board.at("d9"), tmp_path / "more.xlsx"
        subprocess.run([str(BIN / "hf-sample"), "--rows", "5", "--seed", "91", "--out", str(file)], check=True)
        before = int(board.redis.hlen("hf:{c1}:cases"))
        data.ask("POST", "/api/import", raw=file.read_bytes(), headers={"Content-Type": "application/octet-stream"})
        looked = wait_for("it was looked at", lambda: (s := data.ask("GET", "/api/import")[1])["state"] != "looking" and s, LIMIT)
        assert looked["state"] == "looked", looked
        data.ask("POST", "/api/import/go", {"hash": looked["hash"]})
        made = wait_for("it was made", lambda: (s := data.ask("GET", "/api/import")[1])["state"] != "making" and s, LIMIT)
        assert made["state"] == "made", made
        assert int(board.redis.hlen("hf:{c1}:cases")) == before + 5
        status, said = board.at("l9").ask("POST", "/api/reset-pin", {"person": "p09", "pin": PIN})
        assert status == 200 and re.fullmatch("[0-9]{6}", said["pin"]), (said, board.log("own")[-1000:])
        Browser(board.office, "p09", said["pin"]).close()
        for b in board.seats.values():
            b.close()
        assert board.kill("own", signal.SIGTERM) == 0
    finally:
        board.office, board.seats = here


def test_the_own_list_says_why_and_how_often(board):
    b = board.at("p04")
    assert b.do(do="next") == (202, {})
    task = b.stream.line("task")
    b.do(do="record", case=task["case"], token=task["token"], outcome="considering", channel="phone", number=1,
         seconds=185, concerns=["cost"], decide_by="2026-03-09 18:00", note="和家里商量", then="stay")
    b.stream.line("accepted")
    row = wait_for("placed", lambda: next((r for r in b.ask("GET", "/api/own")[1]["rows"]
                                           if r["case"] == task["case"] and r["class"] != "hand"
                                           and r["class"] != "triage"), None), LIMIT)
    assert (row["tries"], row["contacts"], row["minutes"], row["last"]) == (1, 1, 3, "considering"), row
    assert row["why"] and row["newest"]["note"] == "和家里商量" and row["newest"]["person"] == "p04"
    assert "asked_by" not in row and row["due"] and row["name"]


def test_a_photo_comes_from_a_phone_that_is_not_logged_in(board):
    b, phone = board.at("p04"), Browser(board.office)
    b.do(do="next")
    task = b.stream.line("task")
    jpeg = b"\xff\xd8\xff\xe0" + os.urandom(300_000)
    bytes_of = {"headers": {"Content-Type": "application/octet-stream"}}

    def ticket(case=task["case"]):
        status, said = b.ask("POST", "/api/phone-ticket", {"case": case})
        assert status == 200 and said["seconds"] == 600 and re.fullmatch("/u/[0-9a-f]{32}", said["path"]), said
        return said["path"], "/api/evidence/" + said["path"][3:]

    def refused(path, length=300_000, **headers):
        """What is said before a body was sent."""
        with socket.create_connection(("127.0.0.1", board.office.port), timeout=LIMIT) as sock:
            head = {"Host": "x", "Content-Length": length, **headers}
            sock.sendall((f"POST {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in head.items()) +
                          "\r\n").encode())
            return int(sock.recv(1000).split()[1])

    page, up = ticket()
    assert page != ticket()[0]
    status, text = phone.ask("GET", page)
    assert status == 200 and "phone.js" in text and phone.headers["Cache-Control"] == "no-store"
    assert phone.ask("GET", "/phone.js")[0] == 200
    status, said = phone.ask("POST", up, raw=b"a note", **bytes_of)
    assert status == 200 and said["error"]["code"] == "bad-evidence"  # and the link is still good
    status, said = phone.ask("POST", up, raw=jpeg, **bytes_of)
    assert status == 200 and said["evidence"]["case"] == task["case"] and said["evidence"]["size"] == len(jpeg), said
    mine = b.stream.until("evidence", lambda e, o: e == "line" and "evidence" in o)["evidence"]
    assert mine == said["evidence"]
    b.stream.until("evidence-sent", lambda e, o: e == "line" and o.get("evidence-sent") == {"hash": mine["hash"]})
    assert b.do(do="paper", case=task["case"], items=1, evidence=[mine["hash"]])[1].get("stored")
    for path in (page, "/u/" + "0" * 32, "/u/", "/u/x"):
        assert phone.ask("GET", path)[0] == 410, path
    for path in (up, "/api/evidence/" + "0" * 32, "/api/evidence/x"):
        assert refused(path) == 410, path
    # the link opens nothing else
    page, up = ticket()
    for path in ("/api/me", "/api/own", "/api/events"):
        assert phone.ask("GET", path, headers={"Cookie": f"hf_session={page[3:]}"})[0] == 401
    assert refused(up, **{"Sec-Fetch-Site": "cross-site"}) == 403 and refused(up, 11 << 20) == 413
    assert phone.ask("POST", "/api/phone-ticket", {"case": task["case"]})[0] == 401
    assert b.ask("POST", "/api/phone-ticket", {"case": task["case"]}, csrf=False)[0] == 403
    assert b.ask("POST", "/api/phone-ticket", {"case": "12"})[0] == 400
    # a case that was not opened here has no key
    _, other = ticket("0" * 32)
    assert phone.ask("POST", other, raw=jpeg, **bytes_of)[1]["error"]["code"] == "no-key"
    # a sixth one ends the oldest; all end with the login
    first = ticket()[0]
    for _ in range(4):
        last = ticket()[0]
    assert phone.ask("GET", first)[0] == 200
    ticket()
    assert phone.ask("GET", first)[0] == 410 and phone.ask("GET", last)[0] == 200
    b.do(do="give-back", token=task["token"])
    b.stream.line("lease")
    b.ask("POST", "/api/logout", {})
    wait_for("the link ends", lambda: phone.ask("GET", last)[0] == 410, LIMIT)
    del board.seats["p04"]


def test_the_campaign_says_where_it_is_and_what_must_be_told(board):
    status, said = board.at("l1").ask("GET", "/api/campaign")
    assert status == 200 and (said["stage"], said["pass"]) == (2, 1), said
    assert said["pass_end"] == "2026-03-09T20:00:00+08:00"
    lines = said["script"]["lines"]
    assert {line["stage"] for line in lines} == {2} and [line["text"] for line in lines] == said["script"]["text"]
    assert {"cost", "one-school", "consequences"} <= {line["tick"] for line in lines}


def test_a_leader_gives_a_new_pin_to_the_own_team(board):
    leader, caller = board.at("l1"), Browser(board.office, "p04")
    wait_for("the broker's word", lambda: caller.ask("GET", "/api/me")[1]["person"].get("role"), LIMIT)
    stream = caller.events()
    for person, body, status, code in (
            ("p04", {"person": "p01", "pin": PIN}, 403, "denied"), ("s1", {"person": "p04", "pin": PIN}, 403, "denied"),
            ("l1", {"person": "p04", "pin": "000000"}, 403, "pin"), ("l1", {"person": "p04"}, 400, "bad-field"),
            ("l1", {"person": "l1", "pin": PIN}, 400, "bad-field"), ("l1", {"person": "../x", "pin": PIN}, 400, "bad-field"),
            ("l1", {"person": "h1", "pin": PIN}, 403, "denied"),  # the same team, but more than a caller
            ("l2", {"person": "p04", "pin": PIN}, 403, "denied"),  # another team
            ("l1", {"person": "p77", "pin": PIN}, 404, "not-found")):
        got, said = board.at(person).ask("POST", "/api/reset-pin", body)
        assert (got, said["error"]["code"]) == (status, code), (person, body, got, said)
    assert caller.ask("GET", "/api/me")[0] == 200  # nothing happened to it yet
    status, said = leader.ask("POST", "/api/reset-pin", {"person": "p04", "pin": PIN})
    assert status == 200 and said["person"] == "p04" and re.fullmatch("[0-9]{6}", said["pin"]), said
    assert leader.headers["Cache-Control"] == "no-store" and said["pin"] not in board.log("office")
    assert stream.ended() and caller.ask("GET", "/api/me")[0] == 401
    if said["pin"] != PIN:
        assert caller.login("p04", PIN)[0] == 401
    again = Browser(board.office, "p04", said["pin"])
    wait_for("the new key is known", lambda: again.ask("GET", "/api/me")[1]["person"].get("role") == "caller", LIMIT)
    # the wish is the leader's own record, the key an operator's
    wait_for("both are in the ledger", lambda: [
        int(n) for n in board.sql("SELECT (SELECT count(*) FROM hf.ledger WHERE kind = 16 AND person = 'admin' AND subject "
                                  "= 'p04'), (SELECT count(*) FROM hf.ledger WHERE kind = 2 AND case_ref IS NULL AND "
                                  "person = 'l1')")[0]] == [2, 3], LIMIT)
    for b in (caller, board.seats.pop("p04")):
        b.close()
    again.stream = again.events()
    board.seats["p04"] = again  # with the new PIN


def test_a_roster_is_looked_at_and_imported_from_the_screen(board, tmp_path):
    data = board.at("d1")

    def upload(file, who="d1"):
        return board.at(who).ask("POST", "/api/import", raw=file.read_bytes(),
                                 headers={"Content-Type": "application/octet-stream"})

    def ends(state):
        def look():
            said = data.ask("GET", "/api/import")[1]
            assert said["state"] in ("looking", "making", state), said
            return said["state"] == state and said
        return wait_for(state, look, LIMIT)

    good, bad = tmp_path / "good.dbf", tmp_path / "bad.csv"
    subprocess.run([str(BIN / "hf-sample"), "--rows", "30", "--seed", "77", "--format", "dbf", "--out", str(good)], check=True)
    head = "考生号,姓名,中学,专业,本人电话,父亲电话\n"
    bad.write_text(head + "26990001,测一一,一中,软件,19900007701,19900007702\n26990002,测二,一中,软件,1990000,\n")
    before = int(board.redis.hlen("hf:{c1}:cases"))
    assert data.ask("GET", "/api/import") == (200, {"state": "none"})
    for who in ("l1", "s1", "h2"):
        status, said = upload(good, who)
        assert (status, said["error"]["code"]) == (403, "denied") and "数据组" in said["error"]["text"]
        assert board.at(who).ask("POST", "/api/import/go", {"hash": "0" * 24})[0] == 403
    assert data.ask("POST", "/api/import", raw=b"x", csrf=False)[0] == 403
    # one with a bad row: what is wrong is said by line, the good row is shown masked, nothing is changed
    status, said = upload(bad)
    assert status == 200 and said["state"] in ("looking", "looked"), said
    seen = ends("looked")["seen"]
    assert (seen["rows"], seen["imported"], seen["rejected"]) == (2, 1, 1), seen
    assert seen["errors"][0]["row"] == 3 and "本人电话" in seen["errors"][0]["text"]
    assert seen["first"][0]["name"] == "测**" and seen["first"][0]["no"] == "2699**01", seen["first"]
    assert seen["first"][0]["numbers"][0] == {"kind": "self", "digits": "199****7701"}
    hash_of = data.ask("GET", "/api/import")[1]["hash"]
    status, said = data.ask("POST", "/api/import/go", {"hash": hash_of})
    assert (status, said["error"]["code"]) == (409, "bad-rows")
    assert data.ask("POST", "/api/import/go", {"hash": "0" * 24})[1]["error"]["code"] == "stale"
    # no sheet at all
    (tmp_path / "x.xlsx").write_bytes(b"PK\x03\x04 nonsense")
    upload(tmp_path / "x.xlsx")
    assert re.search("[\u4e00-\u9fff]", ends("failed")["why"])
    # a good one, and the same bytes go in
    upload(good)
    whole = ends("looked")
    assert (whole["seen"]["imported"], whole["seen"]["rejected"], len(whole["seen"]["first"])) == (30, 0, 8), whole
    assert int(board.redis.hlen("hf:{c1}:cases")) == before
    status, said = data.ask("POST", "/api/import/go", {"hash": whole["hash"]})
    assert status == 200 and said["state"] == "making", said
    assert ends("made")["seen"]["imported"] == 30
    assert int(board.redis.hlen("hf:{c1}:cases")) == before + 30
    assert data.ask("POST", "/api/import/go", {"hash": whole["hash"]})[1]["error"]["code"] == "stale"
    wait_for("the wish is in the ledger", lambda: board.sql(
        "SELECT count(*) FROM hf.ledger WHERE person = 'd1' AND kind = 2") == [["1"]], LIMIT)
    # the same again changes nothing; it is dropped, and nothing of it is on the disk
    upload(good)
    assert ends("looked")["seen"]["updated"] == 30
    assert data.ask("POST", "/api/import/drop", {}) == (200, {"state": "none"})
    assert "测一一".encode() not in board.log("office").encode()
    holds = subprocess.run(["grep", "-rlF", "26990001", board.dir / "agents"], capture_output=True, text=True).stdout
    assert holds == ""
    # it is forgotten with its person
    upload(good)
    ends("looked")
    data.ask("POST", "/api/logout", {})
    data.close()
    del board.seats["d1"]
    wait_for("it is forgotten", lambda: board.at("d1").ask("GET", "/api/import")[1]["state"] == "none", LIMIT)


def fresh(board, outcome="no-answer", case=None, **more):
    """A case of q05, who touches no other test's cases, recorded and placed."""
    board.q05.say(**({"do": "take", "case": case} if case else {"do": "next"}))
    task = board.q05.hear("task", "error")["task"]
    board.q05.say(do="record", case=task["case"], token=task["token"], outcome=outcome, channel="phone", number=1, seconds=35,
                  then="stay", **more)
    assert board.q05.hear("accepted", "error")["accepted"]["verdict"] == "effective"
    wait_for("it is placed", lambda: (s := board.case(task["case"]))["lane"] != "triage" and not s["held"], LIMIT)
    return task["case"]


def without_numbers(board):
    """One whose numbers are all 空号."""
    case = fresh(board, "empty-number")
    while not (at := board.case(case))["why"].startswith("rung-"):
        assert at["lane"].startswith("own:q05:"), at
        fresh(board, "empty-number", case)
    return case


def test_the_back_office_sees_who_wants_a_number_and_answers(board):
    case, other = without_numbers(board), fresh(board)
    office = board.at("b1")

    def row():
        rows = office.ask("GET", "/api/report/wanted")[1]["data"]
        assert other not in [r["case"] for r in rows]
        return next((r for r in rows if r["case"] == case), None)

    first = wait_for("it is listed", row, LIMIT)
    assert (first["owner"], first["team"], first["why"]) == ("q05", "t1", "rung-4") and "answered" not in first, first
    assert first["since"] > 0 and first["deadline"] > first["since"], first
    assert board.at("s1").ask("GET", "/api/report/wanted")[0] == 403
    # it sees the one case that it looks for, and no other
    assert office.ask("GET", f"/api/list/case?case={other}")[0] == 403
    status, said = office.ask("GET", f"/api/list/case?case={case}")
    assert status == 200 and said["rows"][0]["name"] and said["rows"][0]["school"]
    status, said = office.do(do="note", case=case, note="学校说下午再问")
    assert status == 200 and "stored" in said, said
    wait_for("it says so", lambda: (r := row()) and r.get("answered", {}).get("by") == "b1", LIMIT)
    status, said = office.do(do="number", case=case, digits="19900009911", kind="class-teacher", rung=5, source="school")
    assert status == 200 and "stored" in said, said
    assert wait_for("its owner dials it", lambda: (s := board.case(case))["why"] == "new-number" and s, LIMIT)
    wait_for("it left the list", lambda: row() is None, LIMIT)
    assert office.ask("GET", f"/api/list/case?case={case}")[0] == 403


def test_what_the_pass_still_wants(board):
    case = fresh(board)
    assert board.at("d1").ask("GET", "/api/report/pass")[1]["data"]["stage"] == 2
    said = board.as_json("pass", "show")
    assert (said["stage"], said["pass"]) == (2, 1) and said["pass_end"] == 1773057600000, said
    mine = next(o for o in said["owners"] if o["person"] == "q05")
    assert mine["team"] == "t1" and mine["cases"] >= 1 and mine["signed"] is False
    assert [t for t in said["teams"] if t["team"] == "t1"] == [{"team": "t1", "leaders": ["l1"], "signed": ""}]
    row = next(r for r in said["cases"] if r["case"] == case)
    assert row["owner"] == "q05" and row["waits"] is False and row["tries"] >= 1, row
    assert said["open"] >= len(said["cases"]) > 0 or said["waiting"] > 0
    board.act("l1", "signoff", n=1)
    wait_for("a leader has signed", lambda: [t["signed"] for t in board.as_json("pass", "show")["teams"]
                                             if t["team"] == "t1"] == ["l1"], LIMIT)
    # what only a ruling moves on stands first
    alarm = fresh(board, "incident", note="家长在办公室闹")
    assert board.case(alarm)["lane"] == "supervision"
    first = board.as_json("pass", "show")["cases"][0]
    assert first["case"] == alarm and first["waits"] is True, first
    assert alarm in board.ctl("pass", "show").stdout
    board.act("d1", "ruling", alarm, verdict="resume")
    wait_for("it goes on", lambda: board.case(alarm)["lane"] != "supervision", LIMIT)


def campaign_ms(board):
    return 1773018000000 + float(open("/proc/uptime").read().split()[0]) * 1e3 - board.boot_ms


def test_a_supervisor_draws_from_the_screen(board):
    sup = board.at("s1")
    fresh(board)

    def moment(ms):
        return time.strftime("%Y-%m-%dT%H:%M:%S+08:00", time.gmtime(ms / 1000 + 8 * 3600))

    for who, body, status, code in (("l1", {"until": "2026-03-09 21:00"}, 403, "denied"), ("s1", {"until": "soon"}, 400, "bad-field"),
                                    ("s1", {"until": "2026-03-09 08:00"}, 400, "bad-field"),
                                    ("s1", {"commitment": "0" * 24}, 404, "not-found"),
                                    ("s1", {"commitment": "../../x"}, 404, "not-found")):
        got, said = board.at(who).ask("POST", "/api/draw", body)
        assert (got, said["error"]["code"]) == (status, code) and re.search("[\u4e00-\u9fff]", said["error"]["text"]), (body, said)
    assert board.as_json("spotcheck", "list") == []
    for ahead in (3000, 12000, 48000):  # a slow machine is told that the time is over
        until = campaign_ms(board) + ahead
        status, said = sup.ask("POST", "/api/draw", {"until": moment(until)})
        if status == 200:
            break
    assert status == 200 and re.fullmatch("[0-9a-f]{24}", said["commitment"]), said
    fixed = said["commitment"]
    row = wait_for("it is in the ledger", lambda: next(iter(board.as_json("spotcheck", "list")), None), LIMIT)
    assert (row["commitment"], row["by"], row["drawn"]) == (fixed, "s1", False), row
    seed = (board.dir / "agents" / ".draws" / fixed)
    assert seed.stat().st_mode & 0o777 == 0o600 and seed.read_text().split()[0] not in board.log("office")
    if campaign_ms(board) < until - 1000:
        got, said = sup.ask("POST", "/api/draw", {"commitment": fixed})
        assert (got, said["error"]["code"]) == (409, "early"), said
    wait_for("its time has come", lambda: campaign_ms(board) > until, LIMIT)
    assert sup.ask("POST", "/api/draw", {"commitment": fixed}) == (200, {"commitment": fixed})
    wait_for("it is drawn", lambda: board.as_json("spotcheck", "list")[0]["fits"], LIMIT)
    drawn = board.as_json("spotcheck", "list", "1")
    assert drawn["seed_text"] == seed.read_text().split()[0]
    it = next(r for r in drawn["sample"] if r["person"] == "q05")
    # what was found of it refers to the record, and is corrected
    board.act("s1", "finding", it["case"], what="record", subject="q05", reason="时间对不上", ref_ob=it["ob"], ref_seq=it["seq"])
    found = wait_for("it is listed", lambda: next((f for f in board.as_json("finding", "list") if f["what"] == "record"), None), LIMIT)
    assert found["state"] == "open" and found["subject"] == "q05", found
    again = next(r for r in board.as_json("spotcheck", "list", "1")["sample"] if r["no"] == it["no"])
    assert again["findings"] == [{"by": "s1", "what": "record"}], again
    board.act("s1", "finding", what="corrected", subject="q05", ref_ob=found["ob"], ref_seq=found["seq"])
    wait_for("it is corrected", lambda: next(f for f in board.as_json("finding", "list") if f["no"] == found["no"])["state"] ==
             "corrected", LIMIT)


def test_the_own_word_on_a_flag_and_who_has_read_what(board):
    b = board.at("q10")
    b.do(do="next")
    task = b.stream.line("task")
    b.do(do="record", case=task["case"], token=task["token"], outcome="confirmed", channel="phone", number=1, seconds=3, spoke="self",
         ticks=["cost", "one-school", "consequences"], script="v1", then="stay")
    b.stream.line("accepted")
    flag = wait_for("it is flagged", lambda: next(
        (r for r in board.as_json("spotcheck", "flags", "--person", "q10")["rows"] if r["case"] == task["case"]), None), LIMIT)
    assert flag["explained"] is None and len(flag["ob"]) == 32, flag
    board.act("q10", "note", task["case"], note="前面已经谈过", what="explain", ref_ob=flag["ob"], ref_seq=flag["seq"])
    wait_for("the own word is there", lambda: next(
        r for r in board.as_json("spotcheck", "flags", "--person", "q10")["rows"] if r["case"] == task["case"])["explained"], LIMIT)
    board.act("q10", "note", what="read:stage:2:1")
    board.act("q10", "note", what="read:stage:2:1")
    said = wait_for("the mark is there", lambda: (r := board.as_json("notice", "reads")) and r["reads"] and r, LIMIT)
    assert [(r["notice"], r["person"], r["team"]) for r in said["reads"]] == [("stage:2:1", "q10", "t1")], said
    assert {"person": "q05", "team": "t1"} in said["people"] and "s1" not in [p["person"] for p in said["people"]]
    assert board.at("l2").ask("GET", "/api/report/reads")[1]["data"]["reads"] == []  # another team
    assert len(board.at("l1").ask("GET", "/api/report/reads")[1]["data"]["reads"]) == 1
    assert [p["person"] for p in b.ask("GET", "/api/report/reads")[1]["data"]["people"]] == ["q10"]
    assert b.ask("GET", "/api/report/reads?person=p01")[0] == 403
