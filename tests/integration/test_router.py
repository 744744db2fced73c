"""hf-router over a real Redis: cases are created, released, placed, moved by time; kills and rivals lose nothing."""
import hashlib
import json
import signal
import subprocess

import pytest

import hfp
from router_rig import DAY, HOUR, MINUTE, MONDAY, Rig, at, be64
from stack import BIN, ROOT, wait_for


@pytest.fixture()
def rig():
    with Rig() as r:
        r.start()
        r.ready()
        yield r


def worked(rig, persons=("ann",), n=3, **more):
    for p in persons:
        rig.person(p)
    rig.person("lea", "leader")
    cases = rig.roster(n, **more)
    rig.say("STAGE", fields={"n": 2, "open": 1})
    rig.say("PASS", fields={"n": 1, "open": 1, "until": at("20 21:00")})
    rig.say("RELEASE", fields={"count": 0, "seed": 7})
    wait_for("released", lambda: rig.lane_size("unreleased") == 0)
    rig.clock(MONDAY)
    return cases


def pull(rig, person):
    got = wait_for("a case to pull", lambda: isinstance(r := rig.next(person), tuple) and r)
    return got


def test_a_seed_gives_the_order(rig):
    cases = rig.roster(40)
    rig.say("RELEASE", fields={"count": 25, "seed": 42})
    wait_for("25 released", lambda: rig.lane_size("pool") == 25 and rig.lane_size("unreleased") == 15)
    want = sorted(cases, key=lambda c: hashlib.blake2b(be64(42) + c, digest_size=32).digest())[:25]
    assert rig.redis.zrange(rig.key("lane:pool"), 0, -1) == want
    assert rig.counted() == 40


def test_a_wrong_count_imports_nothing(rig):
    rows = rig.rows(5)
    import_id = rig.send_rows(rows)
    rig.say("COMMIT", fields={"import": import_id, "rows": 6})
    assert len(rig.roster(2)) == 2
    assert rig.redis.hlen(rig.key("cases")) == 2
    assert "import.refused" in rig.log("hf-router")


def test_a_reporter_has_the_first_call(rig):
    rig.clock(MONDAY)
    rig.person("rita")
    rig.person("olga", "operator")
    mine = rig.roster(2, reporter="rita")
    others = rig.roster(2, reporter="olga")
    rig.say("RELEASE", fields={"count": 0})
    for c in mine:
        rig.placed(c, "own:rita:first", why="reserved")
    for c in others:
        rig.placed(c, "pool", why="released")
    rig.clock(at("2 14:00"))  # four calling hours: the leader's board; the case stays
    rig.clock(at("2 18:00"))  # eight: the pool
    for c in mine:
        rig.placed(c, "pool", why="reserve-passed")
    assert {h["fields"]["what"] for _, h in rig.records("TIMER")} >= {"reserve-passed"}


def test_read_as_random_only_a_report_reserves_nothing_and_the_dry_run_says_whose(rig):
    rig.clock(MONDAY)
    rig.person("rita")
    mine = rig.roster(2, reporter="rita")
    rig.roster(1)
    text = (ROOT / "deploy/policy/default.policy").read_text().replace("policy | 1 |", "policy | 2 |").replace(
        "reported-then-random", "random-only")
    (rig.dir / "mine.policy").write_text(text)
    out = subprocess.run([BIN / "hf-router", "--campaign=c1", "--try-policy", rig.dir / "mine.policy"], env=rig.env(),
                         capture_output=True, text=True, check=True, timeout=60).stdout
    assert "person\trita\t2\n" in out and "cases\t2\t2\n" in out
    rig.policy(2, text)
    wait_for("it holds", lambda: b"random-only" in (rig.redis.hget(rig.key("router"), "policy") or b""))
    rig.say("RELEASE", fields={"count": 0})
    for c in mine:
        rig.placed(c, "pool", why="released")


