"""Ten thousand cases with sixty thousand contacts: a night counts them as plain SQL does, once and as they grow. How long it
takes is for tests/long/scale and make bench."""
import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))

from fill import Filled  # noqa: E402

CASES = 10_000
PLAIN = """SELECT count(*), count(*) FILTER (WHERE spoke = 'self'), sum(seconds) FROM hf.ledger WHERE campaign = 'c1' AND kind = 1"""
KEPT = """SELECT attempts, contacts, seconds FROM hf.night_rate WHERE scope = 'campaign' ORDER BY night DESC LIMIT 1"""
LAST = """SELECT count(*) FROM hf.v_figure f WHERE f.last_outcome IS DISTINCT FROM (SELECT l.outcome FROM hf.ledger l
    WHERE l.campaign = f.campaign AND l.case_ref = f.case_ref AND l.outcome IS NOT NULL ORDER BY l.no DESC LIMIT 1)"""


@pytest.fixture(scope="module")
def full():
    with Filled(CASES) as s:
        yield s


def night(s, code=0):
    r = s.ctl("--json", "reconcile", "run", check=False)
    assert r.returncode == code, (r.returncode, r.stdout, r.stderr)
    out = json.loads(r.stdout)
    return [f for f in out["findings"] if f["kind"] != "archive-behind"], out


def say_more(s, cases):
    """A contact each, with a withdrawal the last word of case 6; the ledger without a gap."""
    s.psql(f"""INSERT INTO hf.ledger (campaign, no, ob, seq, h, prev_h, bc, sig, header, body, verdict, kind, person, case_ref,
            token, outcome, channel, seconds, spoke, log_epoch, log_no, opseq, campaign_at, wall_at)
        SELECT e.campaign, k.ledger_no + row_number() OVER (), decode(md5('ob new'), 'hex'), row_number() OVER (), e.h, e.prev_h,
            e.bc, e.sig, e.header, e.body, 0, 1, e.person, e.case_ref, e.token, 'confirmed', 'phone', 100, 'self', 1,
            k.ledger_no + 2 * {CASES} + row_number() OVER (), 1, {s.now}, {s.now}
        FROM hf.campaign k JOIN hf.ledger e USING (campaign) WHERE e.no BETWEEN 2 AND 1 + {cases};
        INSERT INTO hf.outbox (campaign, ob, recorded_upto) VALUES ('c1', decode(md5('ob new'), 'hex'), {cases});
        UPDATE hf.campaign SET ledger_no = ledger_no + {cases}""")


def test_a_night_of_ten_thousand_counts_as_plain_sql(full):
    found, out = night(full)
    assert found == [] and out["imported"] == CASES and out["kept"], found
    assert full.sql(KEPT) == full.sql(PLAIN)
    assert full.sql(LAST) == [["0"]]
    assert full.sql("SELECT count(*) FROM hf.night_pay") == [[str(full.persons)]]


def test_what_comes_after_the_fold_is_in_the_figures_at_once(full):
    before = int(full.sql("SELECT sum(attempts) FROM hf.v_figure")[0][0])
    say_more(full, 500)
    assert int(full.sql("SELECT sum(attempts) FROM hf.v_figure")[0][0]) == before + 500
    assert full.sql(LAST) == [["0"]]
    assert full.sql("SELECT ledger_no FROM hf.case_counted") != full.sql("SELECT ledger_no FROM hf.campaign")
    assert full.sql("SELECT campaign_at FROM hf.v_pay_moved") == full.sql(
        "SELECT max(a) FROM (SELECT min(campaign_at) AS a FROM hf.ledger WHERE kind = 1 GROUP BY case_ref) x")
    found, _ = night(full)
    assert found == []
    assert full.sql("SELECT ledger_no FROM hf.case_counted") == full.sql("SELECT ledger_no FROM hf.campaign")
    assert full.sql("SELECT sum(attempts), sum(contacts), sum(seconds) FROM hf.v_figure") == full.sql(PLAIN)


def test_a_fold_that_differs_from_the_ledger_is_told_and_made_anew(full):
    full.psql("UPDATE hf.case_count SET contacts = contacts + 1 WHERE case_ref IN (SELECT case_ref FROM hf.case_count ORDER BY 1 LIMIT 3);"
              "DELETE FROM hf.case_count WHERE case_ref = (SELECT case_ref FROM hf.case_count ORDER BY 1 DESC LIMIT 1)")
    found, _ = night(full)
    assert [(f["kind"], f["here"], f["mended"]) for f in found] == [("counts", "4", True)]
    assert night(full)[0] == []
    assert full.sql("SELECT sum(attempts), sum(contacts), sum(seconds) FROM hf.v_figure") == full.sql(PLAIN)
