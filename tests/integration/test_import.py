"""hf-import and hf-sample as whole programs: rosters with every wart in every format, files of other
programs, hostile files, and a sandbox that is really there."""
import csv
import datetime
import io
import json
import os
import pathlib
import re
import select
import signal
import struct
import subprocess
import time
import zipfile

import openpyxl
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("HF_BIN", ROOT / "build" / "bin")).resolve()
IMPORT, SAMPLE = BIN / "hf-import", BIN / "hf-sample"
TODAY = "2026-11-23"
LIMIT = 30.0
FORMATS = ["xlsx", "csv", "csv-nobom", "csv-gb18030", "dbf"]
FIELDS = {
    "考生号": "key", "姓名": "name", "身份证号": "id_no", "省份": "province", "地区": "area",
    "中学": "school", "预录专业": "major", "通知书地址": "address", "报备人": "reporter", "批次": "batch",
}
NUMBERS = {"本人电话": "self", "父亲电话": "father", "母亲电话": "mother", "其他电话": "other"}
DBF_NAMES = {
    "KSH": "考生号", "XM": "姓名", "XB": "性别", "SFZH": "身份证号", "SFMC": "省份", "DQMC": "地区",
    "CXMC": "城乡", "ZXMC": "中学", "ZYXH": "志愿序号", "LQZYMC": "预录专业", "LXDH": "本人电话",
    "FQDH": "父亲电话", "MQDH": "母亲电话", "QTDH": "其他电话", "BBR": "报备人", "PCMC": "批次",
}


def sample(tmp_path, fmt, *args):
    out = tmp_path / f"sample.{fmt}"
    subprocess.run([SAMPLE, "--format", fmt, "--out", out, "--today", TODAY, *args], check=True,
                   timeout=LIMIT)
    return out


def run(path, *args, kind="roster"):
    """Exit code and parsed lines."""
    done = subprocess.run([IMPORT, kind, path, "--today", TODAY, *args], capture_output=True,
                          timeout=LIMIT)
    assert done.stderr == b"", done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def split(lines):
    good = {line["row"]: line for line in lines if "key" in line}
    problems = [line for line in lines if "code" in line]
    return good, problems


def fatal(path, *args, kind="roster"):
    code, lines = run(path, *args, kind=kind)
    assert code == 65 and "fatal" in lines[-1], lines[-3:]
    assert not any("summary" in line for line in lines)
    return lines[-1]["fatal"]["code"]


# ---- reading the samples without us ------------------------------------------------------------


def read_dbf(path):
    data = path.read_bytes()
    count, header, record = struct.unpack("<IHH", data[4:12])
    fields = []
    for at in range(32, header - 1, 32):
        name = data[at:at + 11].split(b"\0")[0].decode("gb18030")
        fields.append((DBF_NAMES.get(name, name), data[at + 16]))
    rows = [[name for name, _ in fields]]
    for i in range(count):
        at, row = header + i * record + 1, []
        for _, width in fields:
            row.append(data[at:at + width].decode("gb18030").strip(" \0"))
            at += width
        rows.append(row)
    return rows