def test_a_record_is_placed_as_the_table_says(rig):
    worked(rig)
    lease = pull(rig, "ann")
    rig.attempt("ann", lease)
    rig.placed(lease[0], "own:ann:retry", at("2 11:00"), "retry")
    assert rig.state(lease[0])["owner"] == "ann"
    lease = pull(rig, "ann")
    rig.attempt("ann", lease, "call-later", next_at=at("2 10:00"))
    rig.placed(lease[0], "own:ann:promise", at("2 10:00"), "agreed-time")
    # the promise comes before what is left in the pool
    rig.clock(at("2 10:00"))
    assert rig.next("ann")[0] == lease[0]


def test_the_other_numbers_of_a_task_come_first(rig):
    worked(rig, n=1, numbers=2)
    lease = pull(rig, "ann")
    rig.attempt("ann", lease)
    rig.placed(lease[0], "own:ann:promise", MONDAY, "other-number")
    lease = pull(rig, "ann")
    rig.attempt("ann", lease, number=rig.number(lease[0], 1))
    rig.placed(lease[0], "own:ann:retry", at("2 11:00"), "retry")


def test_time_alone_brings_a_hand_up_to_the_strike_team(rig):
    worked(rig)
    lease = pull(rig, "ann")
    rig.attempt("ann", lease, "needs-help")
    rig.placed(lease[0], "team:t1", MONDAY, "hand-up")
    rig.clock(at("2 10:00"))
    rig.placed(lease[0], "team:t1:hot")
    rig.clock(at("2 11:00"))
    rig.placed(lease[0], "strike", at("2 11:00"), "leader-silent")
    # each step is a signed link of the router's own chain
    timers = rig.records("TIMER")
    assert [h["fields"]["what"] for _, h in timers] == ["deadline", "leader-silent"]
    prev, seq = bytes(32), 0
    for f, h in timers:
        seq += 1
        assert (f["seq"], f["prev_h"], h["person"]) == (seq, prev, "router")
        assert f["h"] == hfp.chain(prev, f["ob"], seq, f["header"], f["bc"])
        assert hfp.verified(rig.router.sign_pk, f["h"], f["sig"])
        prev = f["h"]


def test_a_held_case_is_left_in_its_hands(rig):
    worked(rig)
    lease = pull(rig, "ann")
    rig.attempt("ann", lease, "call-later", next_at=at("2 10:00"))
    rig.placed(lease[0], "own:ann:promise")
    rig.clock(at("2 10:00"))
    again = rig.next("ann")
    assert again[0] == lease[0]
    rig.clock(at("2 11:00"))  # an hour late, but she is talking
    rig.say("PERSON", fields={"subject": "zoe"})
    wait_for("the router went on", lambda: rig.redis.hexists(rig.key("persons"), "zoe"))
    assert "h" in rig.state(lease[0])["flags"]
    rig.attempt("ann", again, "considering")
    rig.placed(lease[0], "own:ann:retry", at("2 16:00"), "talk-again")
    assert rig.records("TIMER") == []


def test_a_lease_that_ends_without_a_record_is_looked_at(rig):
    worked(rig)
    lease = pull(rig, "ann")
    rig.attempt("ann", lease, "call-later", next_at=at("2 10:00"))
    rig.placed(lease[0], "own:ann:promise")
    rig.clock(at("2 10:00"))
    case, token = rig.next("ann")
    rig.clock(at("2 11:00"))
    rig.call("hf1_broker", ("giveback", rig.office.ob, case, "%016x" % token, "class"))
    rig.placed(case, "team:t1", at("2 11:00"), "late-promise")


