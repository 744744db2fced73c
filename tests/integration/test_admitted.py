"""The authority's list: the denominator after the freeze by two persons, and what was paid; then pay from it."""
import csv
import json
import re
import subprocess
import uuid

import openpyxl
import pytest

import stack as rig
from stack import BIN, Stack
from test_main_path import Lines
from test_pay_twice import value

LIMIT = 60.0  # for what only waits
PEOPLE = (("p01", "caller", "t1"), ("p02", "caller", "t1"), ("lea", "caller,leader", "t1"),
          ("head", "callback-head", ""), ("sup", "supervisor", ""), ("chief", "leading", ""))


def wait_for(what, condition):
    return rig.wait_for(what, condition, LIMIT)


@pytest.fixture(scope="module")
def stack():
    with Stack(pg=True) as s:
        (s.dir / "demo").touch()
        with open("/proc/uptime") as f:
            boot_us = int(float(f.read().split()[0]) * 1e6)
        (s.dir / "clock").write_text(f"1773018000000 {boot_us} 1000 0\n")  # Monday 2026-03-09 09:00
        s.ctl("db", "migrate")
        for program in ("hf-recorder", "hf-broker", "hf-router"):
            s.daemon(program)
        s.ctl("campaign", "create", "c1")
        for person, roles, team in PEOPLE:
            s.ctl("--as", "admin", "person", "set", person, "--roles", roles, *(("--team", team) if team else ()),
                  "--qualified", "yes")
            s.ctl("--as", "admin", "agent", "enrol", "--person", person, "--out", s.dir / "ctl" / "c1")
        subprocess.run([str(BIN / "hf-sample"), "--rows", "24", "--seed", "3", "--format", "xlsx", "--out",
                        str(s.dir / "roster.xlsx")], check=True)
        s.ctl("--as", "admin", "roster", "import", s.dir / "roster.xlsx")
        s.ctl("--as", "admin", "stage", "open", "2")
        s.ctl("--as", "admin", "release", "--all")
        wait_for("released", lambda: s.redis.zcard("hf:{c1}:lane:pool") == 24)
        s.numbers = call(s, "p01", 10) + call(s, "p02", 10) + call(s, "lea", 2)
        sheet = openpyxl.load_workbook(s.dir / "roster.xlsx").active
        at = [c.value for c in sheet[1]].index("考生号")
        s.numbers += [n for n in (str(row[at].value) for row in list(sheet.rows)[1:]) if n not in s.numbers]
        wait_for("the ledger knows the owners", lambda: counts(s, "p01")["cases"] == 10 and
                 counts(s, "lea")["cases"] == 2)
        yield s


def call(s, person, n):
    """n calls that nobody answered bind n cases to the person; their 考生号."""
    c = Lines(s, s.dir / "ctl" / "c1", "--person", person)
    got = []
    for i in range(n):
        c.say(do="next")
        task = c.hear("task", "error")["task"]
        c.say(do="record", case=task["case"], token=task["token"], outcome="no-answer", channel="phone", number=1,
              seconds=35, then="stay", id=str(uuid.uuid4()))
        assert "accepted" in c.hear("accepted", "error")
        got.append(task["no"])
    c.close()
    return got


@pytest.fixture(scope="module")
def numbers(stack):
    return stack.numbers


def write(stack, name, head, rows):
    path = stack.dir / name
    if name.endswith(".csv"):
        with open(path, "w", encoding="utf-8-sig", newline="") as f:
            csv.writer(f).writerows([head, *rows])
    else:
        book = openpyxl.Workbook()
        for row in [head, *rows]:
            book.active.append(row)
        book.save(path)
    return path


def say(stack, *words, code=0, who="admin"):
    r = stack.ctl("--json", "--as", who, *words, check=False)
    assert r.returncode == code, r.stdout + r.stderr
    return json.loads(r.stdout) if r.stdout.startswith(("{", "[")) else r


def rates(stack, by="caller"):
    return json.loads(stack.ctl("--json", "rates", "--by", by).stdout)


def counts(stack, who):
    return next((r for r in rates(stack)["rows"] if r["who"] == who), {"cases": 0})


def records(stack):
    return stack.redis.xlen("hf:{c1}:log")


def pay(stack):
    r = stack.ctl("--json", "pay", "show")  # exit 1 when C and SQL differ
    out = json.loads(r.stdout)
    assert out["differences"] == []
    return out, {row["person"]: row for row in out["rows"]}


MARKS = {}


def mark(stack, name):
    """What the figures are now, and when that is; nothing is on its way."""
    whole = rates(stack)
    MARKS[name] = (whole["as_of"], whole["as_of_ledger"], pay(stack)[0],
                   {by: rates(stack, by) for by in ("caller", "team", "campaign")})


