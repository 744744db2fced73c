"""The nightly run: what it finds, what it mends, what it keeps; twice, at once, and after nights without power."""
import json
import subprocess

import pytest

from night_rig import DAY, HOUR, MONDAY, Night
from stack import BIN, wait_for


@pytest.fixture(scope="module")
def stack():
    with Night() as s:
        for person, outcome in (("p02", "confirmed"), ("p02", "considering"), ("p03", "no-answer"), ("p03", "confirmed")):
            s.call(person, outcome)
        s.settle()
        yield s


def found(out, kind):
    return [f for f in out["findings"] if f["kind"] == kind]


def test_a_quiet_night_is_kept_once(stack):
    out = stack.run()
    assert out["findings"] == [] and out["kept"] and out["late"] == [] and out["night"] == "2026-03-09", out
    assert out["imported"] == 24 and out["adds_up"] and out["behind"] == 0
    rates = stack.sql("SELECT who, attempts, confirmed FROM hf.night_rate WHERE scope = 'caller' ORDER BY who")
    assert rates == [["", "0", "0"], ["p02", "2", "1"], ["p03", "2", "1"]]
    assert stack.sql("SELECT count(*) FROM hf.night_pay") == [["3"]]
    again = stack.run()
    assert not again["kept"] and again["run"] == out["run"] + 1
    assert stack.sql("SELECT count(*), sum(records) - max(ledger_no) FROM hf.night") == [["1", "0"]]


def test_what_was_kept_never_changes(stack):
    for table in ("night", "night_rate", "night_pay", "check_run", "check_found"):
        for verb in (f"UPDATE hf.{table} SET campaign = campaign", f"DELETE FROM hf.{table}", f"TRUNCATE hf.{table} CASCADE"):
            with pytest.raises(subprocess.CalledProcessError) as e:
                stack.sql(f"INSERT INTO hf.check_found SELECT 'c1', 1, 999, 'notice', 'x', NULL, NULL, NULL, false; {verb}")
            assert "append-only" in e.value.stderr, (table, verb, e.value.stderr)


def test_two_hosts_at_once_make_one_night(stack):
    stack.at(MONDAY + HOUR + DAY)
    before = int(stack.sql("SELECT max(run) FROM hf.check_run")[0][0])
    both = [subprocess.Popen([BIN / "hfctl", "--json", "reconcile", "run"], env=stack.env(), stdout=subprocess.PIPE,
                             text=True) for _ in range(3)]
    outs = [json.loads(p.communicate(timeout=60)[0]) for p in both]
    assert [p.returncode for p in both] == [0, 0, 0]
    assert sorted(o["kept"] for o in outs) == [False, False, True]
    assert sorted(o["run"] for o in outs) == [before + 1, before + 2, before + 3]
    assert stack.sql("SELECT count(*) FROM hf.night WHERE night = '2026-03-10'") == [["1"]]
    assert stack.sql("SELECT count(*) FROM hf.night_rate WHERE night = '2026-03-10' AND scope = 'campaign'") == [["1"]]


def test_missed_nights_are_made_up_for_from_the_ledger(stack):
    stack.call("p02", "confirmed")
    stack.settle()
    stack.at(MONDAY + HOUR + 4 * DAY)
    stack.call("p03", "confirmed")
    stack.settle()
    out = stack.run()
    assert out["late"] == ["2026-03-11", "2026-03-12"] and out["night"] == "2026-03-13" and out["kept"]
    rows = stack.sql("SELECT n.night, n.late, n.records, r.attempts FROM hf.night n JOIN hf.night_rate r USING (campaign, "
                     "night) WHERE scope = 'campaign' ORDER BY night")
    assert [r[0] for r in rows] == ["2026-03-09", "2026-03-10", "2026-03-11", "2026-03-12", "2026-03-13"]
    assert [r[1] for r in rows] == ["f", "f", "t", "t", "f"]
    assert [r[3] for r in rows] == ["4", "4", "5", "5", "6"]  # one call on the 10th after the run, one on the 13th
    records = [int(r[2]) for r in rows]
    assert records[2] >= 1 and records[4] >= 1  # the router says records of its own, too
    assert str(sum(records)) == stack.sql("SELECT ledger_no FROM hf.campaign")[0][0]
    assert stack.sql("SELECT DISTINCT night FROM hf.night_pay ORDER BY 1") == [["2026-03-09"], ["2026-03-10"],
                                                                               ["2026-03-13"]]
    assert stack.run()["late"] == []