def test_the_gate_follows_the_hours(rig):
    worked(rig)
    gate = lambda: int(rig.redis.hget(rig.key("meta"), "gate"))  # noqa: E731
    wait_for("open", lambda: gate() == 0)
    rig.clock(at("2 13:00"))
    wait_for("quiet", lambda: gate() == at("2 14:00"))
    assert rig.next("ann") == "closed-until"
    rig.clock(at("2 14:00"))
    wait_for("open again", lambda: gate() == 0)
    rig.clock(at("2 21:00"))  # only what was asked for at this hour
    wait_for("few lanes", lambda: rig.redis.hget(rig.key("offer"), "ann") == b"5 own:ann:asked")
    assert gate() == 0 and rig.next("ann") == "empty"
    rig.clock(at("2 21:30"))
    wait_for("night", lambda: gate() == at("3 08:30"))
    rig.clock(at("3 08:30"))
    wait_for("morning", lambda: gate() == 0 and b"pool" in rig.redis.hget(rig.key("offer"), "ann"))
    rig.say("PASS", fields={"n": 1, "open": 0})
    wait_for("between two passes", lambda: gate() > at("30 00:00"))


def test_persons_come_and_go(rig):
    worked(rig)
    lease = pull(rig, "ann")
    rig.attempt("ann", lease)
    rig.placed(lease[0], "own:ann:retry")
    rig.say("REVOKE", fields={"subject": "ann", "reason": "left"})
    rig.placed(lease[0], "team:t1", why="owner-away")
    assert rig.redis.hget(rig.key("persons"), "ann").endswith(b" 0")
    assert rig.redis.hget(rig.key("offer"), "ann") == b"5"
    rig.say("HANDOVER", "lea", {"to": "lea", "reason": "left", "credit": 0}, case=lease[0])
    rig.placed(lease[0], "own:lea:promise", why="moved")
    assert rig.state(lease[0])["owner"] == "ann"  # the work, not the credit


def test_credit_takes_two_persons(rig):
    worked(rig, ("ann", "bob"))
    lease = pull(rig, "ann")
    rig.attempt("ann", lease)
    rig.placed(lease[0], "own:ann:retry")
    rig.say("HANDOVER", "lea", {"to": "bob", "reason": "swap", "credit": 1}, case=lease[0])
    rig.placed(lease[0], "own:bob:retry")
    assert rig.state(lease[0])["owner"] == "ann"
    ob, seq = rig.sent[lease[0]]
    ref = {"ref_ob": ob, "ref_seq": seq, "verdict": "give"}
    rig.say("APPROVAL", "lea", ref, case=lease[0])  # not by the same person
    wait_for("read", lambda: rig.lane(lease[0]) != "triage")
    assert rig.state(lease[0])["owner"] == "ann"
    rig.say("APPROVAL", "admin", ref, case=lease[0])
    wait_for("moved", lambda: rig.state(lease[0])["owner"] == "bob")


def test_late_records_are_adopted_by_name(rig):
    worked(rig, n=1)
    lease = pull(rig, "ann")
    rig.attempt("ann", lease)
    rig.placed(lease[0], "own:ann:retry")
    rig.clock(at("2 11:00"))
    second = rig.next("ann")
    assert second[0] == lease[0]
    assert rig.attempt("ann", lease, "considering") == 1  # LATE: of the lease before
    ob, seq = rig.sent[lease[0]]
    assert rig.attempt("ann", second) == 0
    rig.placed(lease[0], "own:ann:retry", why="other-daypart")
    rig.say("ADOPT", "lea", {"ref_ob": ob, "ref_seq": seq}, case=lease[0])
    rig.placed(lease[0], "own:ann:retry", at("2 16:00"), "talk-again")


def test_a_policy_is_a_record(rig):
    worked(rig)
    text = (rig.dir.__class__(__file__).resolve().parents[2] / "deploy/policy/default.policy").read_text()
    mine = text.replace("other-number, 2h, other-daypart, 1d", "other-number, 3h, other-daypart, 1d")
    assert mine != text
    rig.policy(2, mine)
    rig.policy(3, "hullo")  # refused as a whole
    rig.say("POLICY", fields={"policy": 4}, body=hfp.body(text=text))  # nobody else said yes to it
    rig.say("APPROVAL", "admin", {"ref_ob": rig.office.ob, "ref_seq": rig.office.seq, "verdict": "give"})
    lease = pull(rig, "ann")
    rig.attempt("ann", lease)
    rig.placed(lease[0], "own:ann:retry", at("2 12:00"), "retry")
    # and it is still the policy after a restart
    rig.kill("hf-router")
    rig.start()
    lease = pull(rig, "ann")
    rig.attempt("ann", lease)
    rig.placed(lease[0], "own:ann:retry", at("2 12:00"), "retry")