def test_what_looks_odd_is_shown_and_explained_by_its_person(stack):
    note = "一直没有人接电话"
    cases = [r[0] for r in stack.sql("SELECT encode(case_ref, 'hex') FROM hf.case_state WHERE owner = 'p02' AND lane LIKE 'own:%' LIMIT 3")]
    c = Lines(stack, stack.dir / "ctl" / "c1", "--person", "p02")
    for case in cases:
        c.say(do="take", case=case)
        task = c.hear("task", "none", "error")["task"]
        c.say(do="record", case=case, token=task["token"], outcome="no-answer", channel="phone", number=1, seconds=35, note=note,
              id=str(uuid.uuid4()))
        assert "accepted" in c.hear("accepted", "error")
    c.close()

    def flags(*words):
        got = say(stack, "spotcheck", "flags", "--person", "p02", *words)
        assert got["notes"] and {r["person"] for r in got["rows"]} <= {"p02"}
        return got["rows"]

    wait_for("the copies", lambda: sum(r["flag"] == "copied" and r["value"] == 3 for r in flags()) == 3)
    assert {"overlap", "clock"} <= {r["flag"] for r in flags("--day", "2026-03-09")}  # seconds were told that never passed
    assert flags("--day", "2026-03-08") == [] and "--day" in stack.ctl("spotcheck", "flags", "--day", "8", check=False).stderr
    no = next(r["no"] for r in flags() if r["flag"] == "overlap")
    assert stack.ctl("--as", "p01", "spotcheck", "explain", no, "--note", "x", check=False).returncode == 77
    stack.ctl("--as", "p02", "spotcheck", "explain", no, "--note", "先记在纸上, 后来一起录的")
    wait_for("the explanation", lambda: any(r["no"] == no and r["explained"] for r in flags()))
    text = stack.ctl("spotcheck", "flags").stdout
    assert "本人已说明" in text and note not in text and "纸上" not in text


def test_averages_are_of_the_own_cases_that_count(stack):
    row = next(r for r in rates(stack)["rows"] if r["who"] == "p01")  # ten calls of 35 s that reached nobody
    assert (row["average_contacts"], row["average_minutes"], row["enough"], row["last_three"]) == ("0.0", "0.5", False, False)
    assert " 0.0    0.5" in stack.ctl("rates").stdout


FIGURES = ("cases", "attempted", "attempts", "contacts", "seconds", "confirmed", "considering", "unreachable", "withdrawn",
           "admitted", "registered", "paid")


def ids(stack, figure, *words):
    return json.loads(stack.ctl("--json", "rates", "ids", "--figure", figure, *words).stdout)


def test_every_figure_opens_to_what_it_counts(stack, numbers):
    stack.ctl("--as", "admin", "pass", "open", "2", "--until", "2026-03-20 18:00")
    case, owner = stack.sql("SELECT encode(case_ref, 'hex'), owner FROM hf.case_state WHERE owner = 'p02' AND lane LIKE "
                            "'own:%' ORDER BY due, case_ref LIMIT 1")[0]
    c = Lines(stack, stack.dir / "ctl" / "c1", "--person", owner)
    c.say(do="take", case=case)
    task = c.hear("task", "none", "error")["task"]
    c.say(do="record", case=case, token=task["token"], outcome="no-answer", channel="phone", number=1, seconds=41,
          id=str(uuid.uuid4()))
    assert "accepted" in c.hear("accepted", "error")
    c.close()
    rows = wait_for("the pass has a call", lambda: {r["who"]: r for r in rates(stack, "stage")["rows"] if r["who"]}
                    if len(rates(stack, "stage")["rows"]) == 2 else None)
    assert set(rows) == {"2", "2.2"} and (rows["2.2"]["cases"], rows["2.2"]["attempts"], rows["2.2"]["seconds"]) == (1, 1, 41)
    assert (rows["2"]["cases"], rows["2"]["admitted"]) == (22, 22)  # 24 of which 2 were never called
    for by, words in (("caller", "--person"), ("team", "--team"), ("campaign", None), ("stage", "--stage")):
        whole = rates(stack, by)
        for row in whole["rows"]:
            of = [words, row["who"]] if words else []
            if by in ("caller", "team") and row["who"] not in ("p02", "t1"):
                continue
            for figure in FIGURES if by == "caller" else ("attempts", "registered") if by == "team" else FIGURES[::3]:
                got = ids(stack, figure, *of)
                assert got["total" if figure == "seconds" else "count"] == row[figure], (by, row["who"], figure)
                assert len(got["cases"]) == got["count"] and (got["as_of_ledger"], got["log"]) == (
                    whole["as_of_ledger"], whole["log"])
    assert ids(stack, "cases", "--person", "-")["count"] == 2  # nobody's
    own = json.loads(stack.ctl("--json", "rates", "--by", "stage", "--person", "p02").stdout)["rows"]
    assert [(r["who"], r["cases"], r["admitted"]) for r in own] == [("2", 10, 10), ("2.2", 1, 1)]
    assert own[0]["attempts"] == ids(stack, "attempts", "--stage", "2", "--person", "p02")["count"]
    got = ids(stack, "attempts", "--stage", "2.2")
    assert got["cases"] == [case] and stack.sql(f"SELECT seconds FROM hf.ledger WHERE no = {got['records'][0]}") == [["41"]]
    assert got["as_of"] == int(stack.sql(f"SELECT campaign_at FROM hf.ledger WHERE no = {got['as_of_ledger']}")[0][0])
    plain = stack.ctl("rates", "ids", "--figure", "attempts", "--stage", "2.2").stdout
    assert case in plain and "attempts: 1 个, 共 41 秒" in plain and "(2026-03-" in plain
    assert stack.ctl("rates", "ids", "--figure", "luck", check=False).returncode == 64
    assert stack.ctl("rates", "ids", "--figure", "paid", "--stage", "x", check=False).returncode == 64


