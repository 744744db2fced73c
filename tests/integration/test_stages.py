"""Stages 3 and 4 through the real router: who rests comes back on the follow-up dates, who hesitates goes to the
leader and on to the strike team, who was persuaded back to the owner."""
import pathlib

import pytest

import hfp
from router_rig import DAY, HOUR, MONDAY, Rig, at
from stack import wait_for

POLICY = pathlib.Path(__file__).resolve().parents[2] / "deploy/policy/default.policy"


@pytest.fixture()
def rig():
    with Rig() as r:
        r.start()
        r.ready()
        r.person("ann")
        r.person("lea", "leader", qualified=0)  # who calls shares the volume
        r.person("max", "strike", team="strike", qualified=0)
        yield r


def pull(rig, person):
    return wait_for("a case to pull", lambda: isinstance(r := rig.next(person), tuple) and r)


def confirmed(rig, n, **more):
    """n cases of ann's, confirmed in stage 2; stage 3 opens on Tuesday at 9."""
    rig.roster(n, **more)
    rig.say("STAGE", fields={"n": 2, "open": 1})
    rig.say("RELEASE", fields={"count": 0, "seed": 7})
    wait_for("released", lambda: rig.lane_size("pool") == n)
    rig.clock(MONDAY)
    cases = []
    for _ in range(n):
        lease = pull(rig, "ann")
        rig.attempt("ann", lease, "confirmed")
        rig.placed(lease[0], "resting")
        cases.append(lease[0])
    rig.clock(MONDAY + DAY)
    rig.say("STAGE", fields={"n": 3, "open": 1})
    for c in cases:
        rig.placed(c, "resting", MONDAY + 4 * DAY, "new-stage")
    return cases


def dated(rig, version, **dates):
    """A policy with the dates of the notice or of the registration."""
    lines = "".join(f"date | {k} | {v}\n" for k, v in dates.items())
    text = POLICY.read_text()
    cut = text.index("# date | registration")
    rig.policy(version, text[:cut] + lines + text[cut:])


def test_who_rests_comes_back_on_each_follow_up_date(rig):
    case, = confirmed(rig, 1)
    rig.clock(MONDAY + 4 * DAY)  # admission + 3 d
    rig.placed(case, "own:ann:due", MONDAY + 4 * DAY, "follow-up")
    rig.attempt("ann", pull(rig, "ann"), "following")
    rig.placed(case, "resting", MONDAY + 34 * DAY, "rests")  # monthly
    # The notice is sent meanwhile: its date comes first, although the case rests already.
    dated(rig, 2, notice="2026-03-10")
    rig.placed(case, "resting", at("15 08:30"))  # + 5 d
    rig.clock(at("15 08:30"))
    rig.placed(case, "own:ann:due", at("15 08:30"), "follow-up")
    rig.attempt("ann", pull(rig, "ann"), "following")
    rig.placed(case, "resting", at("45 08:30"), "rests")
    # So are the days before the registration, both of them.
    dated(rig, 3, notice="2026-03-10", registration="2026-04-05, 2026-04-06")
    rig.placed(case, "resting", at("22 08:30"))  # - 14 d
    rig.clock(at("22 08:30"))
    rig.placed(case, "own:ann:due", at("22 08:30"), "follow-up")
    rig.attempt("ann", pull(rig, "ann"), "following")
    rig.placed(case, "resting", at("34 08:30"), "rests")  # - 2 d
    rig.kill("hf-router")
    rig.clock(at("34 08:30"))
    rig.start()
    rig.placed(case, "own:ann:due", at("34 08:30"), "follow-up")


def test_a_special_master_is_asked_every_two_weeks(rig):
    case, = confirmed(rig, 1, extra=("专项选项", "专硕直通"))
    rig.clock(MONDAY + 4 * DAY)
    rig.placed(case, "own:ann:due", MONDAY + 4 * DAY, "follow-up")
    rig.attempt("ann", pull(rig, "ann"), "following")
    rig.placed(case, "resting", MONDAY + 18 * DAY, "rests")


def test_the_outcomes_of_stage_3(rig):
    wavers, regrets, defers, persuaded = confirmed(rig, 4)
    rig.clock(MONDAY + 4 * DAY)
    now = MONDAY + 4 * DAY
    todo = {wavers: "wavering", regrets: "regret", defers: "deferred", persuaded: "persuaded"}
    while todo:
        lease = pull(rig, "ann")
        rig.attempt("ann", lease, todo.pop(lease[0]))
    rig.placed(wavers, "own:ann:due", now + DAY, "talk-again")
    rig.placed(regrets, "team:t1", now, "hand-up")
    rig.placed(defers, "resting", why="rests")
    rig.placed(persuaded, "resting", now + 2 * DAY, "rests")
    # The leader has a working day (Friday 9:00 to Monday 9:00), then the strike team has it.
    rig.clock(now + 3 * DAY + HOUR)
    wait_for("regret is the strike team's", lambda: rig.lane(regrets).startswith("strike"))
    rig.placed(persuaded, "own:ann:due", why="follow-up")
    assert rig.lane(defers) == "resting"
    # Found and persuaded by the strike team: back to the owner, after two days of rest.
    rig.say("HANDOVER", "admin", {"reason": "x", "to": "max"}, case=regrets)
    wait_for("max has it", lambda: rig.lane(regrets).startswith("own:max"))
    rig.say("ATTEMPT", "max", {"outcome": "persuaded", "number": rig.number(regrets)}, case=regrets)
    rig.placed(regrets, "resting", now + 5 * DAY + HOUR, "rests")
    rig.clock(now + 5 * DAY + HOUR)
    rig.placed(regrets, "own:ann:due", now + 5 * DAY + HOUR, "follow-up")


def test_stage_4_asks_everybody_and_hands_up_who_will_not_come(rig):
    comes, late, refuses = confirmed(rig, 3)
    dated(rig, 2, registration="2026-03-10, 2026-03-11")
    rig.clock(at("9 09:00"))
    rig.say("STAGE", fields={"n": 4, "open": 1})
    for c in (comes, late, refuses):
        wait_for("called", lambda c=c: rig.lane(c) == "own:ann:due")
    rig.clock(at("10 09:00"))
    todo = {comes: {"outcome": "on-the-way"}, late: {"outcome": "late-arrival", "next_at": at("12 15:00")},
            refuses: {"outcome": "not-coming"}}
    for _ in range(3):
        lease = pull(rig, "ann")
        rig.attempt("ann", lease, **todo.pop(lease[0]))
    rig.placed(comes, "own:ann:due", at("10 14:00"), "talk-again")  # 4 h, noon is quiet
    rig.placed(late, "own:ann:promise", at("12 10:00"), "agreed-time")
    rig.placed(refuses, "team:t1", at("10 09:00"), "hand-up")
    rig.clock(at("10 09:59"))
    assert rig.lane(refuses).startswith("team:t1")
    rig.clock(at("10 10:00"))  # on the day itself the leader has an hour
    wait_for("the strike team has it", lambda: rig.lane(refuses).startswith("strike"))
    # Terminal only by a ruling, and only after the strike team.
    rig.say("RULING", "admin", {"verdict": "not-coming"}, case=refuses)
    rig.placed(refuses, "terminal", why="ended")