def test_a_kill_at_any_moment_of_a_release_releases_each_once(rig):
    cases = rig.roster(300)
    rig.say("RELEASE", fields={"count": 170, "seed": 9})
    for _ in range(4):
        rig.kill("hf-router")
        rig.start()
    rig.person("zoe")
    wait_for("the router went on", lambda: rig.redis.hexists(rig.key("persons"), "zoe"))
    wait_for("170", lambda: rig.lane_size("pool") == 170)
    assert rig.lane_size("unreleased") == 130 and rig.counted() == 300
    want = sorted(cases, key=lambda c: hashlib.blake2b(be64(9) + c, digest_size=32).digest())[:170]
    assert rig.redis.zrange(rig.key("lane:pool"), 0, -1) == want


def test_a_kill_between_record_and_place_places_it_afterwards(rig):
    worked(rig, n=6)
    lease = pull(rig, "ann")
    rig.kill("hf-router", signal.SIGKILL)
    rig.attempt("ann", lease, "needs-help")
    assert rig.lane(lease[0]) == "triage"
    rig.start()
    rig.placed(lease[0], "team:t1", MONDAY, "hand-up")
    rig.kill("hf-router")
    rig.clock(at("2 11:30"))
    rig.start()  # what fell due meanwhile
    rig.placed(lease[0], "strike", at("2 11:30"), "leader-silent")


def test_a_router_begun_again_places_nothing_before_it_has_read_all(rig):
    """Redis has the case as its newest record left it; the older one alone would take it out of triage."""
    worked(rig, n=6)
    lease = pull(rig, "ann")
    rig.kill("hf-router", signal.SIGKILL)
    rig.attempt("ann", lease, "needs-help")
    for _ in range(300):  # more than it reads at once
        rig.say("NOTE", person="ann", fields={"what": "read:stage:2:1"})
    rig.attempt("ann", lease, "confirmed")
    assert rig.lane(lease[0]) == "triage"
    end = rig.redis.xlen(rig.key("log"))
    rig.start()
    wait_for("it is placed", lambda: rig.lane(lease[0]) == "resting")
    after = [e for _, e in rig.redis.xrange(rig.key("log"))][end:]
    places = [e for e in after if e[b"e"].split()[0] == b"place" and e[b"c"] == lease[0]]
    assert len(places) == 1, places


def test_nothing_moves_over_a_restart(rig):
    worked(rig, n=10)
    for outcome in ("no-answer", "confirmed", "needs-help", "withdraw-asked"):
        lease = pull(rig, "ann")
        rig.attempt("ann", lease, outcome)
    wait_for("placed", lambda: rig.lane_size("triage") == 0)
    lanes = {c: (rig.state(c)["lane"], rig.state(c)["due"]) for c in rig.case_keys}
    log = rig.redis.xlen(rig.key("log"))
    assert rig.kill("hf-router", signal.SIGTERM) == 0
    rig.start()
    rig.person("zoe")
    wait_for("the router went on", lambda: rig.redis.hexists(rig.key("persons"), "zoe"))
    assert {c: (rig.state(c)["lane"], rig.state(c)["due"]) for c in rig.case_keys} == lanes
    after = [e[b"e"].split()[0] for _, e in rig.redis.xrange(rig.key("log"))][log:]
    assert b"place" not in after, after


def test_redis_may_die_under_it(rig):
    worked(rig, n=4)
    lease = pull(rig, "ann")
    rig.kill("redis")
    rig.spawn("redis", ["redis-server", rig.dir / "redis.conf"])
    wait_for("redis answers", rig._ping)
    rig.attempt("ann", lease, "considering")
    rig.placed(lease[0], "own:ann:retry", at("2 14:00"), "talk-again")