def test_payments_are_counted_and_move_nothing(stack, numbers):
    path = write(stack, "paid.xlsx", ["考生号", "缴费"], [[n, "是"] for n in numbers[:5]] + [[numbers[5], "否"]])
    assert say(stack, "payments", "import", path, "--dry-run")["paid"] == 5
    assert counts(stack, "p01")["paid"] == 0
    got = say(stack, "payments", "import", path)
    assert (got["paid"], got["taken_back"], got["unchanged"], got["rejected"]) == (5, 0, 1, 0)
    assert counts(stack, "p01")["paid"] == 5 and stack.redis.zcard("hf:{c1}:lane:terminal") == 0
    before = records(stack)
    assert say(stack, "payments", "import", path)["unchanged"] == 6 and records(stack) == before
    path = write(stack, "back.csv", ["考生号", "缴费时间"], [[numbers[0], ""]])
    assert say(stack, "payments", "import", path)["taken_back"] == 1 and counts(stack, "p01")["paid"] == 4
    bad = write(stack, "bad.csv", ["考生号", "缴费"], [[numbers[1], "是"], [numbers[2], "也许"], ["26000000009999", "是"]])
    got = say(stack, "payments", "import", bad, code=65)
    assert [(e["row"], e["column"], e["code"]) for e in sorted(got["errors"], key=lambda e: e["row"])] == [
        (3, "缴费", "bad-payment"), (4, "考生号", "unknown-applicant")]


def test_the_list_and_what_differs(stack, numbers):
    assert say(stack, "admitted", "differences", code=66).returncode == 66
    # 23 of ours (one is not on it), one nobody knows, one that the authority refused
    rows = [[n, "L"] for n in numbers[:22]] + [["26000000009999", "L"], [numbers[22], "T"]]
    path = write(stack, "admitted.csv", ["KSH", "BZ"], rows)
    assert say(stack, "admitted", "import", path, "--dry-run")["admitted"] == 22
    got = say(stack, "admitted", "import", path)
    assert (got["rows"], got["admitted"], got["taken_off"], got["unknown"], got["rejected"]) == (24, 22, 0, 1, 0)
    before = records(stack)
    assert say(stack, "admitted", "import", path)["admitted"] == 0 and records(stack) == before
    out = say(stack, "admitted", "differences", code=1)
    assert out["admitted"] == 22
    assert sorted((d["what"], d["row"]) for d in out["differences"]) == [
        ("not-listed", None), ("not-listed", None), ("unknown", 24)]
    # the next file is the whole list: who is not in it is off it
    path = write(stack, "less.xlsx", ["考生号"], [[n] for n in numbers[:20]])
    got = say(stack, "admitted", "import", path)
    assert (got["taken_off"], got["unknown"], got["unchanged"]) == (2, 0, 20)
    assert len(say(stack, "admitted", "differences", code=1)["differences"]) == 4
    assert say(stack, "admitted", "import", write(stack, "all.csv", ["考生号"], [[n] for n in numbers[:22]]))[
        "admitted"] == 2


