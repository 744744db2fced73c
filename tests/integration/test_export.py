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
from stack import BIN

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
    assert "不在清单里" in tampered(stack, "l2", "x", lambda p: p.write_text("more"))
    assert "文件不在了" in tampered(stack, "l2", "ledger.csv", pathlib.Path.unlink)
