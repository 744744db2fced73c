"""Exports as the office opens them: in a spreadsheet, signed, the same bytes again, and every change noticed."""
import csv
import hashlib
import json
import os
import pathlib
import shutil
import subprocess

import openpyxl
import pytest

from night_rig import HOUR, MONDAY, Night
from stack import BIN, wait_for

EVIL = '=HYPERLINK("x","y")'


@pytest.fixture(scope="module")
def stack():
    with Night() as s:
        for person, outcome in (("p02", "confirmed"), ("p02", "considering"), ("p03", "no-answer")):
            s.call(person, outcome)
        s.call("p03", "call-later", {5: MONDAY + 5 * HOUR, 6: EVIL})
        s.ctl("person", "set", "boss", "--roles", "callback-head")
        s.settle()
        s.upto = int(s.sql("SELECT ledger_no FROM hf.campaign")[0][0])
        yield s


def export(stack, kind, name, *more, code=0, **env):
    out = stack.dir / name
    r = stack.ctl("--campaign", "c1", "export", kind, "--out", out, *more, check=False, **env)
    assert r.returncode == code, (r.returncode, r.stdout, r.stderr)
    return out


def verify(out, *more, key=None):
    r = subprocess.run([BIN / "hfctl", "verify", out, *(["--key", key] if key else []), *more], capture_output=True,
                       text=True, env={"PATH": os.environ["PATH"]}, check=False)
    return r.returncode, r.stdout + r.stderr


def sheet(path):
    return [["" if c is None else str(c) for c in row] for row in openpyxl.load_workbook(path).active.values]


def hashes(out):
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(out.iterdir())}


def test_the_ledger_opens_in_a_spreadsheet(stack):
    out = export(stack, "ledger", "l1", "--as-of", stack.upto)
    page = openpyxl.load_workbook(out / "ledger.xlsx").active
    assert page.title == "台账" and page.freeze_panes == "A2" and page.column_dimensions["V"].width > 60
    rows = list(page.values)
    assert rows[0][:6] == ("序号", "时间", "人员", "类型", "个案", "结果") and "姓名" not in rows[0]
    assert [r[0] for r in rows[1:]] == list(range(1, stack.upto + 1))
    calls = [r for r in rows if r[3] == "拨打联系"]
    assert [(r[2], r[5], r[6], r[9], r[16]) for r in calls] == [
        ("p02", "确认就读", "电话", "本人", "有效"), ("p02", "还要考虑", "电话", "本人", "有效"),
        ("p03", "没人接", "电话", "本人", "有效"), ("p03", "稍后再打", "电话", "本人", "有效")]
    cell = page.cell(1 + calls[-1][0], 12)
    assert cell.value == EVIL and cell.data_type == "s" and cell.number_format == "@"  # text, not a formula
    assert all(len(r[21]) == 64 for r in rows[1:])


def test_csv_for_both_kinds_of_excel(stack):
    utf8 = export(stack, "ledger", "l2", "--csv", "--as-of", stack.upto) / "ledger.csv"
    gb = export(stack, "ledger", "l3", "--csv-gb", "--as-of", stack.upto) / "ledger.csv"
    assert utf8.read_bytes().startswith(b"\xef\xbb\xbf")
    assert utf8.read_text("utf-8-sig") == gb.read_text("gb18030")
    with open(utf8, encoding="utf-8-sig", newline="") as f:
        rows = list(csv.reader(f))
    assert len(rows) == stack.upto + 1 and "'" + EVIL in [r[11] for r in rows]
    assert [r[:11] for r in rows[1:]] == [r[:11] for r in sheet(stack.dir / "l1" / "ledger.xlsx")[1:]]


def test_made_again_it_is_the_same(stack):
    stack.call("p02", "no-answer")
    stack.settle()
    a, b = stack.dir / "l1", export(stack, "ledger", "l4", "--as-of", stack.upto)
    assert hashes(a) == hashes(b) and len(hashes(a)) == 3
    now = export(stack, "ledger", "l5")
    assert len(sheet(now / "ledger.xlsx")) > stack.upto + 1
    audit = [export(stack, "audit", f"a{i}", "--as-of", stack.upto) for i in (1, 2)]
    assert hashes(audit[0]) == hashes(audit[1]) and len(hashes(audit[0])) == 6
    pay = [export(stack, "pay", f"p{i}") for i in (1, 2)]
    assert (pay[0] / "pay.xlsx").read_bytes() == (pay[1] / "pay.xlsx").read_bytes()