def test_one_person_does_not_freeze(stack, numbers):
    came = write(stack, "came.csv", ["考生号", "报到"], [[n, "是"] for n in numbers[:9]] + [[numbers[23], "是"]])
    say(stack, "arrivals", "import", came)
    wait_for("they are counted", lambda: counts(stack, "p01")["registered"] == 9)
    assert rates(stack)["provisional"] and pay(stack)[0]["provisional"]
    assert rates(stack, "campaign")["rows"][0]["registered"] == 10
    assert rates(stack, "campaign")["rows"][0]["admitted"] == 24
    mark(stack, "before the freeze")
    assert say(stack, "admitted", "freeze", code=65).returncode == 65  # the number of differences was not typed
    got = say(stack, "admitted", "freeze", "--differences", "2")
    assert got["admitted"] == 22 and rates(stack)["provisional"]
    no = str(got["no"])
    assert say(stack, "approve", "give", no, code=77).returncode == 77  # one's own
    assert say(stack, "approve", "give", no, code=77, who="lea").returncode == 77  # a leader is no head
    assert rates(stack)["provisional"]
    # not even in the database is one's own word the second one
    own = stack.sql("BEGIN; INSERT INTO hf.ledger (campaign, no, ob, seq, h, prev_h, bc, sig, header, body, verdict, kind, "
                    "person, ref_ob, ref_seq, ruling, log_epoch, log_no, opseq, campaign_at, wall_at) SELECT campaign, "
                    "no + 1000000, ob, seq + 1000000, h, prev_h, bc, sig, header, body, 0, 31, person, ob, seq, 'give', "
                    f"log_epoch, log_no, opseq, campaign_at, wall_at FROM hf.ledger WHERE no = {no}; "
                    "SELECT count(*) FROM hf.v_freeze; ROLLBACK")
    assert ["0"] in own
    # who owns a case at the freeze keeps it in the figures
    stack.ctl("--as", "head", "approve", "give", no)
    out = rates(stack)
    assert not out["provisional"]
    whole = rates(stack, "campaign")["rows"][0]
    assert (whole["admitted"], whole["registered"]) == (22, 9)  # one came who is not on the list
    stack.ctl("--as", "admin", "case", "move", numbers[15], "--to", "p01", "--credit")
    waits = wait_for("it waits", lambda: say(stack, "approve", "list", who="head"))
    stack.ctl("--as", "head", "approve", "give", waits[0]["no"])
    wait_for("moved", lambda: stack.sql("SELECT count(*) FROM hf.case_state WHERE owner = 'p01'")[0][0] == "11")
    assert (counts(stack, "p01")["admitted"], counts(stack, "p02")["admitted"]) == (10, 10)
    sheet, rows = pay(stack)
    assert not sheet["provisional"]
    assert (rows["p01"]["admitted"], rows["p01"]["registered"], rows["p01"]["pay"]) == (10, 9, "0.00")
    assert say(stack, "approve", "list", who="head") == []
    mark(stack, "frozen")


def test_a_finding_touches_pay_when_a_head_has_given_it(stack, numbers):
    came = write(stack, "all10.csv", ["考生号", "报到"], [[n, "是"] for n in numbers[:20]])
    say(stack, "arrivals", "import", came)
    wait_for("all came", lambda: counts(stack, "p02")["registered"] == 10)
    assert pay(stack)[1]["p01"]["pay"] == "1050.00"
    no = say(stack, "finding", "add", "deduction", "--person", "p01", "--percent", "20", "--note", "虚报", who="sup")["no"]
    wrong = say(stack, "finding", "add", "wrong-withdrawal", "--person", "p02", "--case", numbers[12], who="sup")["no"]
    sheet, rows = pay(stack)
    assert sheet["open_findings"] == 2 and rows["p01"]["pay"] == "1050.00"
    assert say(stack, "approve", "give", str(no), code=77, who="sup").returncode == 77
    stack.ctl("--as", "chief", "approve", "give", no)
    stack.ctl("--as", "head", "approve", "give", wrong)
    sheet, rows = pay(stack)
    assert sheet["open_findings"] == 0
    assert (rows["p01"]["pay"], rows["p02"]["pay"]) == ("840.00", "525.00")
    mark(stack, "findings")
    assert any("N5" in line for line in rows["p01"]["explain"]) and any("N3" in line for line in rows["p02"]["explain"])
    # what was wrong is taken back by two persons again
    assert say(stack, "finding", "correct", str(no), code=77, who="p01").returncode == 77
    back = say(stack, "finding", "correct", str(no), who="sup")["no"]
    assert pay(stack)[1]["p01"]["pay"] == "840.00"
    stack.ctl("--as", "head", "approve", "give", back)
    assert pay(stack)[1]["p01"]["pay"] == "1050.00"
    mark(stack, "lifted")
    states = {f["no"]: f["state"] for f in say(stack, "finding", "list")}
    assert (states[no], states[wrong], states[back]) == ("lifted", "in-force", "in-force")
    for words in (("deduction", "--person", "p01", "--percent", "10"), ("deduction", "--person", "p01"),
                  ("laziness", "--person", "p01")):
        assert say(stack, "finding", "add", *words, code=64, who="sup").returncode == 64
    # below the minimum without a finding nothing is taken off; a signed one takes 5 yuan a person
    assert pay(stack)[0]["minimum"] == 6 and pay(stack)[1]["lea"]["called"] == 2


def test_a_dispute_is_answered(stack):
    no = say(stack, "dispute", "add", "--note", "少算了一个人", who="p02")["no"]
    assert pay(stack)[0]["open_disputes"] == 1
    plain = stack.ctl("pay", "show").stdout
    assert "异议 1 件" in plain
    assert say(stack, "approve", "give", str(no), code=77, who="p02").returncode == 77
    assert [d["what"] for d in say(stack, "approve", "list", who="head")] == ["dispute"]
    stack.ctl("--as", "head", "approve", "refuse", no)
    assert [d["state"] for d in say(stack, "dispute", "list")] == ["refused"]
    assert pay(stack)[0]["open_disputes"] == 0


