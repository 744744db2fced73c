"""Whatever is altered afterwards is noticed: in an export of every kind, by its reader; in the ledger, by the nightly run.
HF_EDITS random edits of the ledger (8), each alone; HF_SEED others."""
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from night_rig import Night  # noqa: E402
from stack import BIN, wait_for  # noqa: E402

ASK = ("--unmasked", "--purpose", "报考试院")
KINDS = {  # name of the folder: words of hfctl export
    "ledger": ("ledger",), "ledger-csv": ("ledger", "--csv"), "ledger-gb": ("ledger", "--csv-gb"), "pay": ("pay",),
    "audit": ("audit",), "audit-csv": ("audit", "--csv"), "weekly": ("weekly", "--day", "2026-03-12"),
    "daily": ("daily", "--day", "2026-03-09"), "personal": ("personal", "--person", "p02"), "admission": ("admission", *ASK),
    "withdrawals": ("withdrawals", *ASK),
}
OFF = "ALTER TABLE hf.ledger DISABLE TRIGGER append_only; {}; ALTER TABLE hf.ledger ENABLE ALWAYS TRIGGER append_only"


@pytest.fixture(scope="module")
def stack():
    with Night() as s:
        for person, outcome in (("p02", "confirmed"), ("p02", "considering"), ("p03", "no-answer"), ("p03", "confirmed")):
            s.call(person, outcome)
        s.ctl("person", "set", "boss", "--roles", "callback-head")
        s.settle()
        s.withdraw("p02", ("p01", "admin"), b"\xff\xd8\xff\xe0" + bytes(3000) + b"\xff\xd9")
        s.ctl("--as", "admin", "agent", "enrol", "--person", "boss", "--out", s.dir / "ctl" / "c1")
        for kind in ("admission", "withdrawals"):
            for person in ("admin", "boss"):
                s.ctl("--as", person, "export", "approve", kind, "--purpose", ASK[2])
        wait_for("four approvals are in the ledger", lambda: s.sql(
            "SELECT count(*) FROM hf.ledger WHERE kind = 20") == [["4"]], 60)
        s.settle()
        for _ in range(18):  # fills a segment
            r = s.fcall("hf1_broker", s.agent.say(body=bytes(60000), person="p02"), now=s.now)[0]
            assert r[0] == b"ok", r
        s.settle()
        s.folder = s.dir / "archive" / "records" / "c1"
        wait_for("a segment", lambda: list(s.folder.glob("*.seg")), 60)
        for name in ("hf-router", "hf-broker"):
            s.kill(name, 15)
        s.upto = int(s.sql("SELECT max(no) FROM hf.ledger WHERE kind = 20")[0][0])
        yield s


def export(s, name, folder):
    out = s.dir / folder
    s.ctl("--campaign", "c1", "export", *KINDS[name], "--out", out, "--as-of", s.upto)
    return out


def verify(*words):
    r = subprocess.run([BIN / "hfctl", "verify", *map(str, words)], capture_output=True, text=True,
                       env={"PATH": os.environ["PATH"]}, check=False)
    return r.returncode, r.stdout + r.stderr


def cells(path):
    """The rows of a sheet as verify reads them; None if it is no sheet any more."""
    r = subprocess.run([BIN / "hf-import", "cells", path], capture_output=True, text=True, check=False)
    return [json.loads(x)["cells"] for x in r.stdout.splitlines() if '"cells"' in x] if r.returncode == 0 else None


def hashes(out):
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(out.iterdir())}


# -- one change each, of a file that is a sheet: the number of the first row that differs --

def in_xlsx(path, change):
    book = openpyxl.load_workbook(path)
    change(book.active)
    book.save(path)


def edit_row(path, row):
    if path.suffix == ".xlsx":
        def change(page):
            cell = next((c for c in page[row] if c.value is not None), page.cell(row, 1))
            cell.value, cell.data_type = "被改", "s"
        in_xlsx(path, change)
    elif path.suffix == ".dbf":
        data = bytearray(path.read_bytes())
        head, width = int.from_bytes(data[8:10], "little"), int.from_bytes(data[10:12], "little")
        data[head + (row - 2) * width + 1] ^= 1
        path.write_bytes(data)
    else:
        lines = path.read_bytes().split(b"\r\n")
        lines[row - 1] = b"9" + lines[row - 1]
        path.write_bytes(b"\r\n".join(lines))


def remove_row(path, row):
    if path.suffix == ".xlsx":
        in_xlsx(path, lambda page: page.delete_rows(row))
    elif path.suffix == ".dbf":
        data = bytearray(path.read_bytes())
        head, width = int.from_bytes(data[8:10], "little"), int.from_bytes(data[10:12], "little")
        del data[head + (row - 2) * width:head + (row - 1) * width]
        data[4:8] = (int.from_bytes(data[4:8], "little") - 1).to_bytes(4, "little")
        path.write_bytes(data)
    else:
        lines = path.read_bytes().split(b"\r\n")
        path.write_bytes(b"\r\n".join(lines[:row - 1] + lines[row:]))