def test_it_is_not_written_over(stack):
    r = stack.ctl("export", "ledger", "--out", stack.dir / "l1", check=False)
    assert r.returncode == 73 and "manifest.json" in r.stderr
    r = stack.ctl("export", "ledger", "--out", stack.dir / "l9", "--as-of", 10 ** 6, check=False)
    assert r.returncode == 64 and not (stack.dir / "l9").exists()


def test_the_audit_has_every_act(stack):
    acts = sheet(stack.dir / "a1" / "audit_acts.xlsx")
    said = {r[3] for r in acts[1:]}
    assert {"人员", "导入", "提交导入", "阶段", "放出个案"} <= said and "拨打联系" not in said
    kinds = stack.sql(f"SELECT count(*) FROM hf.ledger WHERE no <= {stack.upto} AND kind NOT IN (1, 2, 3, 29)")
    assert len(acts) - 1 == int(kinds[0][0])
    # exports count once a later row of the ledger is shown
    assert [r[2] for r in sheet(stack.dir / "a1" / "audit_exports.xlsx")[1:]] == []
    stack.call("p03", "no-answer")
    stack.settle()
    made = [r[2] for r in sheet(export(stack, "audit", "a4") / "audit_exports.xlsx")[1:]]
    assert made.count("ledger") >= 3 and made.count("audit") >= 2 and made.count("pay") == 2


def test_a_stranger_verifies_it_with_the_public_key_alone(stack):
    for name in ("l1", "l2", "l3", "a1", "p1"):
        code, said = verify(stack.dir / name, key=stack.dir / "secrets" / "export.pub")
        assert code == 0 and said.startswith("good: "), said
    code, said = verify(stack.dir / "l1")
    assert code == 0 and "公钥取自清单本身" in said
    other = stack.dir / "other.pub"
    other.write_text("11" * 32 + "\n")
    assert verify(stack.dir / "l1", key=other)[0] == 1
    m = json.loads((stack.dir / "l1" / "manifest.json").read_text())
    assert m["files"][0]["rows"] == stack.upto and m["ledger_no"] == stack.upto and m["masked"]
    assert m["files"][0]["sha256"] == hashes(stack.dir / "l1")["ledger.xlsx"]


def tampered(stack, name, file, change):
    out = stack.dir / "tampered"
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(stack.dir / name, out)
    change(out / file)
    code, said = verify(out, key=stack.dir / "secrets" / "export.pub")
    assert code == 1, (file, said)
    return said


def replace(old, new):
    def change(path):
        data = path.read_bytes()
        assert old in data
        path.write_bytes(data.replace(old, new, 1))
    return change


def test_the_first_altered_row_is_named(stack):
    rows = sheet(stack.dir / "l1" / "ledger.xlsx")
    row = next(i for i, r in enumerate(rows) if r[5] == "确认就读") + 1
    assert f"第 {row} 行" in tampered(stack, "l2", "ledger.csv", replace("确认就读".encode(), "还要考虑".encode()))
    assert f"第 {row} 行" in tampered(stack, "l3", "ledger.csv", replace("确认就读".encode("gb18030"),
                                                                     "还要考虑".encode("gb18030")))

    def by_excel(path):
        book = openpyxl.load_workbook(path)
        book.active.cell(row, 6).value = "还要考虑"
        book.save(path)
    assert f"第 {row} 行" in tampered(stack, "l1", "ledger.xlsx", by_excel)

    def cut(path):
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:-1]))
    assert "少了 1 行" in tampered(stack, "l2", "ledger.csv", cut)