def test_the_workbook_computes_the_same(stack):
    stack.ctl("export", "pay", "--out", stack.dir / "book")
    book = openpyxl.load_workbook(stack.dir / "book" / "pay.xlsx")
    rows = {book["补贴表"].cell(i, 1).value: i for i in range(4, 7)}
    at = rows["p02"]
    assert [value(book, "算式", f"{c}{at}") for c in "BCDEFGHIJKL"] == [10, 10, 99, 100, 10, 105, 0, 1, 0, 525, "一致"]
    assert "不作发放依据" not in book["补贴表"]["A2"].value


def test_the_week_is_a_page_to_print(stack):
    path = stack.dir / "week.html"
    assert stack.ctl("report", "weekly", "--html", path).stdout == f"{path}\n" and path.stat().st_mode & 0o777 == 0o600
    text = path.read_text(encoding="utf-8")
    whole = json.loads(stack.ctl("--json", "report", "weekly").stdout)["rows"][-1]
    assert whole["小组"] == "合计" and f"<li><b>{whole['报到']}</b>报到</li>" in text and whole["报到"] == 20
    assert "回访周报 · t1</h1>" in text and "<script" not in text and "size: A4" in text and "p02</td>" in text
    assert stack.ctl("report", "weekly", "--html", path, check=False).returncode == 73  # it may have been signed
    assert stack.ctl("report", "weekly", "--html", stack.dir / "x.html", "--team", "t7", check=False).returncode == 66
    assert not (stack.dir / "x.html").exists()
    stack.ctl("report", "weekly", "--html", stack.dir / "t1.html", "--team", "t1")
    assert (stack.dir / "t1.html").read_text(encoding="utf-8").count("<section>") == 1


def test_the_policy_in_force_says_by_which_reading(stack, numbers):
    """As the router keeps it; C and SQL follow it alike, and the workbook has no formulas for other readings."""
    default = (rig.ROOT / "deploy" / "policy" / "default.policy").read_text()
    words = {"Q1": ("literal", "strict"), "Q3": ("needs-minimum", "off"), "Q7": ("pooled", "mean"),
             "Q18": ("still-payable", "original")}
    changed = default.replace("policy | 1 ", "policy | 9 ")
    for q, (old, new) in words.items():
        changed, n = re.subn(rf"(question \| {q} +\| ){old}", rf"\g<1>{new}", changed)
        assert n == 1
    before = stack.redis.hget("hf:{c1}:router", "policy")
    stack.redis.hset("hf:{c1}:router", "policy", changed)
    try:
        sheet, rows = pay(stack)
        assert sheet["rules"]["version"] == 9 and sheet["rules"]["Q3"] == "off" and sheet["rules"]["Q2"] == "every-tier"
        assert (rows["p01"]["pay"], rows["p02"]["pay"]) == ("1000.00", "500.00")  # no steps
        stack.ctl("export", "pay", "--out", stack.dir / "other")
        assert openpyxl.load_workbook(stack.dir / "other" / "pay.xlsx").sheetnames == ["补贴表", "各人"]
        stack.redis.hset("hf:{c1}:router", "policy", changed.replace("| off ", "| sometimes "))
        r = stack.ctl("pay", "show", check=False)
        assert r.returncode == 64 and "Q3" in r.stderr and "行" in r.stderr
        stack.redis.hset("hf:{c1}:router", "policy", re.sub(r"named-only", "team", changed))
        r = say(stack, "pay", "close", "--as-of", "now", "--minimum", "8", code=1)
        assert "Q19 team" in r.stderr
    finally:
        if before is None:
            stack.redis.hdel("hf:{c1}:router", "policy")
        else:
            stack.redis.hset("hf:{c1}:router", "policy", before)


def closed(stack, no):
    return json.loads(stack.ctl("--json", "pay", "show", "--sheet", no).stdout)


def test_a_sheet_is_closed_by_two_persons_and_stays(stack, numbers):
    assert say(stack, "pay", "close", "--as-of", "now", code=64).returncode == 64  # nobody set the minimum
    assert say(stack, "pay", "supplement", code=66).returncode == 66
    no = say(stack, "dispute", "add", "--note", "再查一次", who="p02")["no"]
    finding = say(stack, "finding", "add", "slack", "--person", "lea", who="sup")["no"]
    r = say(stack, "pay", "close", "--as-of", "now", "--minimum", "8", code=1)
    assert "1 件异议" in r.stderr and "1 件认定" in r.stderr
    stack.ctl("--as", "head", "approve", "refuse", no)
    stack.ctl("--as", "chief", "approve", "give", finding)
    r = say(stack, "pay", "close", "--as-of", "2026-03-09 09:00", "--minimum", "8", code=1)
    assert "到 2026-03-09 09:00, 录取名单没有冻结" in r.stderr
    assert say(stack, "pay", "close", "--as-of", "2027-03-09 09:00", "--minimum", "8", code=64).returncode == 64
    got = say(stack, "pay", "close", "--as-of", "now", "--minimum", "8")
    assert got["rows"] == 3
    sheet = closed(stack, got["no"])
    rows = {r["person"]: r for r in sheet["rows"]}
    assert (sheet["minimum"], sheet["rules"]["Q1"], sheet["provisional"]) == (8, "literal", False)
    assert {p: rows[p]["pay"] for p in rows} == {"p01": "1050.00", "p02": "525.00", "lea": "0.00"}
    assert say(stack, "approve", "give", str(got["no"]), code=77).returncode == 77  # the second person is another one
    assert say(stack, "pay", "supplement", code=66).returncode == 66  # not closed yet
    stack.ctl("--as", "head", "approve", "give", got["no"])
    r = say(stack, "pay", "close", "--as-of", "now", "--minimum", "8", code=1)
    assert "已经关帐" in r.stderr
    assert say(stack, "pay", "supplement")["rows"] == []
    stack.closed = (got["no"], sheet)


