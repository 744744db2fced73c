"""The checker against histories that are good, and several hundred that are not: each must be found out.

A good run is made by hand here, with real chains and signatures; each mutant is one small lie in it."""
import copy
import os
import random
import uuid

import nacl.signing
import pytest

import check
import hfp

PEOPLE, ROUNDS, LEASE = 3, 8, 2.0


def state(version, owner, hand, lane, token, flags):
    return f"{version}|{owner}|{hand}|{lane}|0|{token}|0|0|{flags}|-|0-0|new|"


class Made:
    """A run in which every person records ROUNDS cases, and one record is late."""

    def __init__(self):
        self.t, self.opseq, self.token = 1000.0, 0, 1 << 40
        self.run = dict(history=[], ledger=[], log=[], cases={}, states={}, agents={}, boxes={}, lease_s=LEASE,
                        found=[], halted=False, finals=["confirmed"])
        self.sk = {f"p{i}": nacl.signing.SigningKey.generate() for i in range(PEOPLE)}
        self.ob = {p: os.urandom(16).hex() for p in self.sk}
        self.head = {p: (0, check.ZERO) for p in self.sk}
        for p, k in self.sk.items():
            self.run["agents"][self.ob[p]] = bytes(k.verify_key).hex()

    def say(self, who, op, **more):
        self.t += 0.01
        self.run["history"].append(dict(t=self.t, who=who, life=1, op=op, **more))

    def log(self, kind, case, text, detail=""):
        self.opseq += 1
        self.run["log"].append([kind, self.opseq, case, text, detail])
        if text:
            s = check.state_of(text)
            self.run["cases"][case] = text
            self.run["states"][case] = [s["version"], s["owner"], s["hand"], s["lane"], s["token"]]

    def grant(self, who, case, version, owner="-"):
        self.token += 1
        token = "%016x" % self.token
        self.say(who, "next")
        self.log("grant", case, state(version, owner, who, "pool", token, "hp"))
        self.say(who, "task", case=case, token=token)
        self.run.setdefault("leases", []).append([case, token, who])
        return token

    def record(self, who, case, token, verdict, text="", outcome="no-answer"):
        i, (seq, prev) = uuid.uuid4().hex, self.head[who]
        seq, ob = seq + 1, self.ob[who]
        header, body = os.urandom(40), os.urandom(20)
        bc = hfp.hash32(body)
        h = hfp.chain(bytes.fromhex(prev), bytes.fromhex(ob), seq, header, bc)
        self.say(who, "record", id=i, case=case, token=token, outcome=outcome)
        self.say(who, "stored", id=i, seq=seq)
        self.log("record", case, text, f"{ob} {seq} {verdict} - {who} 1")
        self.run["ledger"].append(dict(
            no=len(self.run["ledger"]) + 1, ob=ob, seq=seq, prev_h=prev, h=h.hex(), bc=bc.hex(), header=header.hex(),
            body=body.hex(), sig=self.sk[who].sign(h).signature.hex(), verdict=verdict, kind=1, person=who, case=case,
            token=token, id=i, outcome=outcome, seconds=len(self.run["ledger"]) + 5))
        self.head[who] = seq, h.hex()
        self.run["boxes"][ob] = [seq, h.hex()]
        self.say(who, "accepted", seq=seq, verdict=["effective", "late"][verdict])

    def whole(self):
        for n in range(ROUNDS):
            for who in self.sk:
                case = os.urandom(16).hex()
                outcome = "confirmed" if n % 3 == 0 else "no-answer"
                lane = "resting" if n % 3 == 0 else "strike" if n % 3 == 1 else f"own:{who}:due"
                self.log("create", case, state(1, "-", "-", "pool", "0" * 16, ""))
                token = self.grant(who, case, 2)
                self.record(who, case, token, 0, state(3, who, "-", "triage", token, "d"), outcome)
                self.log("place", case, state(4, who, "-", lane, token, "d"))
        case = os.urandom(16).hex()
        self.log("create", case, state(1, "-", "-", "pool", "0" * 16, ""))
        old = self.grant("p0", case, 2)
        self.t += 5 * LEASE
        self.log("expire", case, state(3, "-", "-", "pool", old, "x"))
        new = self.grant("p1", case, 4)
        self.record("p0", case, old, 1)
        self.record("p1", case, new, 0, state(5, "p1", "-", "triage", new, "d"))
        self.log("place", case, state(6, "p1", "-", "own:p1:due", new, "d"))
        self.figures()
        return self.run

    def figures(self):
        """What other programs made of it."""
        run, lanes, contacts = self.run, {}, {}
        for text in run["cases"].values():
            lanes.setdefault(check.state_of(text)["lane"], [0, 0])[0] += 1
        for r in run["ledger"]:
            n = contacts.setdefault(r["case"], [0, 0])
            n[0], n[1] = n[0] + 1, n[1] + r["seconds"]
        hashes = [os.urandom(32).hex() for _ in range(5)]
        run.update(
            lanes=lanes, contacts=contacts, pay=[[p, 114000, 114000] for p in self.sk],
            strike=[c for c, text in run["cases"].items() if check.state_of(text)["lane"] == "strike"],
            archive=dict(segments=[[n + 1, hashes[n - 1] if n else check.ZERO, h] for n, h in enumerate(hashes)],
                         entries=copy.deepcopy(run["log"])),
            released={ob: seq for ob, (seq, _) in run["boxes"].items()},
            rest=dict(leases=0, doubt=0, triage=0, unsent=0),
            bounds=[["KiB of hf-broker0", 30000, 300000], ["entries of the log", 90, 200000]])


