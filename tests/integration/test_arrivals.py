"""The college's arrivals file, from the sheet to the rates: registered comes from nowhere else."""
import csv
import json
import subprocess

import openpyxl
import pytest

from stack import BIN, Stack, wait_for


@pytest.fixture(scope="module")
def stack():
    with Stack(pg=True) as s:
        (s.dir / "demo").touch()
        with open("/proc/uptime") as f:
            boot_us = int(float(f.read().split()[0]) * 1e6)
        (s.dir / "clock").write_text(f"1773018000000 {boot_us} 1000 0\n")  # Monday 2026-03-09 09:00
        s.ctl("db", "migrate")
        s.daemon("hf-recorder")
        s.daemon("hf-broker")
        s.daemon("hf-router")
        s.ctl("campaign", "create", "c1")
        subprocess.run([str(BIN / "hf-sample"), "--rows", "30", "--seed", "3", "--format", "xlsx", "--out",
                        str(s.dir / "roster.xlsx")], check=True)
        s.ctl("roster", "import", s.dir / "roster.xlsx")
        s.ctl("stage", "open", "2")
        s.ctl("release", "--count", "20", "--seed", "5")
        wait_for("released", lambda: s.redis.zcard("hf:{c1}:lane:pool") == 20)
        yield s


@pytest.fixture(scope="module")
def numbers(stack):
    sheet = openpyxl.load_workbook(stack.dir / "roster.xlsx").active
    at = [c.value for c in sheet[1]].index("考生号")
    return [str(row[at].value) for row in list(sheet.rows)[1:]]


def write(stack, rows, head=("报到", "姓名", "考生号"), name="came.csv"):
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


def say(stack, path, *more, code=0):
    r = stack.ctl("--json", "arrivals", "import", path, *more, check=False)
    assert r.returncode == code, r.stdout + r.stderr
    return json.loads(r.stdout)


def case(stack, no):
    return json.loads(stack.ctl("--json", "case", "show", no).stdout)


def registered(stack):
    return int(stack.sql("SELECT count(*) FROM hf.v_figure WHERE registered")[0][0])


def test_a_file_with_a_wrong_row_changes_nothing(stack, numbers):
    path = write(stack, [["是", "样本", numbers[0]], ["也许", "样本", numbers[1]], ["是", "样本", "26000000009999"],
                         ["是", "样本", numbers[0]]])
    log = stack.redis.xlen("hf:{c1}:log")
    got = say(stack, path, code=65)
    assert (got["rows"], got["rejected"]) == (4, 3)
    assert [(e["row"], e["column"], e["code"]) for e in sorted(got["errors"], key=lambda e: e["row"])] == [
        (3, "报到", "bad-arrival"), (4, "考生号", "unknown-applicant"), (5, "考生号", "duplicate-key")]
    assert all("请" in e["text"] and numbers[0] not in e["text"] for e in got["errors"])
    assert stack.redis.xlen("hf:{c1}:log") == log


def test_who_registered_is_seen_everywhere(stack, numbers):
    rows = [["是", "样本", n] for n in numbers[:4]] + [["2026-09-01", "样本", numbers[4]], ["否", "样本", numbers[5]]]
    path = write(stack, rows)
    assert say(stack, path, "--dry-run")["registered"] == 5
    assert stack.redis.zcard("hf:{c1}:lane:terminal") == 0
    got = say(stack, path)
    assert (got["registered"], got["taken_back"], got["unchanged"], got["rejected"]) == (5, 0, 1, 0)
    wait_for("the queue has it", lambda: stack.redis.zcard("hf:{c1}:lane:terminal") == 5)
    wait_for("the ledger has it", lambda: registered(stack) == 5)
    assert stack.sql("SELECT DISTINCT lane, why FROM hf.case_state WHERE lane = 'terminal'") == [
        ["terminal", "registered"]]
    shown = case(stack, numbers[0])
    assert shown["lane"] == "terminal" and shown["why"] == "registered"
    rates = json.loads(stack.ctl("--json", "rates", "--by", "campaign").stdout)
    assert rates["rows"][0]["registered"] == 5, rates
    log = stack.redis.xlen("hf:{c1}:log")
    assert say(stack, path)["unchanged"] == 6
    assert stack.redis.xlen("hf:{c1}:log") == log


def test_a_correction_is_the_next_file(stack, numbers):
    before = stack.sql("SELECT count(*) FROM hf.ledger WHERE kind = 14")
    path = write(stack, [[numbers[0], "否", None], [numbers[6], None, "2026-09-02 10:30"]],
                 ("考生号", "报到", "报到时间"), "later.xlsx")
    assert say(stack, path)["taken_back"] == 1
    wait_for("it is back", lambda: case(stack, numbers[0])["lane"] != "terminal")
    wait_for("the ledger has it", lambda: case(stack, numbers[6])["why"] == "registered")
    assert case(stack, numbers[0])["lane"] in ("pool", "unreleased")
    assert case(stack, numbers[0])["why"] == "not-registered"
    wait_for("the rates have it", lambda: registered(stack) == 5)
    assert int(stack.sql("SELECT count(*) FROM hf.ledger WHERE kind = 14")[0][0]) == int(before[0][0]) + 1


def test_partial_takes_the_good_rows(stack, numbers):
    path = write(stack, [[numbers[7], "是"], ["26000000009999", "是"]], ("考生号", "报到"), "part.xlsx")
    assert say(stack, path, "--partial", code=1)["registered"] == 1
    wait_for("it is there", lambda: case(stack, numbers[7])["why"] == "registered")