def test_a_reading_that_is_tried_names_whose_pay_it_moves(stack, numbers):
    text = (rig.ROOT / "deploy/policy/default.policy").read_text().replace("policy | 1 |", "policy | 2 |")

    def tried(*readings):
        mine = text
        for q, was, now in readings:
            assert f"question | {q} | {was} " in mine.replace("  |", " |")
            mine = re.sub(rf"(question \| {q} +\| ){was}", rf"\g<1>{now}", mine)
        (stack.dir / "mine.policy").write_text(mine)
        return say(stack, "policy", "apply", stack.dir / "mine.policy", "--dry-run", who="admin")
    out = tried(("Q3", "needs-minimum", "off"))
    assert {r["person"]: (r["pay_was"], r["pay_next"]) for r in out["pay"]["rows"]} == {
        "p01": ("1050.00", "1000.00"), "p02": ("525.00", "500.00")}
    assert (out["pay"]["readings"], out["pay"]["provisional"], out["concerned"]) == (
        [{"question": "Q3", "was": "needs-minimum", "next": "off"}], False, 0)
    plain = stack.ctl("--as", "admin", "policy", "apply", stack.dir / "mine.policy", "--dry-run").stdout
    assert "补贴不同的 2 人" in plain and "1050.00 -> 1000.00" in plain and "只看不改" in plain
    out = tried(("Q10", "leader-among-six", "leader-on-top"))
    assert (out["pay"]["rows"], out["concerned"], out["persons"]) == ([], 0, {})
    assert tried(("Q21", "not-counted", "counted"))["pay"]["unable"] == "Q21 counted"
    shown = json.loads(stack.ctl("--json", "policy", "show").stdout)
    assert sorted(shown["questions"]) == sorted(f"Q{q}" for q in range(1, 22)) and shown["version"] == 1


def test_a_supplement_has_only_the_differences(stack, numbers):
    no, sheet = stack.closed
    gone = write(stack, "gone.csv", ["考生号", "报到"], [[numbers[10], "否"], [numbers[20], "是"], [numbers[21], "是"]])
    say(stack, "arrivals", "import", gone)
    wait_for("counted", lambda: (counts(stack, "p02")["registered"], counts(stack, "lea")["registered"]) == (9, 2))
    assert closed(stack, no) == sheet  # what was closed does not move
    out = say(stack, "pay", "supplement")
    rows = {r["person"]: r for r in out["rows"]}
    # p02 at 90 % gets nothing; lea 2 of 2, below the minimum of 8 and slack: (100 - 5) x 2; p01 does not differ
    assert {p: (r["pay_was"], r["pay_now"], r["pay_difference"]) for p, r in rows.items()} == {
        "p02": ("525.00", "0.00", "-525.00"), "lea": ("0.00", "190.00", "190.00")}
    # 21 of 22 are 95.4 %: the target; before 20 of 22 were below the basic task
    assert (rows["lea"]["bonus_was"], rows["lea"]["bonus_difference"]) == ("0.00", "1500.00")
    got = say(stack, "pay", "supplement", "--as-of", "now")
    assert got["rows"] == 2
    stack.ctl("--as", "chief", "approve", "give", got["no"])
    assert say(stack, "pay", "supplement")["rows"] == []
    stack.ctl("pay", "show", "--sheet", got["no"], "--xlsx", stack.dir / "supplement.xlsx")
    page = openpyxl.load_workbook(stack.dir / "supplement.xlsx", data_only=True)["补发表"]
    assert [c.value for c in page[3]][-1] == "签字"
    assert {r[0].value: (r[4].value, r[7].value, r[8].value) for r in page.iter_rows(min_row=4)} == {
        "p02": (-525, 0, -525), "lea": (190, 1500, 1690)}
    say(stack, "arrivals", "import", write(stack, "again.csv", ["考生号", "报到"], [[numbers[10], "是"]]))
    wait_for("counted", lambda: counts(stack, "p02")["registered"] == 10)
    rows = say(stack, "pay", "supplement")["rows"]
    assert [(r["person"], r["pay_was"], r["pay_difference"]) for r in rows] == [("p02", "0.00", "525.00")]
    assert "525.00" in stack.ctl("pay", "supplement").stdout