def read_table(path, fmt):
    if fmt == "xlsx":
        sheet = openpyxl.load_workbook(path).active
        return [["" if cell is None else str(cell) for cell in row] for row in sheet.values]
    if fmt == "dbf":
        return read_dbf(path)
    text = path.read_bytes().decode("gb18030" if fmt == "csv-gb18030" else "utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def as_line(header, row, number):
    """The line that a clean row must become."""
    cells = dict(zip(header, row))
    line = {"row": number}
    for column, field in FIELDS.items():
        if cells[column]:
            line[field] = cells[column]
    line["sex"] = {"男": "male", "女": "female"}[cells["性别"]]
    line["rural"] = cells["城乡"] == "农村"
    line["choice"] = int(cells["志愿序号"])
    line["numbers"] = [{"kind": kind, "digits": cells[column]} for column, kind in NUMBERS.items()
                       if cells[column]]
    born, now = cells["身份证号"][6:14], TODAY.replace("-", "")
    if int(now) - int(born) < 180000:
        line["minor"] = True
    extra = {name: cells[name] for name in cells if name in ("序号", "备注") and cells[name]}
    if extra:
        line["extra"] = extra
    return line


# ---- samples -----------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_clean_sample_comes_back_cell_by_cell(tmp_path, fmt):
    path = sample(tmp_path, fmt, "--rows", "700")
    code, lines = run(path)
    good, problems = split(lines)
    table = read_table(path, fmt)
    summary = lines[-1]["summary"]
    assert code == 0 and problems == [] and len(table) == 701
    for number, row in enumerate(table[1:], 2):
        assert good[number] == as_line(table[0], row, number)
    assert (summary["rows"], summary["good"], summary["bad"], summary["warnings"]) == (700, 700, 0, 0)
    assert summary["format"] == fmt.split("-")[0]
    assert summary["encoding"] == ("gb18030" if fmt in ("csv-gb18030", "dbf") else "utf-8")
    digest = subprocess.run(["sha256sum", path], capture_output=True, check=True).stdout
    assert summary["sha256"] == digest.split()[0].decode()


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("seed", ["7", "8"])
def test_every_wart_is_reported_where_it_is(tmp_path, fmt, seed):
    path = sample(tmp_path, fmt, "--warts", "--rows", "300", "--seed", seed)
    expect = json.loads(pathlib.Path(f"{path}.expect.json").read_text())
    code, lines = run(path)
    good, problems = split(lines)
    told = [{key: p[key] for key in ("row", "column", "code", "level")} for p in problems]
    by_row = lambda p: (p["row"], p["column"])
    assert sorted(told, key=by_row) == sorted(expect["problems"], key=by_row)
    for want in expect["values"]:
        assert good[want["row"]][want["field"]] == want["value"]
    changed = {(line["row"], what.split("：")[0]) for line in good.values()
               for what in line.get("changed", [])}
    assert changed == {(c["row"], c["column"]) for c in expect["changed"]}

    # what has no wart is taken word for word
    table = read_table(path, fmt)
    touched = {p["row"] for p in expect["problems"]} | {c["row"] for c in expect["changed"]}
    touched |= set(expect["blank_rows"])
    clean = [n for n in range(2, len(table) + 1) if n not in touched]
    assert len(clean) > 200
    for number in clean:
        assert good[number] == as_line(table[0], table[number - 1], number)
    summary = lines[-1]["summary"]
    assert code == 1
    assert {key: summary[key] for key in ("rows", "good", "bad")} == {
        key: expect[key] for key in ("rows", "good", "bad")}
    assert not set(good) & set(expect["blank_rows"])
    assert len(good) == expect["good"] and len(table) == expect["rows"] + 3


def test_no_text_repeats_a_cell(tmp_path):
    path = sample(tmp_path, "csv", "--warts", "--rows", "300")
    table = read_table(path, "csv")
    private = [i for i, name in enumerate(table[0]) if name in ("考生号", "姓名", "身份证号") or name in NUMBERS]
    _, problems = split(run(path)[1])
    for problem in problems:
        for i in private if problem["row"] > 1 else []:
            cell = table[problem["row"] - 1][i]
            assert len(cell) < 2 or cell not in problem["text"]


def test_samples_are_the_same_for_ever_and_nobody_is_in_them(tmp_path):
    first = sample(tmp_path, "csv", "--rows", "2000").read_bytes()
    assert first == sample(tmp_path, "csv", "--rows", "2000").read_bytes()
    assert first != sample(tmp_path, "csv", "--rows", "2000", "--seed", "8").read_bytes()
    keys, ids, numbers = set(), set(), set()
    for row in csv.DictReader(io.StringIO(first.decode("utf-8-sig"))):
        number = row["身份证号"]
        weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
        total = sum(int(d) * w for d, w in zip(number, weights))
        born = datetime.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
        age = 2026 - born.year - ((11, 23) < (born.month, born.day))
        assert number.startswith("999") and "10X98765432"[total % 11] == number[17]
        assert 17 <= age <= 20
        assert (int(number[16]) % 2 == 1) == (row["性别"] == "男")
        for column in ("本人电话", "父亲电话", "母亲电话"):
            assert re.fullmatch(r"(1990000\d{4})?", row[column])
            if row[column]:
                assert row[column] not in numbers
                numbers.add(row[column])
        keys.add(row["考生号"])
        ids.add(number)
    assert len(keys) == len(ids) == 2000


def test_the_calling_room_is_complete(tmp_path):
    path = tmp_path / "people.xlsx"
    subprocess.run([SAMPLE, "people", "--out", path], check=True, timeout=LIMIT)
    code, lines = run(path, kind="people")
    people = {line["person"]: line for line in lines if "person" in line}
    assert code == 0 and len(people) == 63 and all(p["qualified"] for p in people.values())
    callers = [p for p in people.values() if "caller" in p["roles"]]
    assert sorted(p["person"] for p in callers) == [f"p{i:02}" for i in range(1, 49)]
    for team in range(1, 9):
        members = [p for p in callers if p["team"] == f"t{team}"]
        assert [p["roles"] for p in members] == [["caller", "leader"], ["caller", "deputy"]] + [["caller"]] * 4
    assert people["s1"]["roles"] == ["strike", "strike-head"] and people["o1"]["roles"] == ["operator"]


# ---- other programs' XLSX ----------------------------------------------------------------------


def book(tmp_path, rows, name="book.xlsx"):
    work = openpyxl.Workbook()
    for row in rows:
        work.active.append(row)
    work.save(tmp_path / name)
    return work, tmp_path / name


def test_another_programs_cells_are_understood(tmp_path):
    _, path = book(tmp_path, [
        ["考生号", "姓名", "本人电话", "志愿序号", "身份证号", "备注"],
        ["26999000000001", "苍禾", "19900000001", 1, "", datetime.date(2026, 1, 2)],
        [26999000000002, "苍荷", 19900000002, 2.0, None, True],
        [None, None, "  ", None, None, None],
        ["26999000000003", "苍洛", "19900000003\n19900000004", "3", None, 0.1 + 0.2],
        [26999000000005, "苍<&>\"'", 19900000005, None, None, "a_x000D_b_x0041_c_x0G00_"],
    ])
    code, lines = run(path)
    good, problems = split(lines)
    assert code == 0 and [p["code"] for p in problems] == ["unknown-column"]
    assert good[2]["choice"] == 1 and good[3]["choice"] == 2 and good[5]["choice"] == 3
    assert good[3]["key"] == "26999000000002"
    assert good[3]["numbers"] == [{"kind": "self", "digits": "19900000002"}]
    assert [n["digits"] for n in good[5]["numbers"]] == ["19900000003", "19900000004"]
    assert good[5]["extra"] == {"备注": "0.3"} or good[5]["extra"]["备注"].startswith("0.30000")
    assert good[6]["name"] == "苍<&>\"'" and good[6]["extra"]["备注"] == "a\rbAc_x0G00_"
    assert 4 not in good


def test_numbers_that_lost_digits_are_refused(tmp_path):
    _, path = book(tmp_path, [
        ["考生号", "姓名", "本人电话", "身份证号"],
        [26999000000001, "苍禾", 19900000001, 999001200801010023],
        [5.1e17, "苍荷", 19900000002, None],
        ["26999000000003", "苍洛", 1.99e17, None],
        ["26999000000004", "苍汐", 199.5, None],
    ])
    _, problems = split(run(path)[1])
    assert [(p["row"], p["column"], p["code"]) for p in problems] == [
        (2, "身份证号", "excel-number"), (3, "考生号", "excel-number"), (4, "本人电话", "excel-number"),
        (5, "本人电话", "excel-number")]
    assert all("文本" in p["text"] for p in problems)


def test_formulas_are_not_evaluated_and_error_values_are_refused(tmp_path):
    _, path = book(tmp_path, [
        ["考生号", "姓名", "本人电话", "父亲电话", "备注"],
        ["26999000000001", "苍禾", "19900000001", "=19900000000+1", "=1+1"],
        ["=26999000000002", "苍荷", "19900000002", None, None],
        ["26999000000003", "苍洛", "#N/A", None, "=1+1"],
        [None, None, None, None, "=1+1"],
    ])
    code, lines = run(path)
    good, problems = split(lines)
    assert code == 1 and set(good) == {2}
    assert good[2]["numbers"] == [{"kind": "self", "digits": "19900000001"}] and "extra" not in good[2]
    assert [(p["row"], p["column"], p["code"]) for p in problems] == [
        (1, "备注", "unknown-column"), (2, "备注", "formula-cell"), (2, "父亲电话", "formula-cell"),
        (3, "考生号", "formula-cell"), (3, "考生号", "empty-cell"), (4, "本人电话", "error-value")]


def test_the_right_sheet_is_read(tmp_path):
    work = openpyxl.Workbook()
    hidden = work.active
    hidden.sheet_state = "hidden"
    hidden.append(["nothing"])
    shown = work.create_sheet("汇总")
    shown.append(["考生号", "姓名", "本人电话"])
    shown.append(["26999000000001", "苍禾", "19900000001"])
    work.active = 1
    work.save(tmp_path / "a.xlsx")
    code, lines = run(tmp_path / "a.xlsx")
    assert code == 0 and lines[0]["key"] == "26999000000001" and lines[-1]["summary"]["warnings"] == 0
    named = work.create_sheet("名单")
    named.append(["考生号", "姓名", "本人电话"])
    named.append(["26999000000002", "苍荷", "19900000002"])
    work.save(tmp_path / "b.xlsx")
    code, lines = run(tmp_path / "b.xlsx")
    assert code == 0 and lines[0]["key"] == "26999000000002" and lines[1]["code"] == "other-sheets"


def test_links_for_people_are_harmless(tmp_path):
    work, path = book(tmp_path, [["考生号", "姓名", "本人电话"], ["26999000000001", "苍禾", "19900000001"]])
    work.active["B2"].hyperlink = "mailto:nobody@example.invalid"
    work.save(path)
    assert run(path)[0] == 0


# ---- XLSX made by hand, to be worse than any program -------------------------------------------

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
HEAD = '<row r="1"><c r="A1" t="inlineStr"><is><t>考生号</t></is></c><c r="B1" t="inlineStr"><is><t>姓名</t></is></c>' \
       '<c r="C1" t="inlineStr"><is><t>本人电话</t></is></c></row>'
ROW = '<row r="2"><c r="A2"><v>26999000000001</v></c><c r="B2" t="s"><v>0</v></c><c r="C2"><v>19900000001</v></c></row>'
STRINGS = '<si><t>苍</t></si>'


def handmade(path, rows=HEAD + ROW, strings=STRINGS, prolog="", counts='uniqueCount="1"', extra=(), workbook="",
             compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as z:
        z.writestr("_rels/.rels", f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r1" '
                                  f'Type="{REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>')
        z.writestr("xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{REL}"><sheets>'
                                      f'<sheet name="a" sheetId="1" r:id="r1"/></sheets>{workbook}</workbook>')
        z.writestr("xl/_rels/workbook.xml.rels",
                   f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r1" Type="{REL}/worksheet" '
                   f'Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{REL}/sharedStrings" '
                   f'Target="/xl/sharedStrings.xml"/></Relationships>')
        z.writestr("xl/sharedStrings.xml", f'<?xml version="1.0" encoding="UTF-8"?>{prolog}'
                                           f'<sst xmlns="{MAIN}" {counts}>{strings}</sst>')
        z.writestr("xl/worksheets/sheet1.xml", f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>')
        for name, data in extra:
            z.writestr(name, data)
    return path


def test_the_handmade_book_is_good(tmp_path):
    code, lines = run(handmade(tmp_path / "a.xlsx"))
    assert code == 0 and lines[0]["name"] == "苍"


def test_rich_and_phonetic_strings(tmp_path):
    strings = "<si><r><rPr/><t>苍</t></r><r><t>禾</t></r><rPh sb='0' eb='1'><t>cang</t></rPh></si>"
    assert run(handmade(tmp_path / "a.xlsx", strings=strings))[1][0]["name"] == "苍禾"


def test_cells_without_references(tmp_path):
    rows = HEAD + "<row><c><v>26999000000001</v></c><c t='s'><v>0</v></c><c><v>19900000001</v></c></row>"
    assert run(handmade(tmp_path / "a.xlsx", rows=rows))[1][0]["row"] == 2


def test_declared_sizes_are_not_believed(tmp_path):
    path = handmade(tmp_path / "a.xlsx", counts='count="1000000000" uniqueCount="1000000000"')
    assert run(path)[0] == 0


@pytest.mark.parametrize("where", ["strings", "sheet"])
def test_a_zip_bomb_is_refused(tmp_path, where):
    if where == "strings":
        path = handmade(tmp_path / "a.xlsx", strings=f"<si><t>{'a' * (48 << 20)}</t></si>")
    else:
        path = handmade(tmp_path / "a.xlsx", rows=HEAD + "<x/>" * (12 << 20) + ROW)
    assert path.stat().st_size < (1 << 20)
    assert fatal(path) == "zip-bomb"


def test_a_huge_string_that_is_honestly_packed_is_one_bad_cell(tmp_path):
    strings = f"<si><t>{'苍' * 3000000}</t></si>"
    code, lines = run(handmade(tmp_path / "a.xlsx", strings=strings, compression=zipfile.ZIP_STORED))
    assert code == 1 and [line["code"] for line in lines[:-1]] == ["cell-too-long"]


def test_a_million_columns_are_refused(tmp_path):
    rows = HEAD + '<row r="2">' + "<c><v>1</v></c>" * 1000000 + "</row>"
    assert fatal(handmade(tmp_path / "a.xlsx", rows=rows)) == "too-many-columns"
    rows = HEAD + '<row r="2"><c r="BM2"><v>1</v></c></row>'
    assert fatal(handmade(tmp_path / "a.xlsx", rows=rows)) == "too-many-columns"


def test_a_million_blank_columns_and_rows_are_nothing(tmp_path):
    rows = HEAD + ROW + '<row r="3">' + '<c s="1"/>' * 200000 + "</row>"
    rows += "".join(f'<row r="{n}"><c r="A{n}" s="1"/></row>' for n in range(4, 100000))
    code, lines = run(handmade(tmp_path / "a.xlsx", rows=rows, compression=zipfile.ZIP_STORED))
    assert code == 0 and lines[-1]["summary"]["rows"] == 1


LAUGHS = ('<!DOCTYPE sst [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
          '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>')


@pytest.mark.parametrize("prolog,strings", [
    (LAUGHS, "<si><t>&c;</t></si>"),
    ('<!DOCTYPE sst SYSTEM "http://example.invalid/x.dtd">', STRINGS),
    ('<!DOCTYPE sst [<!ENTITY a SYSTEM "file:///etc/passwd">]>', "<si><t>&a;</t></si>"),
])
def test_document_types_are_refused(tmp_path, prolog, strings):
    assert fatal(handmade(tmp_path / "a.xlsx", prolog=prolog, strings=strings)) == "unsafe"


def test_external_relations_are_refused(tmp_path):
    rels = (f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r1" Type="{REL}/externalLinkPath" '
            f'Target="file:///x.xlsx" TargetMode="External"/></Relationships>')
    path = handmade(tmp_path / "a.xlsx", extra=[("xl/externalLinks/_rels/externalLink1.xml.rels", rels)])
    assert fatal(path) == "external-link"


@pytest.mark.parametrize("rows", [
    HEAD + '<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>1</v></c></row>',
    HEAD + '<row r="3"><c><v>1</v></c></row><row r="2"><c><v>1</v></c></row>',
    HEAD + '<row r="99999999999"><c><v>1</v></c></row>',
    HEAD + '<row r="-1"/>',
    HEAD + '<row r="2"><c r="AAAAAAAAAAAAAAAAAAAA2"><v>1</v></c></row>',
    HEAD + '<row r="2"><c r="A2" t="s"><v>1</v></c></row>',
    HEAD + '<row r="2"><c r="A2" t="s"><v>18446744073709551616</v></c></row>',
    HEAD + '<row r="2"><c r="A2" t="s"><v>x</v></c></row>',
    HEAD + '<row r="2"><c r="A2"><v><v/></v></c></row>',
    HEAD + '<row r="2"><c r="A2">',
    HEAD + '<row r="2"><c r="A2"><v>&nosuch;</v></c></row>',
    HEAD + '<row r="2"><c r="A2"><v>\x01</v></c></row>',
])
def test_broken_sheets_are_refused(tmp_path, rows):
    assert fatal(handmade(tmp_path / "a.xlsx", rows=rows)) == "damaged"


def test_broken_packages_are_refused(tmp_path):
    whole = handmade(tmp_path / "a.xlsx").read_bytes()
    cut = tmp_path / "cut.xlsx"
    for size in range(4, len(whole), 97):
        cut.write_bytes(whole[:size])
        assert fatal(cut) == "damaged"
    at = whole.index(b"xl/worksheets/sheet1.xml") + len("xl/worksheets/sheet1.xml") + 20
    cut.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1:])
    assert fatal(cut) == "damaged"
    other = tmp_path / "other.xlsx"
    with zipfile.ZipFile(other, "w") as z:
        z.writestr("content.xml", "<a/>")
    assert fatal(other) == "unknown-format"
    assert fatal(handmade(tmp_path / "many.xlsx", extra=[(f"x{i}", "") for i in range(200)])) == "unsafe"
    locked = bytearray(whole)
    for mark, flags in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        at = locked.find(mark)
        while at >= 0:
            locked[at + flags] |= 1
            at = locked.find(mark, at + 4)
    cut.write_bytes(locked)
    assert fatal(cut) == "old-excel"
    lzma = handmade(tmp_path / "lzma.xlsx", compression=zipfile.ZIP_LZMA)
    assert fatal(lzma) == "unsafe"


# ---- CSV and DBF -------------------------------------------------------------------------------

ROSTER = "考生号,姓名,本人电话\n26999000000001,苍禾,19900000001\n"


def test_encodings_are_told_apart_and_can_be_forced(tmp_path):
    path = tmp_path / "a.csv"
    for data, encoding in ((ROSTER.encode(), "utf-8"), (b"\xef\xbb\xbf" + ROSTER.encode(), "utf-8"),
                           (ROSTER.encode("gb18030"), "gb18030")):
        path.write_bytes(data)
        code, lines = run(path)
        assert code == 0 and lines[0]["name"] == "苍禾" and lines[-1]["summary"]["encoding"] == encoding
    assert fatal(path, "--encoding", "utf-8") == "missing-column"
    path.write_bytes(ROSTER.encode())
    assert fatal(path, "--encoding", "gb18030") == "missing-column"
    path.write_bytes(ROSTER.encode() * 20000 + "苍".encode()[:2])
    code, lines = run(path, "--encoding", "utf-8")
    assert code == 1 and lines[-1]["summary"]["encoding"] == "utf-8"


def test_csv_that_is_none_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(ROSTER.encode() + b"26999\0")
    assert fatal(path) == "unknown-format"
    path.write_text(ROSTER + '26999000000002,"' + "苍" * 200000)
    assert fatal(path) == "row-too-long"
    path.write_text(ROSTER.encode().decode("utf-8"), encoding="utf-16")
    assert fatal(path) == "bad-encoding"
    path.write_bytes(os.urandom(50000).replace(b"\0", b"\1"))
    assert fatal(path) in ("missing-column", "too-many-columns", "row-too-long", "duplicate-header",
                           "damaged", "unknown-format", "bad-encoding")


def test_hostile_dbf_headers_are_refused(tmp_path):
    whole = sample(tmp_path, "dbf", "--rows", "20").read_bytes()
    path = tmp_path / "a.dbf"
    path.write_bytes(whole[:-400])
    assert fatal(path) == "damaged"
    path.write_bytes(whole[:4] + b"\xff\xff\xff\xff" + whole[8:])
    assert fatal(path) == "damaged"
    for at in range(0, 96):
        for value in (0, 0xff):
            path.write_bytes(whole[:at] + bytes([value]) + whole[at + 1:])
            code, lines = run(path)
            assert code in (0, 1, 65), (at, value)
    deleted = bytearray(whole)
    header, record = struct.unpack("<HH", whole[8:12])
    deleted[header + 2 * record] = ord("*")
    path.write_bytes(deleted)
    code, lines = run(path)
    assert code == 0 and [line["row"] for line in lines[:-1]] == [2, 3] + list(range(5, 22))


def test_dbf_with_chinese_field_names(tmp_path):
    fields = [("考生号", 14), ("姓名", 24), ("本人电话", 30), ("通知书地址", 60)]
    header = b"".join(name.encode("gbk").ljust(11, b"\0") + b"C" + bytes(4) + bytes([width]) + bytes(15)
                      for name, width in fields) + b"\r"
    cells = ["26999000000001", "苍禾", "19900000001", "石桥村"]
    record = b" " + b"".join(c.encode("gbk").ljust(w) for c, (_, w) in zip(cells, fields))
    head = struct.pack("<BBBBIHH", 3, 126, 1, 1, 1, 32 + len(header), len(record)) + bytes(20)
    path = tmp_path / "a.txt"
    path.write_bytes(head + header + record + b"\x1a")
    code, lines = run(path)
    assert code == 0 and lines[0]["address"] == "石桥村" and lines[-1]["summary"]["format"] == "dbf"


# ---- the error sheet ---------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", FORMATS)
def test_bad_rows_come_back_as_a_sheet_and_can_be_mended(tmp_path, fmt):
    path = sample(tmp_path, fmt, "--warts", "--rows", "300")
    out = tmp_path / "errors"
    code, lines = run(path, "--errors", str(out))
    assert code == 1 and out.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir() if "tmp" in p.name] == []
    _, problems = split(lines)
    errors = {}
    for p in problems:
        if p["level"] == "error":
            errors.setdefault(p["row"], []).append(p)
    if fmt in ("xlsx", "dbf"):
        copy = tmp_path / "errors.xlsx"
        copy.write_bytes(out.read_bytes())
        sheet = read_table(copy, "xlsx")
    else:
        assert out.read_bytes().startswith(b"\xef\xbb\xbf")
        sheet = read_table(out, "csv")
    table = read_table(path, fmt)
    assert [DBF_NAMES.get(name, name) for name in sheet[0]] == table[0] + ["错误"]
    assert len(sheet) - 1 == len(errors) == lines[-1]["summary"]["bad"]
    for row, number in zip(sheet[1:], sorted(errors)):
        assert row[:-1] == table[number - 1]
        for problem in errors[number]:
            assert f"{problem['column']}：" in row[-1]

    # mended: all of it goes in, the 错误 column is no longer there
    def mend(row):
        cells = dict(zip(table[0], row))
        cells.update({"姓名": "苍禾", "本人电话": "19900000001", "身份证号": "", "志愿序号": "1",
                      "考生号": f"269990{len(mended):08}"})
        mended.append([cells[name] for name in table[0]] + [row[-1]])

    mended = []
    for row in sheet[1:]:
        mend(row)
    again = tmp_path / "again.csv"
    with open(again, "w", newline="", encoding="utf-8") as f:
        csv.writer(f).writerows([table[0] + ["错误"]] + mended)
    code, lines = run(again)
    assert code == 0 and not any("错误" in line.get("extra", {}) for line in lines)


