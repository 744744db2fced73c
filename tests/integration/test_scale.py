"""Ten thousand cases with sixty thousand contacts: a night counts them as plain SQL does, once and as they grow. How long it
takes is for tests/long/scale and make bench."""
import json
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))

from fill import DAY, Filled, ref  # noqa: E402
from stack import BIN, wait_for  # noqa: E402

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
    return [f for f in out["findings"] if f["level"] == "difference"], out


def test_a_night_of_ten_thousand_counts_as_plain_sql(full):
    found, out = night(full)
    assert found == [] and out["imported"] == CASES and out["kept"], found
    assert full.sql(KEPT) == full.sql(PLAIN)
    assert full.sql(LAST) == [["0"]]
    assert full.sql("SELECT count(*) FROM hf.night_pay") == [[str(full.persons)]]


def test_what_comes_after_the_fold_is_in_the_figures_at_once(full):
    before = int(full.sql("SELECT sum(attempts) FROM hf.v_figure")[0][0])
    full.say_more(500)
    assert int(full.sql("SELECT sum(attempts) FROM hf.v_figure")[0][0]) == before + 500
    assert full.sql(LAST) == [["0"]]
    assert full.sql("SELECT ledger_no FROM hf.case_counted") != full.sql("SELECT ledger_no FROM hf.campaign")
    assert full.sql("SELECT campaign_at FROM hf.v_pay_moved") == full.sql(
        "SELECT max(a) FROM (SELECT min(campaign_at) AS a FROM hf.ledger WHERE kind = 1 GROUP BY case_ref) x")
    found, _ = night(full)
    assert found == []
    assert full.sql("SELECT ledger_no FROM hf.case_counted") == full.sql("SELECT ledger_no FROM hf.campaign")
    assert full.sql("SELECT sum(attempts), sum(contacts), sum(seconds) FROM hf.v_figure") == full.sql(PLAIN)


def test_a_later_run_looks_at_what_is_new_until_something_is_wrong(full):
    cases = [ref(i) for i in range(6, 11)]
    found, out = night(full)
    assert found == [] and (out["whole"], out["moved"]) == (False, 0)
    full.move(6, 9)
    found, out = night(full)
    assert found == [] and (out["whole"], out["moved"]) == (False, 3)
    full.move(9, 10, in_redis=False)
    full.redis.zrem("hf:{c1}:lane:pool", cases[0])  # not among what moved
    found, out = night(full, 1)
    assert sorted((f["kind"], f["case"]) for f in found) == [("adds-up", None), ("redis-pg", cases[3].hex())]
    assert (out["whole"], out["moved"]) == (False, 1)
    full.move(9, 10)
    full.psql(f"UPDATE hf.case_state SET version = version - 1 WHERE case_ref = '\\x{cases[3].hex()}'")
    found, out = night(full, 1)  # after a difference everything is looked at
    assert out["whole"] and sorted((f["kind"], f["case"]) for f in found) == [
        ("adds-up", None), ("place-nowhere", cases[0].hex())]
    full.redis.zadd("hf:{c1}:lane:pool", {cases[0]: full.now + DAY})
    found, out = night(full)
    assert found == [] and out["whole"]
    full.move(10, 11)
    full.redis.zrem("hf:{c1}:lane:pool", cases[4])
    full.redis.zadd("hf:{c1}:lane:resting", {cases[4]: full.now})
    found, out = night(full, 1)
    assert [(f["kind"], f["case"]) for f in found] == [("place-nowhere", cases[4].hex())] and out["moved"] == 1
    full.redis.zrem("hf:{c1}:lane:resting", cases[4])
    full.redis.zadd("hf:{c1}:lane:pool", {cases[4]: full.now + DAY})
    assert night(full)[1]["whole"] and not night(full)[1]["whole"]
    r = full.ctl("--json", "reconcile", "run", "--whole")
    assert json.loads(r.stdout)["whole"]


def test_a_fold_that_differs_from_the_ledger_is_told_and_made_anew(full):
    full.psql("UPDATE hf.case_count SET contacts = contacts + 1 WHERE case_ref IN (SELECT case_ref FROM hf.case_count ORDER BY 1 LIMIT 3);"
              "DELETE FROM hf.case_count WHERE case_ref = (SELECT case_ref FROM hf.case_count ORDER BY 1 DESC LIMIT 1)")
    assert night(full)[0] == [], "in the same night only what is new is counted"
    full.next_day()
    found, _ = night(full)
    assert [(f["kind"], f["here"], f["mended"]) for f in found] == [("counts", "4", True)]
    assert night(full)[0] == []
    assert full.sql("SELECT sum(attempts), sum(contacts), sum(seconds) FROM hf.v_figure") == full.sql(PLAIN)


def test_a_run_that_is_killed_leaves_nothing_and_the_next_one_is_whole(full):
    full.next_day()
    before = full.sql("SELECT (SELECT count(*) FROM hf.check_run), (SELECT count(*) FROM hf.night)")
    guard = subprocess.Popen(["psql", "-qAt", "-h", full.dir, "-U", "huifang", "-d", "huifang"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    guard.stdin.write("BEGIN; LOCK TABLE hf.night_rate IN EXCLUSIVE MODE; SELECT 'locked';\n")
    guard.stdin.flush()
    assert guard.stdout.readline() == "locked\n"
    run = subprocess.Popen([BIN / "hf-reconcile", "night"], env=full.env(), stdout=subprocess.DEVNULL)
    wait_for("it has written its run and its night and waits for the rates", lambda: full.sql(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO hf.night_rate%'"), 60)
    run.kill()
    run.wait(60)
    guard.stdin.close()
    guard.wait(60)
    wait_for("its connection is gone", lambda: not full.sql(
        "SELECT 1 FROM pg_stat_activity WHERE usename = 'hf_reconcile'"), 60)
    assert full.sql("SELECT (SELECT count(*) FROM hf.check_run), (SELECT count(*) FROM hf.night)") == before
    found, out = night(full)
    assert found == [] and out["kept"]
    assert full.sql(KEPT) == full.sql(PLAIN)


def test_nights_over_a_leap_day_are_made_up_for(full):
    """One night missed, and two, the 29th of February among them."""
    with Filled(400, monday=1835053200000) as s:  # 2028-02-25 09:00; it stands at ten days later
        def at(day):
            s.set_clock(1835053200000 + day * DAY)
            return night(s)[1]
        assert at(2)["night"] == "2028-02-27"
        assert (at(4)["late"], s.sql("SELECT max(night) FROM hf.night")) == (["2028-02-28"], [["2028-02-29"]])
        assert at(7)["late"] == ["2028-03-01", "2028-03-02"]
        assert [r[0] for r in s.sql("SELECT night FROM hf.night ORDER BY 1")] == [
            "2028-02-27", "2028-02-28", "2028-02-29", "2028-03-01", "2028-03-02", "2028-03-03"]