def events(run, op):
    return [e for e in run["history"] if e["op"] == op]


def flip(text):
    return ("1" if text[0] == "0" else "0") + text[1:]


def lost_row(run, rng):
    run["ledger"].remove(rng.choice(run["ledger"]))


def doubled_row(run, rng):
    run["ledger"].append(dict(rng.choice(run["ledger"])))


def doubled_id(run, rng):
    a, b = rng.sample(run["ledger"], 2)
    a["id"] = b["id"]


def unsaid_row(run, rng):
    e = rng.choice(events(run, "record"))
    run["history"] = [x for x in run["history"] if x.get("id") != e["id"]]


def moved_seq(run, rng):
    rng.choice(run["ledger"])["seq"] += 1000


def edited(field):
    def edit(run, rng):
        r = rng.choice(run["ledger"])
        r[field] = flip(r[field])
    edit.__name__ = f"edited_{field}"
    return edit


def other_person(run, rng):
    rng.choice(run["ledger"])["person"] = "p9"


def told_otherwise(run, rng):
    e = rng.choice(events(run, "accepted"))
    e["verdict"] = "late" if e["verdict"] == "effective" else "effective"


def verdict_edited(run, rng):
    r = rng.choice(run["ledger"])
    r["verdict"] = 1 - r["verdict"]


def verdict_in_log(run, rng):
    e = rng.choice([e for e in run["log"] if e[0] == "record"])
    words = e[4].split(" ")
    words[2] = "1" if words[2] == "0" else "0"
    e[4] = " ".join(words)


def token_twice(run, rng):
    a, b = rng.sample([e for e in run["log"] if e[0] == "grant"], 2)
    token = check.state_of(a[3])["token"]
    b[3] = b[3].replace(check.state_of(b[3])["token"], token)


def token_sinks(run, rng):
    late = next(r for r in run["ledger"] if r["verdict"] == 1)
    late["verdict"] = 0
    late["token"] = "%016x" % (int(late["token"], 16) + rng.randrange(2, 9))


def shown_ungranted(run, rng):
    e = rng.choice(events(run, "task"))
    e["token"] = "%016x" % (int(e["token"], 16) + 1000)


def two_holders(run, rng):
    e = rng.choice(events(run, "task"))
    again = dict(e, who="p9", t=e["t"] + 0.001)
    run["history"].insert(run["history"].index(e) + 1, again)


def granted_while_held(run, rng):
    i = rng.choice([i for i, e in enumerate(run["log"]) if e[0] == "grant"])
    run["log"].insert(i + 1, list(run["log"][i]))