def test_a_second_router_waits_for_the_first(rig):
    worked(rig, n=4)
    rig.start("second")
    wait_for("it stands by", lambda: "another router of this installation" in rig.log("second")
             or "waiting" in rig.log("second") or rig.procs["second"].poll() is None)
    lease = pull(rig, "ann")
    rig.kill("hf-router")
    rig.attempt("ann", lease, "considering")
    rig.placed(lease[0], "own:ann:retry", at("2 14:00"), "talk-again")
    wait_for("it leads", lambda: "event=ready" in rig.log("second"))


def test_a_new_number_is_found_by_its_digits(rig):
    worked(rig, n=1)
    lease = pull(rig, "ann")
    rig.attempt("ann", lease, "empty-number")
    rig.placed(lease[0], "own:ann:retry", why="rung-4")
    digits = "19900009999"
    rig.say("NUMBER", "lea", {"number": hfp.number_id(rig.case_keys[lease[0]], digits), "source": "school"},
            case=lease[0], body=hfp.body(digits=digits))
    rig.placed(lease[0], "own:ann:promise", MONDAY, "new-number")
    index = hfp.index(rig.index_key, "num", digits)
    wait_for("indexed", lambda: rig.redis.sismember(rig.key("num:" + index.hex()), lease[0]))


def test_an_absence_moves_what_cannot_wait(rig):
    worked(rig, ("ann", "bob"), n=2)
    lease = pull(rig, "ann")
    rig.attempt("ann", lease)
    rig.placed(lease[0], "own:ann:retry")
    rig.say("ABSENCE", "lea", {"subject": "ann", "until": at("6 09:00"), "reason": "leave"})
    rig.clock(at("3 08:59"))
    rig.clock(at("3 09:00"))  # one working day
    rig.placed(lease[0], "team:t1", why="owner-away")
    lease = pull(rig, "bob")
    rig.attempt("bob", lease)
    rig.placed(lease[0], "own:bob:retry")
    rig.say("ABSENCE", "lea", {"subject": "bob", "to": "lea", "reason": "leave"})
    rig.placed(lease[0], "own:lea:retry", why="moved")


def test_withdrawal_by_papers_and_two_signatures(rig):
    worked(rig, n=1)
    rig.person("dan", "data", team="")
    lease = pull(rig, "ann")
    rig.attempt("ann", lease, "withdraw-asked")
    rig.placed(lease[0], "own:ann:retry")
    rig.say("PAPER", "ann", {"items": 31, "evidence": [bytes(32)]}, case=lease[0])  # not in one photo
    rig.placed(lease[0], "own:ann:retry", MONDAY + 2 * HOUR, "talk-again")
    rig.say("PAPER", "ann", {"items": 63}, case=lease[0])  # no photo
    rig.placed(lease[0], "own:ann:retry", at("3 09:00"), "talk-again")
    rig.say("PAPER", "ann", {"items": 63, "evidence": [bytes(32)]}, case=lease[0])
    rig.placed(lease[0], "team:t1", why="papers")
    rig.person("bob")
    rig.say("PAPER", "bob", {"items": 63, "what": "signed"}, case=lease[0])  # another caller signs nothing
    rig.placed(lease[0], "team:t1", why="no-signer")
    rig.say("PAPER", "lea", {"items": 63, "what": "signed"}, case=lease[0])
    rig.placed(lease[0], "papers", why="signed-once")
    rig.say("PAPER", "dan", {"items": 62, "what": "signed"}, case=lease[0])
    rig.say("PAPER", "lea", {"items": 63, "what": "signed"}, case=lease[0])
    rig.placed(lease[0], "papers", why="same-signer")
    rig.say("PAPER", "dan", {"items": 63, "what": "signed"}, case=lease[0])
    rig.placed(lease[0], "terminal", why="ended")


def test_who_rings_in_wakes_a_resting_case(rig):
    worked(rig, ("ann", "bob"), n=1)
    lease = pull(rig, "ann")
    rig.attempt("ann", lease, "confirmed")
    rig.placed(lease[0], "resting", why="rests")
    rig.say("NOTE", "bob", {}, case=lease[0])
    rig.say("NOTE", "bob", {"direction": "in", "channel": "phone"}, case=lease[0])
    rig.placed(lease[0], "own:ann:promise", MONDAY, "rang-in")