def add_row(path, row):
    """A second copy of the row, behind it."""
    if path.suffix == ".xlsx":
        def change(page):
            values = [c.value for c in page[row]]
            page.insert_rows(row + 1)
            for i, v in enumerate(values):
                page.cell(row + 1, i + 1).value = v
        in_xlsx(path, change)
    elif path.suffix == ".dbf":
        data = bytearray(path.read_bytes())
        head, width = int.from_bytes(data[8:10], "little"), int.from_bytes(data[10:12], "little")
        at = head + (row - 2) * width
        data[at:at] = data[at:at + width]
        data[4:8] = (int.from_bytes(data[4:8], "little") + 1).to_bytes(4, "little")
        path.write_bytes(data)
    else:
        lines = path.read_bytes().split(b"\r\n")
        path.write_bytes(b"\r\n".join(lines[:row] + lines[row - 1:]))


def first_difference(was, now):
    n = next((i for i, (a, b) in enumerate(zip(was, now)) if a != b), min(len(was), len(now)))
    assert (n < len(was) or n < len(now)) and was != now
    return n + 1


def changes(out, rng):
    """(what, files it touches, how) of every kind of change; how works on a copy of the folder."""
    files = sorted(f.name for f in out.iterdir())
    manifest = json.loads((out / "manifest.json").read_text())
    sheets = [f["name"] for f in manifest["files"] if "row" in f]
    for name in files:
        at = rng.randrange((out / name).stat().st_size)

        def flip(copy, name=name, at=at):
            data = bytearray((copy / name).read_bytes())
            data[at] ^= 1 << rng.randrange(8)
            (copy / name).write_bytes(data)
        yield f"flip byte {at}", [name], flip
    for name in sheets:
        rows = cells(out / name)
        if len(rows) < 3:
            continue
        row = rng.randrange(2 if len(rows) < 5 else 4, len(rows) + 1)
        for what in (edit_row, remove_row, add_row):
            yield f"{what.__name__} {row}", [name], lambda copy, what=what, name=name, row=row: what(copy / name, row)
    plain = [f for f in files if not f.startswith("manifest.")]
    if len(plain) > 1:
        a, b = rng.sample(plain, 2)

        def swap(copy):
            (copy / a).rename(copy / "x")
            (copy / b).rename(copy / a)
            (copy / "x").rename(copy / b)
        yield "swap", [a, b], swap
    yield "remove", plain[:1], lambda copy: (copy / plain[0]).unlink()
    yield "add", ["more.csv"], lambda copy: (copy / "more.csv").write_text("1\r\n")

    def rewrite(copy):
        m = dict(manifest, ledger_no=manifest["ledger_no"] + 1)
        (copy / "manifest.json").write_text(json.dumps(m, indent=1, sort_keys=True, ensure_ascii=False))
    yield "edit the manifest", ["manifest.json"], rewrite


@pytest.mark.parametrize("name", KINDS)
def test_every_change_of_an_export_is_noticed(stack, name):
    out = export(stack, name, name)
    assert hashes(out) == hashes(export(stack, name, name + "-again")), "the same bytes again"
    key = ("--key", stack.dir / "secrets" / "export.pub")
    code, said = verify(out, *key)
    assert code == 0 and said.startswith("good: "), said
    rng = random.Random(name)
    for what, touched, change in changes(out, rng):
        copy = stack.dir / "tampered"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(out, copy)
        change(copy)
        code, said = verify(copy, *key)
        assert code == 1 and all(f"ALTERED {t}" in said for t in touched if not t.startswith("manifest")), (what, touched, said)
        if any(t.startswith("manifest") for t in touched):
            assert "ALTERED manifest." in said, (what, said)
        if what.startswith(("edit_row", "remove_row", "add_row")):
            row = first_difference(cells(out / touched[0]), cells(copy / touched[0]))
            assert f"第 {row} 行" in said, (what, touched, row, said)


def test_the_archive_of_an_export_is_proved(stack):
    out = stack.dir / "ledger"
    point = json.loads((out / "manifest.json").read_text())["archive"]
    assert point["segment"] == 1
    code, said = verify(out, "--archive", stack.dir / "archive")
    assert code == 0 and "第 1 到 000000000001 段与清单的检查点一致" in said, said
    other = stack.dir / "other"
    shutil.copytree(stack.folder, other)
    assert verify(out, "--archive", other)[0] == 0
    segment = other / "000000000001.seg"
    whole = segment.read_bytes()
    segment.chmod(0o600)
    segment.write_bytes(whole[:300] + bytes([whole[300] ^ 4]) + whole[301:])
    code, said = verify(out, "--archive", other)
    assert code == 1 and "000000000001 段不是清单所指的那一份 (首处)" in said and point["hash"] in said, said
    segment.write_bytes(whole[:40])
    code, said = verify(out, "--archive", other)
    assert code == 1 and "第 000000000001 段 (首处)" in said, said
    shutil.rmtree(other)
    other.mkdir()
    code, said = verify(out, "--archive", other)
    assert code == 1 and "只到第 000000000000 段" in said, said


