"""A campaign whose callers are the worked examples of tests/golden/pay_examples.txt, written as the recorder would have, and
the sheets made of it, cell by cell, as text. HF_WRITE_GOLDEN=1 writes what the tests are held against."""
import os

import openpyxl

from stack import ROOT

MONDAY = 1773018000000  # 2026-03-09 09:00 in Shanghai
# person, roles (1 calls, 2 leads), team, registered, admitted, withdrew, called, slack, N3, N5 %
PEOPLE = [
    ("e01", 1, "t1", 30, 30, 0, 30, 0, 0, 0), ("e02", 3, "t1", 99, 100, 0, 100, 0, 0, 0), ("e03", 1, "t1", 95, 96, 0, 96, 0, 0, 0),
    ("e04", 1, "t1", 50, 51, 0, 51, 0, 0, 0), ("e05", 1, "t2", 98, 100, 0, 100, 0, 0, 0), ("e06", 3, "t2", 97, 100, 0, 100, 0, 0, 0),
    ("e07", 1, "t2", 29, 30, 0, 30, 0, 0, 0), ("e08", 1, "t2", 38, 40, 0, 40, 0, 0, 0), ("e09", 1, "t3", 47, 50, 0, 50, 0, 0, 0),
    ("e10", 3, "t3", 93, 100, 0, 100, 0, 0, 0), ("e11", 1, "t3", 27, 29, 0, 29, 0, 0, 0), ("e13", 1, "t3", 37, 40, 0, 40, 0, 0, 0),
    ("e14", 1, "t4", 23, 25, 0, 25, 0, 0, 0), ("e15", 3, "t4", 26, 29, 0, 29, 0, 0, 0), ("e16", 1, "t4", 19, 20, 0, 20, 1, 0, 0),
    ("e19", 1, "t5", 28, 29, 0, 29, 0, 1, 0), ("e20", 1, "t5", 27, 29, 0, 29, 0, 1, 33), ("e21", 1, "t5", 29, 30, 2, 32, 0, 0, 0),
    ("e22", 1, "t5", 0, 0, 0, 0, 0, 0, 0), ("e23", 3, "t6", 29, 30, 0, 30, 0, 0, 20), ("e25", 1, "t6", 18, 20, 0, 20, 0, 0, 0)]
# fen, of the table: the examples with the same number, and who fills a team
PAY = {"e01": 315000, "e02": 990000, "e03": 850250, "e04": 425000, "e05": 833000, "e06": 776000, "e07": 226200, "e08": 266000,
       "e09": 305500, "e10": 558000, "e11": 163350, "e13": 212750, "e14": 126500, "e15": 0, "e16": 114000, "e19": 108500,
       "e20": 54722, "e21": 226200, "e22": 0, "e23": 180960, "e25": 0}

SAY = """
CREATE FUNCTION pg_temp.say(of_kind int, by_person text, of_what text, about text, n bigint, ref bigint) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO hf.ledger (campaign, no, ob, seq, h, prev_h, bc, sig, header, body, verdict, kind, person, what, subject, count,
        ref_ob, ref_seq, ruling, log_epoch, log_no, opseq, campaign_at, wall_at)
    SELECT 'c2', x.no, decode(repeat('02', 16), 'hex'), x.no, sha256(int8send(x.no)), sha256(''), '', '', '', '', 0, of_kind, by_person,
        of_what, about, n, CASE WHEN ref IS NOT NULL THEN decode(repeat('02', 16), 'hex') END, ref,
        CASE WHEN ref IS NOT NULL THEN 'give' END, 1, x.no, x.no, {at}, {at}
    FROM (SELECT coalesce(max(no), 0) + 1 AS no FROM hf.ledger WHERE campaign = 'c2') x RETURNING no $$;
"""