def test_a_ruling_over_all_open_cases_takes_two_roles(rig):
    worked(rig, n=3)
    rig.person("head", "callback-head", team="")
    lease = pull(rig, "ann")
    rig.attempt("ann", lease, "considering")
    rig.placed(lease[0], "own:ann:retry")
    rig.say("RULING", "head", {"verdict": "admitted-unconfirmed"})
    rig.say("RULING", "head", {"verdict": "admitted-unconfirmed"})  # twice the same is still one
    rig.person("zoe")
    wait_for("read", lambda: rig.redis.hexists(rig.key("persons"), "zoe"))
    assert rig.lane(lease[0]) == "own:ann:retry"
    rig.say("RULING", "admin", {"verdict": "admitted-unconfirmed"})
    rig.placed(lease[0], "resting", why="ruled")
    rig.say("STAGE", fields={"n": 3, "open": 1})
    rig.placed(lease[0], "resting", MONDAY + DAY)
    rig.clock(MONDAY + DAY)
    rig.placed(lease[0], "strike", MONDAY + DAY)


def arrivals(rig, rows):
    import_id = hashlib.blake2b(repr(rows).encode(), digest_size=16).digest()
    rig.say("IMPORT", fields={"import": import_id, "what": "arrivals"}, body=hfp.body(rows=rows))
    rig.say("COMMIT", fields={"import": import_id, "rows": len(rows), "what": "arrivals"})


def test_who_registered_is_at_the_end_and_a_correction_puts_it_back(rig):
    worked(rig, n=3)
    rested = pull(rig, "ann")
    rig.attempt("ann", rested, "confirmed")
    rig.placed(rested[0], "resting", why="rests")
    held = pull(rig, "ann")
    arrivals(rig, [[rested[0], 1, MONDAY], [held[0], 1, 0], [bytes(15) + b"x", 1, 0]])
    rig.placed(rested[0], "terminal", why="registered")
    # Whoever has one in hand ends the call; then it is at its end all the same.
    rig.attempt("ann", held, "considering")
    rig.placed(held[0], "terminal", why="registered")
    rig.kill("hf-router", signal.SIGTERM)
    rig.start()
    arrivals(rig, [[rested[0], 0, 0]])
    rig.placed(rested[0], "resting", why="not-registered")
    assert rig.lane(held[0]) == "terminal"
    assert rig.counted() == 3


def test_a_kill_within_the_arrivals_loses_none(rig):
    worked(rig, n=60)
    cases = list(rig.case_keys)
    rig.kill("hf-router")
    arrivals(rig, [[c, 1, 0] for c in cases[:50]])
    for _ in range(6):
        rig.start()
        rig.kill("hf-router")
    rig.start()
    wait_for("all that came", lambda: rig.lane_size("terminal") == 50)
    assert rig.lane_size("pool") == 10


def test_hours_and_minutes_are_what_they_say():
    assert at("2 09:30") - MONDAY == 30 * MINUTE and at("3 10:00") - MONDAY == DAY + HOUR


def task_digits(rig, case):
    """The numbers of the case's task as whoever gets it next reads them: (digits, note)."""
    task = hfp.read_task(hfp.open_seal(rig.case_keys[case], rig.redis.hget(rig.key("tasks"), case), hfp.task_ad(case)))
    return [(n[1], n[2]) for n in task["numbers"]]


