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
                        found=[], halted=False)
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
        return token

    def record(self, who, case, token, verdict, text=""):
        i, (seq, prev) = uuid.uuid4().hex, self.head[who]
        seq, ob = seq + 1, self.ob[who]
        header, body = os.urandom(40), os.urandom(20)
        bc = hfp.hash32(body)
        h = hfp.chain(bytes.fromhex(prev), bytes.fromhex(ob), seq, header, bc)
        self.say(who, "record", id=i, case=case, token=token)
        self.say(who, "stored", id=i, seq=seq)
        self.log("record", case, text, f"{ob} {seq} {verdict} - {who} 1")
        self.run["ledger"].append(dict(
            no=len(self.run["ledger"]) + 1, ob=ob, seq=seq, prev_h=prev, h=h.hex(), bc=bc.hex(), header=header.hex(),
            body=body.hex(), sig=self.sk[who].sign(h).signature.hex(), verdict=verdict, kind=1, person=who, case=case,
            token=token, id=i))
        self.head[who] = seq, h.hex()
        self.run["boxes"][ob] = [seq, h.hex()]
        self.say(who, "accepted", seq=seq, verdict=["effective", "late"][verdict])

    def whole(self):
        for _ in range(ROUNDS):
            for who in self.sk:
                case = os.urandom(16).hex()
                self.log("create", case, state(1, "-", "-", "pool", "0" * 16, ""))
                token = self.grant(who, case, 2)
                self.record(who, case, token, 0, state(3, who, "-", "triage", token, "d"))
                self.log("place", case, state(4, who, "-", f"own:{who}:due", token, "d"))
        case = os.urandom(16).hex()
        self.log("create", case, state(1, "-", "-", "pool", "0" * 16, ""))
        old = self.grant("p0", case, 2)
        self.t += 5 * LEASE
        self.log("expire", case, state(3, "-", "-", "pool", old, "x"))
        new = self.grant("p1", case, 4)
        self.record("p0", case, old, 1)
        self.record("p1", case, new, 0, state(5, "p1", "-", "triage", new, "d"))
        return self.run


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


MUTANTS = [lost_row, doubled_row, doubled_id, unsaid_row, moved_seq, other_person, told_otherwise, verdict_edited,
           verdict_in_log, token_twice, token_sinks, shown_ungranted, two_holders, granted_while_held, too_many,
           version_back, opseq_back, other_state, other_lane, case_gone, state_gone, box_behind, canary, forged] + [
    edited(f) for f in ("prev_h", "h", "bc", "header", "body", "sig", "case", "token", "id")]
EACH = 10


@pytest.fixture(name="good", scope="module")
def _good():
    return Made().whole()


def test_a_good_run_has_no_finding(good):
    assert check.check(good) == []


def test_there_are_mutants_enough():
    assert len(MUTANTS) * EACH >= 200


@pytest.mark.parametrize("mutate", MUTANTS, ids=lambda m: m.__name__)
def test_every_mutant_is_found_out(good, mutate):
    for seed in range(EACH):
        run = copy.deepcopy(good)
        mutate(run, random.Random(seed))
        assert check.check(run), f"{mutate.__name__} with seed {seed} went unseen"