def too_many(run, rng):
    """The record that ended a pull is away from the log: the next pull is the second."""
    i = rng.choice([i for i, e in enumerate(run["log"]) if e[0] == "record" and e[3]][:-PEOPLE - 1])
    case = run["log"][i][2]
    run["log"] = [e for j, e in enumerate(run["log"]) if j < i or e[2] != case]


def version_back(run, rng):
    e = rng.choice([e for e in run["log"] if e[0] == "place"])
    e[3] = "1" + e[3][e[3].index("|"):]


def opseq_back(run, rng):
    rng.choice(run["log"][1:])[1] = 0


def other_state(run, rng):
    case = rng.choice(list(run["cases"]))
    run["cases"][case] = run["cases"][case].replace("|-|", "|p9|", 1)


def other_lane(run, rng):
    rng.choice(list(run["states"].values()))[3] = "parked"


def case_gone(run, rng):
    run["cases"].pop(rng.choice(list(run["cases"])))


def state_gone(run, rng):
    run["states"].pop(rng.choice(list(run["states"])))


def box_behind(run, rng):
    rng.choice(list(run["boxes"].values()))[0] -= 1


def canary(run, rng):
    run["found"].append(f"log/{rng.randrange(9)}")


def forged(run, rng):
    ob = rng.choice(list(run["agents"]))
    run["agents"][ob] = bytes(nacl.signing.SigningKey.generate().verify_key).hex()


def final_case(run):
    """A case that rests after a final word, and who said it."""
    r = next(r for r in run["ledger"] if r["outcome"] == "confirmed")
    return r["case"], r["person"]


def granted_after_final(run, rng):
    case, _ = final_case(run)
    token = "%016x" % ((1 << 41) + rng.randrange(99))
    run["log"].append(["grant", run["log"][-1][1] + 1, case, state(9, "-", "p1", "resting", token, "hp"), ""])


def shown_after_final(run, rng):
    case, _ = final_case(run)
    token = check.state_of(run["cases"][case])["token"]
    last = run["history"][-1]["t"]
    run["history"].append(dict(t=last + rng.random(), who="p2", life=1, op="task", case=case, token=token))
    run["leases"].append([case, token, "p2"])


def final_by_edit(run, rng):
    """A record becomes final of which the case was given out again: what was said is not what stands there."""
    late = next(r for r in run["ledger"] if r["verdict"] == 1)
    e = next(e for e in run["log"] if e[0] == "expire")
    run["log"].insert(run["log"].index(e) + 1, ["record", e[1], late["case"], "", f"{late['ob']} {late['seq']} 0 - p0 1"])
    late["outcome"] = "confirmed"


def too_many_opened(run, rng):
    """Six opened at once in one hand."""
    no = run["log"][-1][1]
    for n in range(6):
        case, token = rng.randbytes(16).hex(), "%016x" % ((1 << 42) + n)
        run["log"].append(["take", no + n + 1, case, state(1, "-", "p1", "pool", token, "h"), ""])


def no_strike_task(run, rng):
    run["strike"].remove(rng.choice(run["strike"]))


def two_strike_tasks(run, rng):
    run["strike"].append(rng.choice(run["strike"]))


def strike_task_of_another(run, rng):
    run["strike"].append(final_case(run)[0])


def lane_miscounted(run, rng):
    run["lanes"][rng.choice(list(run["lanes"]))][0] += rng.choice((-1, 1))


def lane_held(run, rng):
    run["lanes"][rng.choice(list(run["lanes"]))][1] += 1


def lane_unseen(run, rng):
    run["lanes"].pop(rng.choice(list(run["lanes"])))


def attempts_miscounted(run, rng):
    run["contacts"][rng.choice(list(run["contacts"]))][0] += rng.choice((-1, 1))


def seconds_miscounted(run, rng):
    run["contacts"][rng.choice(list(run["contacts"]))][1] += rng.choice((-1, 1))


def a_fen_more(run, rng):
    rng.choice(run["pay"])[rng.choice((1, 2))] += 1