def test_any_byte_of_any_file_is_noticed(stack):
    for file in ("ledger.csv", "manifest.json", "manifest.sig"):
        size = (stack.dir / "l2" / file).stat().st_size
        for at in {0, size // 3, size - 1}:
            def flip(path):
                data = bytearray(path.read_bytes())
                data[at] ^= 0x20
                path.write_bytes(data)
            assert "ALTERED" in tampered(stack, "l2", file, flip)
    assert "manifest.sig" in tampered(stack, "l2", "manifest.sig", lambda p: p.write_bytes(p.read_bytes().upper()))
    assert "不在清单里" in tampered(stack, "l2", "x", lambda p: p.write_text("more"))
    assert "文件不在了" in tampered(stack, "l2", "ledger.csv", pathlib.Path.unlink)


def test_the_battle_report_is_ranked_by_what_is_left(stack):
    out = export(stack, "daily", "d1", "--day", "2026-03-09")
    page = openpyxl.load_workbook(out / "daily.xlsx").active
    assert page.title == "战报" and page.freeze_panes == "A4" and page["A1"].value == "回访战报"
    rows = [[c for c in r] for r in page.iter_rows(min_row=3, values_only=True)]
    head, table = rows[0], {r[0]: dict(zip(rows[0], r)) for r in rows[1:]}
    assert head == ["小组", "个案", "今日拨打", "今日联系", "已打", "没打过", "确认", "考虑", "退档", "联系不上", "还需"]
    teams = stack.sql("SELECT coalesce(team, '(还没有人)'), count(*), count(*) FILTER (WHERE attempts > 0), count(*) FILTER "
                      "(WHERE last_outcome = 'confirmed') FROM hf.v_figure WHERE lane <> 'unreleased' GROUP BY 1")
    assert {t[0]: t[1:] for t in teams} == {t: [str(table[t][k]) for k in ("个案", "已打", "确认")]
                                            for t in table if t != "合计"}
    assert list(table)[-1] == "合计" and table["合计"]["个案"] == 20
    assert list(table)[-2] == "(还没有人)"
    needs = [r[10] for r in rows[1:-2]]
    assert needs == sorted(needs, reverse=True)
    text = (out / "daily.txt").read_text()
    assert text.startswith("【回访战报】2026-03-09") and "合计: 个案20 今日拨打" in text and "t1: 个案" in text
    assert hashes(out) == hashes(export(stack, "daily", "d2", "--day", "2026-03-09"))
    assert stack.ctl("export", "daily", "--out", stack.dir / "d3", "--day", "tuesday", check=False).returncode == 64


def test_the_weekly_sheet_is_ready_to_print(stack):
    out = export(stack, "weekly", "w1", "--day", "2026-03-12")
    page = openpyxl.load_workbook(out / "weekly.xlsx").active
    assert "2026-03-09 至 2026-03-15" in page["A2"].value and page.page_setup.orientation == "landscape"
    assert page.print_title_rows == "$3:$3" and page.page_setup.paperSize == 9 and page.sheet_properties.pageSetUpPr.fitToPage
    rows = [list(r) for r in page.iter_rows(min_row=3, values_only=True)]
    assert "组长签字" in rows[-1][0]
    table = {(r[0] or "", r[1] or ""): dict(zip(rows[0], r)) for r in rows[1:-1]}
    calls = stack.sql("SELECT person, count(*) FROM hf.v_contact GROUP BY 1 ORDER BY 1")
    assert [[p, str(table[t, p]["本周拨打"])] for t, p in (("t1", "p02"), ("t2", "p03"))] == calls
    assert table["合计", ""]["本周拨打"] == sum(int(c[1]) for c in calls) and table["合计", ""]["个案"] == 20
    assert table["t1", "全组"]["本周确认"] == 1 and table["t1", "全组"]["报到率%"] == "0.000"
    empty = export(stack, "weekly", "w2", "--day", "2026-03-20")
    last = [r for r in openpyxl.load_workbook(empty / "weekly.xlsx").active.values if r[0] == "合计"][0]
    assert last[2] == 0 and last[6] == 20  # no call in that week, the cases are there
    # Everybody who takes part is in it to be assessed by (考核), also who did nothing: awards are decided elsewhere.
    part = {p for p, in stack.sql("SELECT person FROM hf.person WHERE roles & 31 <> 0")}
    rows = [r for r in openpyxl.load_workbook(empty / "weekly.xlsx").active.iter_rows(min_row=4, values_only=True) if r[1]]
    assert part and part <= {r[1] for r in rows} and all(r[2] == 0 for r in rows)


def roster(stack):
    rows = list(openpyxl.load_workbook(stack.dir / "roster.xlsx").active.values)
    at = {h: i for i, h in enumerate(rows[0])}
    return {str(r[at["考生号"]]): r[at["姓名"]] for r in rows[1:]}


def test_a_persons_own_ledger_is_masked(stack):
    out = export(stack, "personal", "mine", "--person", "p02")
    page = openpyxl.load_workbook(out / "personal.xlsx").active
    rows = list(page.iter_rows(min_row=3, values_only=True))
    assert rows[0] == ("考生号", "姓名", "首次日期", "最近日期", "次数", "联系", "总时长(分)", "途径", "结果", "现在")
    mine = [r for r in rows[1:] if r[0] and r[0][0].isdigit()]
    owned = stack.sql("SELECT count(*) FROM hf.case_state WHERE owner = 'p02'")[0][0]
    assert len(mine) == int(owned) >= 2 and all("****" in r[0] and r[1].endswith("**") and len(r[1]) == 3 for r in mine)
    assert {"确认就读", "还要考虑"} <= {r[8] for r in mine} and {r[7] for r in mine} == {"电话"}
    everything = b"".join(f.read_bytes() for f in out.iterdir())
    full = roster(stack)
    assert not [n for n in full if n.encode() in everything] and page.protection is not None


def test_names_leave_only_with_a_purpose_and_two_persons(stack):
    full = roster(stack)
    ask = ("--unmasked", "--purpose", "报考试院")
    export(stack, "admission", "n1", code=64)
    export(stack, "admission", "n1", "--unmasked", code=64)
    export(stack, "admission", "n1", *ask, code=77)
    assert not (stack.dir / "n1").exists()
    def approve(person, purpose, total):
        stack.ctl("--as", person, "export", "approve", "admission", "--purpose", purpose)
        wait_for("it is in the ledger", lambda: stack.sql("SELECT count(*) FROM hf.ledger WHERE kind = 20") == [[str(total)]])
    approve("admin", "报考试院", 1)
    approve("admin", "报考试院", 2)  # the same person twice is one
    export(stack, "admission", "n1", *ask, code=77)
    stack.ctl("--as", "admin", "agent", "enrol", "--person", "boss", "--out", stack.dir / "ctl" / "c1")
    approve("boss", "别的用途", 3)
    export(stack, "admission", "n1", *ask, code=77)
    approve("boss", "报考试院", 4)
    export(stack, "withdrawals", "n1", *ask, code=77)  # what was approved is this kind
    out = export(stack, "admission", "n1", *ask)
    rows = sheet(out / "admission.xlsx")
    assert rows[0] == ["考生号", "姓名", "专业", "BZ"] and len(rows) == 21
    assert {r[0]: r[1] for r in rows[1:]}.items() <= full.items() and {r[3] for r in rows[1:]} == {"L"}
    assert rows[1:] == sorted(rows[1:])
    m = json.loads((out / "manifest.json").read_text())
    assert m["purpose"] == "报考试院" and sorted(m["approved_by"]) == ["admin", "boss"] and not m["masked"]
    assert stack.sql("SELECT kind, masked, purpose, row_count FROM hf.export_log WHERE NOT masked") == [
        ["admission", "f", "报考试院", "40"]]
    assert hashes(out) == hashes(export(stack, "admission", "n2", *ask))
    assert verify(out)[0] == 0


def test_the_authoritys_table_is_a_dbf(stack):
    out = stack.dir / "n1"
    r = subprocess.run([BIN / "hf-import", "cells", out / "admission.dbf"], capture_output=True, text=True, check=True)
    rows = [json.loads(x).get("cells") for x in r.stdout.splitlines()][:-1]
    assert rows == sheet(out / "admission.xlsx")
    data = (out / "admission.dbf").read_bytes()
    assert int.from_bytes(data[4:8], "little") == 20 and "考生号".encode("gb18030") in data[:200]
    name = rows[3][1].encode("gb18030")
    assert f"第 {4} 行" in tampered(stack, "n1", "admission.dbf", replace(name, b"?" * len(name)))


def test_who_withdrew_by_papers_is_out_of_the_denominator_and_on_the_list(stack):
    before = int(stack.sql("SELECT count(*) FROM hf.v_figure WHERE NOT withdrawn")[0][0])
    photo = b"\xff\xd8\xff\xe0" + bytes(5000) + b"\xff\xd9"
    case = stack.withdraw("p02", ("p01", "admin"), photo)
    assert stack.sql("SELECT encode(case_ref, 'hex') FROM hf.v_figure WHERE withdrawn") == [[case.hex()]]
    assert int(stack.sql("SELECT count(*) FROM hf.v_figure WHERE NOT withdrawn")[0][0]) == before - 1
    total = int(stack.sql("SELECT count(*) FROM hf.ledger WHERE kind = 20")[0][0])
    for i, person in enumerate(("admin", "boss")):
        stack.ctl("--as", person, "export", "approve", "withdrawals", "--purpose", "报考试院")
        wait_for("it is in the ledger", lambda n=total + i + 1: stack.sql(
            "SELECT count(*) FROM hf.ledger WHERE kind = 20") == [[str(n)]])
    out = export(stack, "withdrawals", "t1", "--unmasked", "--purpose", "报考试院")
    (row,) = sheet(out / "withdrawals.xlsx")[1:]
    full = roster(stack)
    name = f"{row[0]}_{full[row[0]]}_退档.jpg"
    assert row[1] == full[row[0]] and row[3] == name and row[4] == "是" and len(row[5]) == 64
    assert (out / name).read_bytes() == photo
    assert verify(out)[0] == 0
    assert "文件被改动" in tampered(stack, "t1", name, lambda p: p.write_bytes(photo + b"x"))
    out = export(stack, "personal", "mine2", "--person", "p02")
    assert "已退档" in [r[9] for r in openpyxl.load_workbook(out / "personal.xlsx").active.values]