# -- the ledger --------------------------------------------------------------------------------------------------

def columns(s):
    return s.sql("SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'hf' AND table_name = "
                 "'ledger' AND column_name <> 'campaign' ORDER BY ordinal_position")


def other_value(rng, name, kind):
    """An SQL expression that differs from the column, and that the table takes."""
    if name == "verdict":
        return "(verdict + 1) % 3"
    if name in ("no", "seq", "log_no"):
        return f"{name} + 1000000"
    if kind in ("bigint", "smallint"):
        return f"coalesce({name} + 1, {rng.randrange(1, 100)})"
    if kind == "boolean":
        return f"NOT coalesce({name}, false)"
    if kind == "bytea":
        return (f"CASE WHEN coalesce(length({name}), 0) > 0 THEN set_byte({name}, length({name}) - 1, get_byte({name}, "
                f"length({name}) - 1) # {1 << rng.randrange(8)}) ELSE '\\x0102' END")
    if kind == "ARRAY":
        return f"array_append({name}, {chr(39)}x{chr(39)})"
    return f"coalesce({name} || 'x', 'confirmed')"


def edit(rng, s, names):
    """One random edit of the ledger as SQL, and what it is called."""
    row = rng.choice(s.rows)
    where = f"campaign = 'c1' AND no = {row}"
    how = rng.randrange(8)
    if how == 0:
        return f"delete {row}", f"DELETE FROM hf.ledger WHERE {where}"
    if how == 1:
        columns_but = ", ".join(n for n, _ in names if n not in ("no", "seq"))
        return f"insert like {row}", (f"INSERT INTO hf.ledger (campaign, no, seq, {columns_but}) SELECT campaign, no + 500000, "
                                      f"seq + 500000, {columns_but} FROM hf.ledger WHERE {where}")
    if how == 2:
        a, b = rng.sample(s.rows, 2)
        return f"swap numbers of {a} and {b}", (
            f"UPDATE hf.ledger SET no = -1 WHERE campaign = 'c1' AND no = {a}; UPDATE hf.ledger SET no = {a} WHERE campaign = "
            f"'c1' AND no = {b}; UPDATE hf.ledger SET no = {b} WHERE campaign = 'c1' AND no = -1")
    name, kind = rng.choice(names)
    if how == 3:  # a column that is there is emptied
        filled = [n for n, v in s.sql(
            f"SELECT key, value FROM hf.ledger, jsonb_each_text(to_jsonb(ledger)) WHERE {where} AND value IS NOT NULL")
                  if n in s.nullable]
        name = rng.choice(filled)
        return f"empty {name} of {row}", f"UPDATE hf.ledger SET {name} = NULL WHERE {where}"
    return f"{name} of {row}", f"UPDATE hf.ledger SET {name} = {other_value(rng, name, kind)} WHERE {where}"


def test_each_of_many_random_edits_of_the_ledger_is_noticed(stack):
    s, rng = stack, random.Random(int(os.environ.get("HF_SEED", "1")))
    edits = int(os.environ.get("HF_EDITS", "8"))
    s.kill("hf-recorder", 15)
    out = s.run()
    assert out["findings"] == [] and out["archive"]["segments"] >= 1, out["findings"]
    s.rows = [int(r[0]) for r in s.sql("SELECT no FROM hf.ledger ORDER BY no")]  # sealed in the archive, and not yet
    assert out["archive"]["records"] < len(s.rows)
    s.nullable = {r[0] for r in s.sql("SELECT column_name FROM information_schema.columns WHERE table_schema = 'hf' AND "
                                      "table_name = 'ledger' AND is_nullable = 'YES'")}
    names = columns(s)
    s.sql("CREATE TABLE kept AS SELECT * FROM hf.ledger")
    unnoticed = []
    for i in range(edits):
        what, sql = edit(rng, s, names)
        s.sql(OFF.format(sql))
        found = [f for f in s.run(code=None)["findings"] if f["level"] == "difference" and f["kind"] != "counts"]
        if not found:
            unnoticed.append((i, what))
        s.sql(OFF.format("DELETE FROM hf.ledger; INSERT INTO hf.ledger SELECT * FROM kept"))
    assert s.run()["findings"] == []
    print(f"{edits - len(unnoticed)} of {edits} edits of the ledger noticed")
    assert not unnoticed