def test_the_past_is_computed_again_from_the_ledger(stack):
    """Arrivals were corrected, findings lifted, people and cases moved since: what was, is what the records up to it say."""
    stack.ctl("--as", "admin", "person", "set", "p02", "--roles", "caller", "--team", "t9")
    wait_for("moved", lambda: stack.sql("SELECT team FROM hf.person WHERE person = 'p02'") == [["t9"]])
    mark(stack, "now")
    assert len({json.dumps(m[2]["rows"]) for m in MARKS.values()}) == 4  # the freeze alone changed no pay
    for name, (ms, no, sheet, by) in MARKS.items():
        then = json.loads(stack.ctl("--json", "pay", "show", "--as-of", ms).stdout)
        assert then["differences"] == [] and (then["as_of"], then["as_of_ledger"]) == (ms, no), name
        assert (then["freeze"], then["provisional"]) == (sheet["freeze"], sheet["provisional"]), name
        for scope in ("caller", "team", "campaign"):
            got = json.loads(stack.ctl("--json", "rates", "--by", scope, "--as-of", ms).stdout)
            assert (got["as_of_ledger"], got["log"]) == (no, by[scope]["log"])
            if not sheet["provisional"] or scope == "campaign":  # whose a case was before the freeze, no record tells
                # what was never listed is shown by the owner of now; it is in no rate and in no pay
                keys = ("who", "team", "admitted", "registered", "rate", "average_contacts")
                assert [[r[k] for k in keys] for r in got["rows"] if r["admitted"]] == [
                    [r[k] for k in keys] for r in by[scope]["rows"] if r["admitted"]], (name, scope)
                assert sum(r["attempts"] for r in got["rows"]) == sum(r["attempts"] for r in by[scope]["rows"])
        if not sheet["provisional"]:
            assert then["rows"] == sheet["rows"], name
    ms = MARKS["findings"][0]
    was = json.loads(stack.ctl("--json", "rates", "ids", "--figure", "registered", "--as-of", ms).stdout)
    assert was["count"] == 20 and "--stage" in stack.ctl(
        "rates", "ids", "--figure", "cases", "--stage", "2", "--as-of", ms, check=False).stderr
    # a sheet that is closed is that of its moment, not of now
    run = [BIN / "hf-reconcile", "--json", "--minimum", "8", "--as-of", str(ms), "close"]
    r = subprocess.run(run, env=stack.env(), capture_output=True, text=True, check=False, timeout=60)
    assert r.returncode == 1 and "已经关帐" in r.stderr and r.stderr.count("\n") == 1
    assert {row["person"]: row["pay"] for row in json.loads(r.stdout)["rows"]} == {
        row["person"]: row["pay"] for row in MARKS["findings"][2]["rows"]}
    r = stack.ctl("--as", "admin", "pay", "supplement", "--as-of", "2026-03-09 09:00", check=False)
    assert r.returncode == 1 and "上一张表的截止时间" in r.stderr
    assert "的情形" in stack.ctl("pay", "show", "--as-of", ms).stdout
    assert stack.ctl("pay", "show", "--as-of", "2027-03-09 09:00", check=False).returncode == 64


def test_the_past_goes_by_the_rules_of_then(stack):
    text = (rig.ROOT / "deploy" / "policy" / "default.policy").read_text().replace("policy | 1 ", "policy | 2 ")
    (stack.dir / "two.policy").write_text(re.sub(r"(question \| Q3 +\| )needs-minimum", r"\g<1>off", text))
    stack.ctl("--as", "admin", "policy", "apply", stack.dir / "two.policy")

    def then():
        return json.loads(stack.ctl("--json", "pay", "show", "--as-of", rates(stack)["as_of"]).stdout)

    assert then()["rules"] == MARKS["now"][2]["rules"]  # one person has said it
    stack.ctl("--as", "head", "policy", "approve")
    wait_for("it is in force", lambda: pay(stack)[0]["rules"]["version"] == 2)
    now = wait_for("the ledger has it", lambda: then() if then()["rules"]["version"] == 2 else None)
    assert now["rules"]["Q3"] == "off" and now["rows"] == pay(stack)[0]["rows"]
    # what was agreed to stays agreed to, whatever becomes of the second person's roles
    for roles in ("caller", "callback-head"):
        stack.ctl("--as", "admin", "person", "set", "head", "--roles", roles)
        wait_for(roles, lambda: int(stack.sql("SELECT roles FROM hf.person WHERE person = 'head'")[0][0]) == {
            "caller": 1, "callback-head": 128}[roles])
        assert then()["rules"]["version"] == 2
    ms, no, sheet, _ = MARKS["findings"]
    old = json.loads(stack.ctl("--json", "pay", "show", "--as-of", ms).stdout)
    assert old["rules"] == sheet["rules"] and old["rows"] == sheet["rows"]
    # the book of that row has the same bytes whenever it is made
    for name in ("then", "again"):
        stack.ctl("export", "pay", "--as-of", no, "--out", stack.dir / name)
    assert (stack.dir / "then" / "pay.xlsx").read_bytes() == (stack.dir / "again" / "pay.xlsx").read_bytes()
    page = openpyxl.load_workbook(stack.dir / "then" / "pay.xlsx")["补贴表"]
    assert {page.cell(i, 1).value: page.cell(i, 7).value for i in range(4, 7)} == {
        r["person"]: float(r["pay"]) for r in sheet["rows"]}