def test_no_cell_of_the_error_sheet_is_run(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('考生号,姓名,本人电话,备注\n=1+1,@苍,-19900000001,"\t=cmd|x!A1"\n+2,苍,"\r19900000001",x\n')
    out = tmp_path / "out.csv"
    assert run(path, "--errors", str(out))[0] == 1
    rows = list(csv.reader(io.StringIO(out.read_bytes().decode("utf-8-sig"), newline="")))
    for row in rows[1:]:
        for cell in row:
            assert not cell or cell[0] not in "=+-@\t\r", cell
    assert rows[1][0] == "'=1+1" and rows[2][0] == "'+2"


def test_without_bad_rows_the_sheet_is_a_header(tmp_path):
    path, out = tmp_path / "a.csv", tmp_path / "out"
    path.write_text(ROSTER)
    assert run(path, "--errors", str(out))[0] == 0
    assert out.read_bytes().decode("utf-8-sig") == "考生号,姓名,本人电话,错误\r\n"


def test_a_refused_file_leaves_no_sheet(tmp_path):
    path, out = tmp_path / "a.csv", tmp_path / "out"
    path.write_text("考生号,姓名,本人电话\n" + "1,2,3\n" * 20000 + '"')
    assert fatal(path, "--errors", str(out)) == "bad-quotes"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv"]


def test_a_sheet_that_cannot_be_written_is_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("考生号,姓名,本人电话\n" + "1,2,3\n" * 100000)
    done = subprocess.run([IMPORT, "roster", path, "--errors", tmp_path / "no" / "such"], capture_output=True,
                          timeout=LIMIT)
    assert done.returncode == 74 and b"import.no_error_sheet" in done.stderr
    assert b'"summary"' in done.stdout.splitlines()[-1]


# ---- exit codes, sandbox -----------------------------------------------------------------------


def test_exit_codes(tmp_path):
    code, lines = run(tmp_path / "none")
    assert code == 66 and lines[-1]["fatal"]["code"] == "no-such-file"
    assert fatal(tmp_path) == "unknown-format"
    os.mkfifo(tmp_path / "fifo")
    assert fatal(tmp_path / "fifo") == "unknown-format"
    for args in ([], ["roster"], ["nonsense", "x"], ["roster", "x", "y"], ["roster", "x", "--today", "soon"],
                 ["roster", "x", "--encoding", "latin1"]):
        assert subprocess.run([IMPORT, *args], capture_output=True, timeout=LIMIT).returncode == 64


def child_of(pid):
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(text[0]) if text else None


def wait_for(what, condition):
    end = time.monotonic() + LIMIT
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, what
        select.select([], [], [], 0.005)


def start_blocked(tmp_path, *args):
    """A helper that waits for us to read: its pipe is full."""
    path = sample(tmp_path, "csv", "--rows", "3000")
    process = subprocess.Popen([IMPORT, "roster", path, "--today", TODAY, *args], stdout=subprocess.PIPE)
    child = wait_for("a child", lambda: child_of(process.pid))
    status = pathlib.Path(f"/proc/{child}/status")
    wait_for("seccomp", lambda: "Seccomp:\t2" in status.read_text())
    return process, child


def test_the_reader_is_locked_up(tmp_path):
    process, child = start_blocked(tmp_path)
    status = pathlib.Path(f"/proc/{child}/status").read_text()
    limits = pathlib.Path(f"/proc/{child}/limits").read_text()
    assert "NoNewPrivs:\t1" in status
    assert re.search(r"Max cpu time +30 ", limits) and re.search(r"Max core file size +0 ", limits)
    if b"__asan_init" not in IMPORT.read_bytes():
        assert re.search(rf"Max address space +{512 << 20} ", limits)
    out, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 0 and b'"summary"' in out.splitlines()[-1]


def test_a_file_that_changes_under_us_is_refused(tmp_path):
    process, _ = start_blocked(tmp_path)
    with open(tmp_path / "sample.csv", "ab") as f:
        f.write(b"x")
    out, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 65 and json.loads(out.splitlines()[-1])["fatal"]["code"] == "file-changed"


def test_output_that_cannot_be_written_is_no_success(tmp_path):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([IMPORT, "roster", sample(tmp_path, "csv")], stdout=full, timeout=LIMIT)
    assert done.returncode == 65


def test_a_reader_that_dies_is_told(tmp_path):
    process, child = start_blocked(tmp_path, "--errors", str(tmp_path / "out"))
    os.kill(child, signal.SIGKILL)
    out, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 70 and not (tmp_path / "out").exists()
    assert json.loads(out.splitlines()[-1])["fatal"]["code"] == "helper-died"


def test_a_reader_whose_parent_dies_goes_too(tmp_path):
    process, child = start_blocked(tmp_path)
    process.kill()
    process.wait(timeout=LIMIT)
    wait_for("the child's end", lambda: not pathlib.Path(f"/proc/{child}").exists()
             or "State:\tZ" in pathlib.Path(f"/proc/{child}/status").read_text())
    process.stdout.close()


def test_memory_does_not_grow_with_the_rows(tmp_path):
    if b"__asan_init" in IMPORT.read_bytes():
        pytest.skip("the sanitizer keeps what was freed")
    peaks = []
    for rows in ("1000", "60000"):
        path = sample(tmp_path, "xlsx", "--rows", rows)
        process = subprocess.Popen([IMPORT, "roster", path], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        peaks.append(usage.ru_maxrss)
    assert peaks[1] - peaks[0] < 8192, peaks


def test_bytes_changed_at_random_never_kill_the_reader(tmp_path):
    """A short fuzz of whole programs: every outcome is one of the three."""
    import random
    dice = random.Random(5)
    for fmt in ("xlsx", "dbf", "csv-gb18030"):
        whole = sample(tmp_path, fmt, "--rows", "60", "--warts").read_bytes()
        for _ in range(60):
            spoilt = bytearray(whole)
            for _ in range(dice.choice((1, 3, 30))):
                spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
            path = tmp_path / "spoilt"
            path.write_bytes(spoilt)
            code, lines = run(path)
            assert code in (0, 1, 65) and ("summary" in lines[-1] or "fatal" in lines[-1])


def test_deflate_that_never_ends_is_cut(tmp_path):
    """The directory says 10 bytes; 64 MiB come out."""
    path = handmade(tmp_path / "a.xlsx", strings="<si><t>" + "a" * (64 << 20) + "</t></si>")
    data = bytearray(path.read_bytes())
    for mark, at_size in ((b"PK\1\2", 24), (b"PK\3\4", 22)):
        at = data.find(mark)
        while at >= 0:
            name_at = at + (46 if mark == b"PK\1\2" else 30)
            if data[name_at:name_at + 20] == b"xl/sharedStrings.xml":
                data[at + at_size:at + at_size + 4] = struct.pack("<I", 10)
            at = data.find(mark, at + 4)
    path.write_bytes(data)
    assert fatal(path) in ("zip-bomb", "damaged")