def test_a_spoilt_row_is_mended_with_a_record(stack):
    case, lane = stack.sql("SELECT encode(case_ref, 'hex'), lane FROM hf.case_state WHERE owner = 'p02' LIMIT 1")[0]
    stack.sql(f"UPDATE hf.case_state SET owner = 'p03', lane = 'pool' WHERE case_ref = '\\x{case}'")
    out = stack.run()
    assert [(f["case"], f["mended"]) for f in found(out, "redis-pg")] == [(case, True)]
    assert stack.sql(f"SELECT owner, lane FROM hf.case_state WHERE case_ref = '\\x{case}'") == [["p02", lane]]
    assert stack.sql("SELECT before->>'owner', after->>'owner' FROM hf.mend") == [["p03", "p02"]]
    assert stack.sql("SELECT count(*) FROM hf.v_problem") == [["0"]]
    assert stack.run()["findings"] == []


def test_a_ledger_ahead_of_the_queue_is_not_mended(stack):
    case = stack.sql("SELECT encode(case_ref, 'hex') FROM hf.case_state WHERE owner = 'p02' LIMIT 1")[0][0]
    stack.sql(f"UPDATE hf.case_state SET version = version + 1 WHERE case_ref = '\\x{case}'")
    out = stack.run(code=1)
    assert [(f["case"], f["mended"]) for f in found(out, "redis-pg")] == [(case, False)]
    assert stack.sql("SELECT what, why FROM hf.v_problem") == [["night", "difference redis-pg"]]
    said = stack.ctl("reconcile", "run", check=False).stdout
    assert "队列与账本的个案状态不一致 " + case in said and "1 处不一致没有修正" in said
    stack.sql(f"UPDATE hf.case_state SET version = version - 1 WHERE case_ref = '\\x{case}'")
    assert stack.run()["findings"] == []
    assert stack.sql("SELECT count(*) FROM hf.v_problem") == [["0"]]


def test_a_case_in_no_place_or_two_is_named(stack):
    pool = "hf:{c1}:lane:pool"
    case = stack.redis.zrange(pool, 0, 0)[0]
    due = stack.redis.zscore(pool, case)
    stack.redis.zrem(pool, case)
    out = stack.run(code=1)
    assert [f["case"] for f in found(out, "place-nowhere")] == [case.hex()] and found(out, "adds-up")
    stack.redis.zadd("hf:{c1}:lane:resting", {case: due})
    assert [f["here"] for f in found(stack.run(code=1), "place-other")] == ["resting"]
    stack.redis.zadd(pool, {case: due})
    out = stack.run(code=1)
    assert [f["case"] for f in found(out, "place-twice")] == [case.hex()]
    stack.redis.zrem("hf:{c1}:lane:resting", case)
    assert stack.run()["findings"] == []


def test_one_fen_of_pay_stops_the_night_pay(stack):
    stack.at(MONDAY + HOUR + 5 * DAY)
    body = "\n".join("\t".join(x) for x in stack.sql("SELECT pg_get_functiondef('hf.pay_cut'::regproc)"))
    stack.sql("CREATE OR REPLACE FUNCTION hf.pay_cut(fen bigint, halved boolean, deduction bigint, q18 text) RETURNS "
              "bigint LANGUAGE sql IMMUTABLE AS 'SELECT fen + 1'")
    try:
        out = stack.run(code=1)
    finally:
        stack.sql(body)
    assert len(found(out, "pay")) >= 3 and out["kept"]
    assert stack.sql("SELECT count(*) FROM hf.night_pay WHERE night = '2026-03-14'") == [["0"]]
    assert stack.run()["findings"] == []  # mended by people: the next run keeps the pay of that night
    assert stack.sql("SELECT count(*) FROM hf.night_pay WHERE night = '2026-03-14'") == [["3"]]


def test_who_waits_too_long_is_a_notice(stack):
    case = stack.call("p03", "needs-help").hex()
    wait_for("the leader has it", lambda: stack.sql(
        f"SELECT 1 FROM hf.case_state WHERE case_ref = '\\x{case}' AND lane LIKE 'team:%'"), 30)
    stack.kill("hf-router")
    stack.at(stack.now + 25 * HOUR)
    out = stack.run()  # a notice is no difference
    assert [(f["case"], f["there"]) for f in found(out, "leader-late")] == [(case, "1440")]
    assert ["night", "notice leader-late"] in stack.sql("SELECT what, why FROM hf.v_problem")
    stack.daemon("hf-router")
    wait_for("the router took it on", lambda: not found(stack.run(), "leader-late"), 60)