def test_the_next_number_is_offered_first_and_a_dead_one_never_again(rig):
    worked(rig, n=1, numbers=2)
    lease = pull(rig, "ann")
    case = lease[0]
    first, second = (d for d, _ in task_digits(rig, case))
    rig.attempt("ann", lease, "empty-number")
    wait_for("the second number is first", lambda: task_digits(rig, case) == [(second, ""), (first, "〔空号 03-02〕")])
    found = "19900009998"
    rig.say("NUMBER", "lea", {"number": hfp.number_id(rig.case_keys[case], found), "source": "class-teacher"},
            case=case, body=hfp.body(digits=found, kind="mother"))
    wait_for("the found number is first", lambda: task_digits(rig, case)[0] == (found, "class-teacher"))
    # A restart in between changes nothing, and what is known comes with the next number.
    rig.kill("hf-router")
    lease = pull(rig, "ann")
    rig.attempt("ann", lease, "confirmed", number=hfp.number_id(rig.case_keys[case], found))
    rig.start()
    rig.placed(case, "resting")
    wait_for("it was good", lambda: task_digits(rig, case) == [
        (found, "class-teacher〔打通过 03-02〕"), (second, ""), (first, "〔空号 03-02〕")])


def test_a_number_that_does_not_exist_is_dead_in_every_case_that_has_it(rig):
    shared = "19900005555"
    worked(rig, ("ann", "bob"), n=3, numbers=1, shared=[shared])
    lease = pull(rig, "ann")
    first = lease[0]
    rig.attempt("ann", lease, "empty-number", number=hfp.number_id(rig.case_keys[first], shared))
    wait_for("it is last", lambda: task_digits(rig, first)[-1] == (shared, "〔空号 03-02〕"))
    rig.placed(first, "own:ann:promise", why="other-number")
    found = json.loads(rig.ctl("--json", "number", "shared").stdout)
    assert [sorted(o["cases"]) for o in found] == [sorted(c.hex() for c in rig.case_keys)]
    # The others learn it without a call: silence on the number that is left ends their round at once.
    for _ in range(2):
        lease = pull(rig, "bob")
        rig.attempt("bob", lease, "no-answer", number=rig.number(lease[0]))
        rig.placed(lease[0], "own:bob:retry", MONDAY + 2 * HOUR, "retry")
        wait_for("and its mark", lambda c=lease[0]: [n for _, n in task_digits(rig, c)] == [
            "〔没人接 03-02〕", "〔空号 03-02〕"])


def test_a_wrong_number_is_wrong_here_and_a_warning_elsewhere(rig):
    shared = "19900005556"
    worked(rig, ("ann", "bob"), n=3, numbers=1, shared=[shared])
    lease = pull(rig, "ann")
    first = lease[0]
    rig.attempt("ann", lease, "wrong-number", number=hfp.number_id(rig.case_keys[first], shared))
    wait_for("it is last", lambda: task_digits(rig, first)[-1] == (shared, "〔错号 03-02〕"))
    for case in set(rig.case_keys) - {first}:
        wait_for("the others are warned before they dial", lambda c=case: task_digits(rig, c)[-1] == (
            shared, "〔别处错号 03-02〕"))
        assert task_digits(rig, case)[0][1] == ""
    assert "别处错号" in rig.ctl("case", "show", case.hex()).stdout
    # It may be right there all the same.
    lease = pull(rig, "bob")
    rig.attempt("bob", lease, "confirmed", number=hfp.number_id(rig.case_keys[lease[0]], shared))
    wait_for("it was good", lambda: (shared, "〔打通过 03-02〕") in task_digits(rig, lease[0]))


def test_why_there_is_no_number_completes_a_case(rig):
    worked(rig, n=1, numbers=1)
    lease = pull(rig, "ann")
    case = lease[0]
    rig.attempt("ann", lease, "no-answer")
    rig.placed(case, "own:ann:retry")
    rig.say("NUMBER", "ann", {"valid": 0}, case=case, body=hfp.body(kind="mother", note="没有电话"))
    wait_for("the reason stands last", lambda: task_digits(rig, case)[-1] == ("", "没有电话"))
    assert len(task_digits(rig, case)) == 2
    rig.placed(case, "own:ann:retry")