def make(stack):
    """Campaign c2; everything in it was said on Monday morning."""
    sql = [SAY.format(at=MONDAY), "INSERT INTO hf.campaign (campaign, ledger_no) VALUES ('c2', 0);"]
    for person, roles, team, registered, admitted, withdrew, called, slack, wrong, percent in PEOPLE:
        sql.append(f"INSERT INTO hf.person VALUES ('c2', '{person}', {roles}, '{team}', true, NULL, true, 1, 1);")
        sql.append(
            "INSERT INTO hf.case_state (campaign, case_ref, version, owner, lane, due, token, given, flags, held, law_at, why, "
            f"created_at, changed_at, log_epoch, log_no) SELECT 'c2', decode(md5('{person}' || i), 'hex'), 1, '{person}', CASE WHEN "
            f"i <= {registered} OR i > {admitted} THEN 'terminal' ELSE 'resting' END, 0, 0, 0, '', false, '', CASE WHEN i <= "
            f"{registered} THEN 'registered' ELSE 'confirmed' END, 0, {MONDAY}, 1, 1 FROM generate_series(1, {admitted + withdrew}) i;")
        sql.append(
            "INSERT INTO hf.ledger (campaign, no, ob, seq, h, prev_h, bc, sig, header, body, verdict, kind, person, case_ref, outcome, "
            "spoke, seconds, log_epoch, log_no, opseq, campaign_at, wall_at) SELECT 'c2', x.no + i, decode(repeat('02', 16), 'hex'), "
            f"x.no + i, sha256(int8send(x.no + i)), sha256(''), '', '', '', '', 0, 1, '{person}', decode(md5('{person}' || i), 'hex'), "
            f"CASE WHEN i > {admitted} THEN 'withdrawn' ELSE 'confirmed' END, 'self', 90, 1, x.no + i, x.no + i, {MONDAY}, {MONDAY} FROM "
            f"generate_series(1, {called}) i, (SELECT coalesce(max(no), 0) AS no FROM hf.ledger WHERE campaign = 'c2') x;")
        for what, n in (("slack", slack), ("wrong-withdrawal", wrong), ("deduction", percent)):
            if n:
                sql.append(f"SELECT pg_temp.say(31, 'h01', NULL, NULL, NULL, pg_temp.say(6, 's01', '{what}', '{person}', {n}, NULL));")
    sql.append("UPDATE hf.campaign SET ledger_no = (SELECT max(no) FROM hf.ledger WHERE campaign = 'c2') WHERE campaign = 'c2'")
    stack.sql("\n".join(sql))
    stack.redis.sadd("hf:campaigns", "c2")


def cells(path):
    """One line a cell: where, what stands there, what a spreadsheet shows without computing, and how; then widths and pages."""
    book, cached = openpyxl.load_workbook(path), openpyxl.load_workbook(path, data_only=True)
    out = []
    for page in book:
        out.append(f"{page.title} | {page.dimensions} | frozen {page.freeze_panes} | {page.page_setup.orientation} paper "
                   f"{page.page_setup.paperSize} | repeats {page.print_title_rows} | breaks {[b.id for b in page.row_breaks.brk]}")
        out.append(" ".join(f"{k}={d.width:g}" for k, d in sorted(page.column_dimensions.items())))
        for row in page.iter_rows():
            for c in row:
                if c.value is not None:
                    bold = " bold" if c.font.b else ""
                    shown = cached[page.title][c.coordinate].value
                    out.append(f"{page.title}!{c.coordinate} | {c.value!r} | {shown!r} | {c.number_format}{bold}")
    return out


def hold(path, name):
    """The first cell that is not as it was, or None."""
    golden = ROOT / "tests" / "golden" / name
    have = cells(path)
    if os.environ.get("HF_WRITE_GOLDEN"):
        golden.write_text("\n".join(have) + "\n", encoding="utf-8")
    want = golden.read_text(encoding="utf-8").splitlines()
    for w, h in zip(want, have):
        if w != h:
            return w, h
    return None if len(want) == len(have) else (len(want), len(have))