def test_the_archive_is_held_against_the_ledger(stack):
    for _ in range(18):  # fills a segment
        r = stack.fcall("hf1_broker", stack.agent.say(body=bytes(60000), person="p02"), now=stack.now)[0]
        assert r[0] == b"ok", r
    stack.settle()
    folder = stack.dir / "archive" / "records" / "c1"
    wait_for("a segment", lambda: list(folder.glob("*.seg")), 60)
    out = stack.run()
    assert out["archive"]["segments"] >= 1 and out["archive"]["records"] > 10, out["archive"]
    rows = ("ob = '\\x%s' AND seq = 1" % stack.agent.ob.hex())
    off = "ALTER TABLE hf.ledger DISABLE TRIGGER append_only; %s; ALTER TABLE hf.ledger ENABLE ALWAYS TRIGGER append_only"
    stack.sql(off % f"UPDATE hf.ledger SET h = set_byte(h, 0, get_byte(h, 0) # 1) WHERE {rows}")
    assert [f["here"] for f in found(stack.run(code=1), "ledger-archive")] == [stack.agent.ob.hex() + " 1"]
    stack.sql(off % f"UPDATE hf.ledger SET h = set_byte(h, 0, get_byte(h, 0) # 1) WHERE {rows}")
    stack.sql(off % f"CREATE TABLE kept AS SELECT * FROM hf.ledger WHERE {rows}; DELETE FROM hf.ledger WHERE {rows}")
    out = stack.run(code=1)
    assert [f["there"] for f in found(out, "archive-only")] == [stack.agent.ob.hex() + " 1"]
    assert found(out, "ledger-gap") and found(out, "outbox-gap")
    stack.sql("INSERT INTO hf.ledger SELECT * FROM kept")
    segment = sorted(folder.glob("*.seg"))[0]
    whole = segment.read_bytes()
    segment.write_bytes(whole[:500] + bytes([whole[500] ^ 1]) + whole[501:])
    assert found(stack.run(code=1), "archive-altered")
    newest = sorted(folder.glob("*.seg"))[-1]
    stack.sql(off % "UPDATE hf.ledger SET wall_at = wall_at - 660000")
    newest.rename(folder / "kept")
    behind = stack.run(code=None)
    (folder / "kept").rename(newest)
    stack.sql(off % "UPDATE hf.ledger SET wall_at = wall_at + 660000")
    assert [(f["level"], int(f["here"]) >= 11, f["there"]) for f in found(behind, "archive-behind")] == [
        ("notice", True, "10")]
    segment.write_bytes(whole[:-100])
    assert found(stack.run(code=1), "archive-unreadable")
    segment.write_bytes(whole)
    assert stack.run()["findings"] == []


def test_the_list_and_the_page(stack):
    rows = json.loads(stack.ctl("--json", "reconcile", "list").stdout)
    assert rows[0]["run"] == int(stack.sql("SELECT max(run) FROM hf.check_run")[0][0])
    assert {"night", "ended", "ledger_no", "differences", "notices", "mended"} <= set(rows[0])
    assert "2026-03-14" in stack.ctl("reconcile", "list").stdout


def test_a_kept_night_is_shown_as_it_was(stack):
    kept = json.loads(stack.ctl("--json", "reconcile", "show", "2026-03-09").stdout)
    assert (kept["late"], kept["records"]) == (False, kept["ledger_no"])
    assert {r["who"]: r["attempts"] for r in kept["rates"] if r["scope"] == "caller"} == {"": 0, "p02": 2, "p03": 2}
    assert [r["pay"] for r in kept["pay"]] == ["0.00"] * 3
    late = json.loads(stack.ctl("--json", "reconcile", "show", "2026-03-11").stdout)
    assert late["late"] and late["pay"] == [] and late["rates"]
    assert "补贴 p02" in stack.ctl("reconcile", "show", "2026-03-09").stdout
    assert stack.ctl("reconcile", "show", "2025-01-01", check=False).returncode == 66
    assert stack.ctl("reconcile", "show", "lately", check=False).returncode == 64