def unpaid(run, rng):
    rng.choice(run["pay"])[2] = None


def segment_missing(run, rng):
    run["archive"]["segments"].pop(rng.randrange(4))


def segment_edited(run, rng):
    s = run["archive"]["segments"][rng.randrange(4)]
    s[2] = flip(s[2])


def segments_swapped(run, rng):
    s, i = run["archive"]["segments"], rng.randrange(4)
    s[i], s[i + 1] = s[i + 1], s[i]


def archive_entry_missing(run, rng):
    run["archive"]["entries"].pop(rng.randrange(len(run["archive"]["entries"]) - 1))


def archive_entry_edited(run, rng):
    rng.choice(run["archive"]["entries"])[4] += " more"


def archive_invents(run, rng):
    ob = rng.choice(list(run["boxes"]))
    e = next(e for e in run["archive"]["entries"] if e[0] == "record" and e[4].startswith(ob))
    e[4] = f"{ob} {90 + rng.randrange(9)} 0 - p0 1"


def released_too_early(run, rng):
    """The archive ends before the last record that was called released."""
    e = run["archive"]["entries"]
    del e[len(e) - rng.randrange(3, 6):]


def read_unlogged(run, rng):
    run["leases"].remove(rng.choice(run["leases"]))


def read_by_another(run, rng):
    rng.choice(run["leases"])[2] = "p9"


def something_left(run, rng):
    run["rest"][rng.choice(list(run["rest"]))] = rng.randrange(1, 9)


def unbounded(run, rng):
    b = rng.choice(run["bounds"])
    b[1] = b[2] + rng.randrange(1, 9)


# Which invariant of guarantee 2 (or promise G3) must be named; every mutant is tried with EACH seeds.
MUTANTS = {
    "I1": [two_holders, granted_while_held],
    "I2": [lost_row, moved_seq, other_person, told_otherwise, edited("case"), edited("token"), verdict_edited],
    "I3": [doubled_row, doubled_id, unsaid_row, edited("id")],
    "I4": [box_behind, forged] + [edited(f) for f in ("prev_h", "h", "bc", "header", "body", "sig")],
    "I5": [token_twice, token_sinks, shown_ungranted],
    "G3": [verdict_in_log],
    "I6": [granted_after_final, shown_after_final, final_by_edit],
    "I7": [too_many, too_many_opened],
    "I8": [no_strike_task, two_strike_tasks, strike_task_of_another],
    "I9": [version_back, opseq_back, other_state, other_lane, case_gone, state_gone, lane_miscounted, lane_held, lane_unseen],
    "I10": [attempts_miscounted, seconds_miscounted, a_fen_more, unpaid],
    "I11": [segment_missing, segment_edited, segments_swapped, archive_entry_missing, archive_entry_edited, archive_invents,
            released_too_early],
    "I12": [read_unlogged, read_by_another],
    "I13": [canary],
    "I14": [something_left],
    "I15": [unbounded],
}
EACH = 6


@pytest.fixture(name="good", scope="module")
def _good():
    return Made().whole()


def test_a_good_run_has_no_finding(good):
    assert check.check(good) == []


def test_there_are_mutants_enough():
    assert sum(map(len, MUTANTS.values())) * EACH >= 200
    assert set(MUTANTS) == {"G3", *(f"I{n}" for n in range(1, 16))}


@pytest.mark.parametrize("rule, mutate", [(rule, m) for rule, ms in MUTANTS.items() for m in ms],
                         ids=lambda x: x if isinstance(x, str) else x.__name__)
def test_every_mutant_is_found_out(good, rule, mutate):
    for seed in range(EACH):
        run = copy.deepcopy(good)
        mutate(run, random.Random(seed))
        found = check.check(run)
        assert any(f.startswith(rule + " ") for f in found), f"{mutate.__name__} with seed {seed}: {found[:3]}"


def test_a_part_that_a_run_does_not_have_is_not_judged(good):
    plain = {k: v for k, v in good.items() if k not in (
        "finals", "strike", "lanes", "contacts", "pay", "archive", "released", "leases", "rest", "bounds")}
    assert check.check(plain) == []