def test_who_is_lost_was_looked_for_before_the_strike_team_hears_of_it(rig):
    worked(rig, n=1)
    lease = pull(rig, "ann")
    case = lease[0]
    rig.attempt("ann", lease, "empty-number")
    for rung in (4, 5):
        rig.placed(case, "own:ann:retry", why=f"rung-{rung}")
        rig.say("ATTEMPT", "ann", {"outcome": "rung-empty", "rung": rung}, case=case)
    rig.placed(case, "own:ann:retry", why="rung-6")
    rig.kill("hf-router")
    rig.say("WAIVER", "lea", {"rung": 6, "reason": "school closed"}, case=case)
    rig.start()
    rig.placed(case, "own:ann:retry", why="rung-7")
    rig.clock(at("2 11:00"))  # the owner is slow: that is no reason to call them lost
    assert rig.lane(case).startswith("own:ann")
    rig.say("ATTEMPT", "ann", {"outcome": "rung-empty"}, case=case)  # the one in work
    rig.placed(case, "team:t1", why="unreachable")
    rig.clock(at("2 14:01"))  # two hours of the leader's, the noon rest left out
    wait_for("the strike team has it", lambda: rig.lane(case).startswith("strike"), 30)
    got = json.loads(rig.ctl("--json", "strike", "list").stdout)
    assert got["lost"] == 1 and [(t["case"], t["kind"], t["owner"]) for t in got["tasks"]] == [
        (case.hex(), "lost", "ann")]
    assert "失联 1 人" in rig.ctl("strike", "list").stdout
    counted = lambda: rig.redis.hget(rig.key("router"), "lost")  # what dashboard and top show
    wait_for("the router counts them", lambda: counted() == b"1", 30)
    rig.say("ATTEMPT", "ann", {"outcome": "considering", "direction": "in"}, case=case)  # they rang in
    wait_for("and nobody is", lambda: counted() == b"0", 30)


def test_a_retry_waits_a_little_for_the_owners_free_hours(rig):
    worked(rig, n=6)

    def said(text):
        rig.say("NOTE", "ann", {"what": "free-hours"}, body=hfp.body(note=text))
    said("mon 11:30-12:00, tue 08:30-21:00")
    kept = lambda: rig.redis.hget(rig.key("router"), "free")
    wait_for("kept", lambda: kept() == b"ann|mon 11:30-12:00, tue 08:30-21:00\n")
    said("mondays")  # not readable: the old ones hold
    lease = pull(rig, "ann")
    rig.attempt("ann", lease)
    rig.placed(lease[0], "own:ann:retry", at("2 11:30"), "retry")  # 11:00 without them
    rig.kill("hf-router")
    rig.start()
    lease = pull(rig, "ann")
    rig.attempt("ann", lease)
    rig.placed(lease[0], "own:ann:retry", at("2 11:30"), "retry")
    assert json.loads(rig.ctl("--json", "hours", "show").stdout) == {"ann": "mon 11:30-12:00, tue 08:30-21:00"}
    rig.say("NOTE", "ann", {"what": "free-hours"})
    wait_for("taken back", lambda: kept() == b"")
    lease = pull(rig, "ann")
    rig.attempt("ann", lease)
    rig.placed(lease[0], "own:ann:retry", at("2 11:00"), "retry")


def test_days_off_that_come_later_move_what_was_due(rig):
    worked(rig, n=2)
    lease = pull(rig, "ann")
    rig.attempt("ann", lease, "suspended")
    rig.placed(lease[0], "own:ann:retry", at("3 09:00"))
    off = hfp.body(text="day | 2026-03-03 | holiday | 样本\n")
    rig.say("POLICY", fields={"policy": 0, "what": "days"}, body=off)
    rig.placed(lease[0], "own:ann:retry", at("4 09:00"))
    rig.say("POLICY", fields={"policy": 0, "what": "days"}, body=off)  # said twice, and read again after a crash
    rig.kill("hf-router")
    rig.start()
    rig.ready()
    rig.placed(lease[0], "own:ann:retry", at("4 09:00"))
    rig.say("POLICY", fields={"policy": 0, "what": "days"}, body=hfp.body(text="day | 2026-03-03 | ordinary |\n"))
    rig.placed(lease[0], "own:ann:retry", at("3 09:00"))