def test_one_fen_of_the_past_is_seen(stack):
    ms = MARKS["lifted"][0]
    body = "\n".join("\t".join(line) for line in stack.sql("SELECT pg_get_functiondef('hf.pay_cut'::regproc)"))
    stack.sql("CREATE OR REPLACE FUNCTION hf.pay_cut(fen bigint, halved boolean, deduction bigint, q18 text) RETURNS "
              "bigint LANGUAGE sql IMMUTABLE AS 'SELECT CASE WHEN fen = 105000 THEN fen + 1 ELSE fen END'")
    try:
        r = stack.ctl("--json", "pay", "show", "--as-of", ms, check=False)
    finally:
        stack.sql(body)
    assert r.returncode == 1 and {d["sql"] for d in json.loads(r.stdout)["differences"]} >= {"1050.01"}


DAY = 86_400_000
MIDNIGHT = 1772985600000  # the beginning of Monday 2026-03-09, on which both sheets were closed


@pytest.mark.parametrize("ms, holidays, until", [
    (MIDNIGHT + 8 * DAY - 1, "", "2026-03-16 23:59"),      # the last moment of the fifth working day
    (MIDNIGHT + 8 * DAY, "", "2026-03-16 23:59"),          # the next day
    (MIDNIGHT + 9 * DAY - 1, "2026-03-12,放假", "2026-03-17 23:59"),
    (MIDNIGHT + 9 * DAY, "2026-03-12,放假", "2026-03-17 23:59"),
    (MIDNIGHT + 7 * DAY, "2026-03-12,平常\n2026-03-15,补班", "2026-03-15 23:59"),  # a Sunday made up for
], ids=["last minute", "next day", "holiday between", "day after it", "make-up day"])
def test_disputes_end_after_five_working_days(stack, ms, holidays, until):
    if holidays:
        days = stack.dir / "days.csv"
        days.write_text("日期,性质\n" + holidays + "\n", encoding="utf-8")
        stack.ctl("--as", "admin", "holidays", "import", days)
        wait_for("the days hold", lambda: until in stack.ctl("dispute", "list").stdout)
    new = stack.dir / "clock.new"
    new.write_text(f"{ms} 0 1000 1\n")  # the clock stands still there
    new.rename(stack.dir / "clock")
    r = stack.ctl("--json", "--as", "p02", "dispute", "add", "--note", "再算一遍", check=False)
    if ms % DAY == MIDNIGHT % DAY:
        assert r.returncode == 65 and until in r.stderr and "再算" not in r.stderr
        assert until in stack.ctl("dispute", "list").stdout
    else:
        no = json.loads(r.stdout)["no"]
        assert pay(stack)[0]["open_disputes"] == 1
        close = stack.ctl("--as", "admin", "pay", "supplement", "--as-of", "now", check=False)
        assert close.returncode == 1 and "1 件异议" in close.stderr
        stack.ctl("--as", "head", "approve", "refuse", no)
        assert pay(stack)[0]["open_disputes"] == 0


def test_a_late_dispute_is_kept_and_keeps_nothing_open(stack):
    """A machine may send what was said too late: the record is there, and does not count."""
    c = Lines(stack, stack.dir / "ctl" / "c1", "--person", "p02")
    c.say(do="act", kind="dispute", fields={"what": "pay"}, note="晚了")
    c.hear("accepted", "error", "acted")
    c.close()
    late = wait_for("it is kept", lambda: [d for d in say(stack, "dispute", "list") if d["state"] == "late"])
    assert len(late) == 1 and late[0]["at"] > late[0]["until"]
    sheet = pay(stack)[0]
    assert (sheet["open_disputes"], sheet["late_disputes"]) == (0, 1)
    assert "过了期限" in stack.ctl("dispute", "list").stdout


def test_a_closed_sheet_that_was_altered_is_not_believed(stack):
    no, _ = stack.closed
    stack.sql("ALTER TABLE hf.ledger DISABLE TRIGGER append_only")
    stack.sql(f"UPDATE hf.ledger SET import = decode(md5('other'), 'hex') WHERE what = 'pay' AND kind IN (14, 15) AND "
              f"no <= {no}")
    r = stack.ctl("--json", "pay", "show", "--sheet", no, check=False)
    assert r.returncode == 65 and "校验值" in r.stderr and r.stdout == ""
