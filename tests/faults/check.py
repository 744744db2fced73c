#!/usr/bin/env python3
"""Is a run of the real programs what was promised? Judges histories and dumps off-line.

A run is a dict of plain JSON, as rig.py dumps it:
  history  [{t, who, life, op, ...}] in order of t (CLOCK_BOOTTIME, s): next, task, record, stored, accepted, gone, died
  ledger   [{no, ob, seq, prev_h, h, bc, header, body, sig, verdict, kind, person, case, token, id}] by no; hex
  log      [[type, opseq, case, state, detail]] in order, as ARCHITECTURE.md 3.2
  cases    {case: state text} from Redis;  states {case: [version, owner, hand, lane, token]} from PostgreSQL
  agents   {ob: Ed25519 public key};  boxes {ob: [accepted_upto, h]} from Redis
  lease_s, found (canaries seen in files), halted (True: the store was lost on purpose), recovered (True: Redis was
  lost and filled again: answers of the lost store may differ from the ledger's, its newest grants are in no log),
  cut (True: the log begins late, so it does not name each case)
What only some runs have (a key that is missing is not judged):
  finals   outcomes after which nobody is sent to the case again in this run; ledger rows then have `outcome`
  strike   the cases that `hfctl strike list` names;  lanes {lane: [waiting, held]} of v_lane_counts
  contacts {case: [attempts, seconds]} of v_figure;  pay [[person, fen by C, fen by SQL]]
  archive  {segments: [[number, prev, hash]], entries: as log};  released {ob: upto}
  leases   [[case, token, person]] of lease_log
  rest     {what: how many are left} at the end;  bounds [[what, value, at most]]
check() returns a list of findings, each beginning with the invariant's name (guarantee: I1 ...); empty is good.
    check.py RUN.json …    exit 1 if any of them has a finding
"""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import hfp  # noqa: E402

VERDICT = {"effective": 0, "late": 1, "quarantined": 2}
ZERO = "0" * 64


def state_of(text):
    part = text.split("|")
    return dict(version=int(part[0]), owner=part[1], hand=part[2], lane=part[3], token=part[5], flags=part[8],
                held="h" in part[8], pulled="p" in part[8])


def holds(run):
    """[case, from, to, who]: surely valid by the holder's own clock. The deadline counts from the request, so what
    the harness asked at t holds to t + lease at least, unless it ended before."""
    out, asked, open_ = [], {}, {}
    for e in run["history"]:
        who = e["who"]
        if e["op"] in ("next", "record"):
            asked[who] = e["t"]
        if e["op"] == "task":
            open_[who, e["token"]] = [e["case"], e["t"], asked.get(who, e["t"]) + run["lease_s"], who]
        ends = [k for k in open_ if k[0] == who and (e["op"] == "died" or e.get("token") == k[1])
                and e["op"] in ("record", "gone", "died")]
        for k in ends:
            h = open_.pop(k)
            out.append([h[0], h[1], min(h[2], e["t"]), who])
    return out + list(open_.values())


def one_holder(run):
    by_case = {}
    for h in holds(run):
        if h[2] > h[1]:
            by_case.setdefault(h[0], []).append(h)
    for case, hs in by_case.items():
        hs.sort(key=lambda h: h[1])
        for a, b in zip(hs, hs[1:]):
            if b[1] < a[2] and a[3] != b[3]:
                yield f"I1 case {case}: {a[3]} held until {a[2]:.3f}, {b[3]} from {b[1]:.3f}"
    held = {}
    for kind, _, case, state, _ in run["log"]:
        if not state:
            continue
        s = state_of(state)
        if kind == "grant" and held.get(case):
            yield f"I1 case {case}: granted while held"
        held[case] = s["held"]


def arrived_once(run):
    by_id, by_place, asked = {}, {}, {}
    for r in run["ledger"]:
        if (r["ob"], r["seq"]) in by_place:
            yield f"I3 {r['ob']} {r['seq']}: twice in the ledger"
        by_place[r["ob"], r["seq"]] = r
        if r["kind"] == 1 and r["id"]:
            if r["id"] in by_id:
                yield f"I3 id {r['id']}: twice in the ledger"
            by_id[r["id"]] = r
    stored, accepted = {}, {}
    for e in run["history"]:
        if e["op"] == "record":
            asked[e["id"]] = e
        elif e["op"] == "stored":
            stored[e["id"]] = e
        elif e["op"] == "accepted":
            accepted[e["who"], e["seq"]] = e["verdict"]
    for i, e in stored.items():
        r = by_id.get(i)
        if r is None:
            yield f"I2 id {i}: stored by {e['who']} as {e['seq']}, not in the ledger"
        elif r["seq"] != e["seq"] or r["person"] != e["who"]:
            yield f"I2 id {i}: stored as {e['who']} {e['seq']}, in the ledger as {r['person']} {r['seq']}"
        elif r["case"] != asked[i]["case"] or r["token"] != asked[i]["token"]:
            yield f"I2 id {i}: the ledger has another case or token"
    for i, r in by_id.items():
        if i not in asked:
            yield f"I3 id {i}: in the ledger, but nobody said it"
    by_who = {(r["person"], r["seq"]): r for r in run["ledger"] if r["kind"] == 1}
    for (who, seq), verdict in accepted.items():
        r = by_who.get((who, seq))
        if r is None:
            yield f"I2 {who} {seq}: accepted, not in the ledger"
        elif r["verdict"] != VERDICT[verdict] and not run.get("recovered"):
            yield f"I2 {who} {seq}: told {verdict}, the ledger says {r['verdict']}"


def chains(run):
    boxes = {}
    for r in run["ledger"]:
        boxes.setdefault(r["ob"], []).append(r)
    for ob, rows in boxes.items():
        rows.sort(key=lambda r: r["seq"])
        before = ZERO
        for n, r in enumerate(rows, 1):
            if r["seq"] != n:
                yield f"I4 {ob}: seq {r['seq']} where {n} should be"
                break
            bc = hfp.hash32(bytes.fromhex(r["body"])).hex()
            h = hfp.chain(bytes.fromhex(before), bytes.fromhex(ob), n, bytes.fromhex(r["header"]),
                          bytes.fromhex(bc)).hex()
            if (r["prev_h"], r["bc"], r["h"]) != (before, bc, h):
                yield f"I4 {ob} {n}: the chain is broken"
            elif ob in run["agents"] and not hfp.verified(bytes.fromhex(run["agents"][ob]), bytes.fromhex(h),
                                                          bytes.fromhex(r["sig"])):
                yield f"I4 {ob} {n}: the signature is not the agent's"
            before = r["h"]
        upto, h = run["boxes"].get(ob, [None, None])
        if not run["halted"] and (upto != len(rows) or h != rows[-1]["h"]):
            yield f"I4 {ob}: Redis accepted {upto}, the ledger has {len(rows)}"


def tokens(run):
    given = {}
    for kind, _, case, state, _ in run["log"]:
        if kind == "grant":
            t = state_of(state)["token"]
            if t in given:
                yield f"I5 token {t}: given for {given[t]} and {case}"
            given[t] = case
    first = min(given, default="") if run.get("cut") else ""
    for e in run["history"]:
        if e["op"] == "task" and given.get(e["token"]) != e["case"] and e["token"] >= first and not (
                run["halted"] or run.get("recovered")):
            yield f"I5 token {e['token']}: shown to {e['who']}, not granted for that case"
    newest = {}
    for r in run["ledger"]:
        if r["kind"] == 1 and r["verdict"] == 0 and int(r["token"], 16):
            if r["token"] < newest.get(r["case"], ""):
                yield f"I5 case {r['case']}: effective token {r['token']} after {newest[r['case']]}"
            newest[r["case"]] = r["token"]


def late_is_late(run):
    """G3, from the log alone: with a token, effective if and only if it is the newest and no act moved the case."""
    rows = {(r["ob"], r["seq"]): r for r in run["ledger"]}
    newest, moved = {}, {}
    for kind, _, case, state, detail in run["log"]:
        s = state_of(state) if state else None
        if kind == "record" and case:
            ob, seq, verdict = detail.split(" ")[:3]
            r = rows.get((ob, int(seq)))
            if r and r["kind"] == 1 and int(r["token"], 16) and verdict in "01":
                right = r["token"] == newest.get(case) and not moved.get(case)
                if run.get("recovered") and detail.split(" ")[3] == "readmitted":
                    right = r["token"] > newest.get(case, "")
                if (run.get("recovered") or run.get("cut")) and case not in newest:
                    right = verdict == "0"  # its grant is in the archive alone
                if right != (verdict == "0"):
                    yield f"G3 {ob} {seq}: verdict {verdict} of token {r['token']}, newest {newest.get(case)}"
        if s:
            newest[case] = s["token"]
            moved[case] = "m" in s["flags"]


def limits(run):
    hand = {}
    for _, _, case, state, _ in run["log"]:
        if not state:
            continue
        s = state_of(state)
        for cases in hand.values():
            cases.pop(case, None)
        if s["held"]:
            mine = hand.setdefault(s["hand"], {})
            mine[case] = s["pulled"]
            pulled = sum(mine.values())
            if pulled > 1 or len(mine) - pulled > 5:
                yield f"I7 {s['hand']}: {pulled} pulled, {len(mine) - pulled} opened"


def folds(run):
    fold, opseq = {}, 0
    for kind, no, case, state, _ in run["log"]:
        if no <= opseq:
            yield f"I9 opseq {no} after {opseq}"
        opseq = no
        if state:
            version = int(state.split("|")[0])
            if case in fold and version <= int(fold[case].split("|")[0]):
                yield f"I9 case {case}: version {version} of {kind} does not rise"
            fold[case] = state
    if run["halted"]:
        return
    plain = lambda text: [p for i, p in enumerate(text.split("|")[:12]) if i != 6]  # noqa: E731  renewals are not logged
    for case, text in run["cases"].items():
        if case not in fold and run.get("cut"):
            pass
        elif case not in fold or plain(fold[case]) != plain(text):
            yield f"I9 case {case}: Redis and its log differ"
        s, row = state_of(text), run["states"].get(case)
        if row != [s["version"], s["owner"], s["hand"], s["lane"], s["token"]]:
            yield f"I9 case {case}: Redis and PostgreSQL differ"
    for case in set(fold) - set(run["cases"]):
        yield f"I9 case {case}: in the log, not in Redis"


def final_is_final(run):
    """From the log: after an effective final word nobody is sent (pulled) to the case. From the callers: nor after they
    were told that it is effective."""
    finals = set(run.get("finals", ()))
    rows = {(r["ob"], r["seq"]): r for r in run["ledger"]}
    over = {}
    for kind, _, case, state, detail in run["log"]:
        if kind == "record" and case:
            ob, seq, verdict = detail.split(" ")[:3]
            r = rows.get((ob, int(seq)))
            if r and verdict == "0" and r["kind"] != 2:
                over[case] = r["kind"] == 1 and r.get("outcome") in finals
        elif kind == "grant" and over.get(case) and state_of(state)["pulled"]:
            yield f"I6 case {case}: granted after a final word"
    said, by_seq, told = {}, {}, {}
    for e in run["history"]:
        if e["op"] == "record":
            said[e["id"]] = e
        elif e["op"] == "stored":
            by_seq[e["who"], e["seq"]] = said.get(e["id"])
        elif e["op"] == "accepted" and e["verdict"] == "effective":
            r = by_seq.get((e["who"], e["seq"]))
            if r:
                told[r["case"]] = r.get("outcome") in finals
        elif e["op"] == "task" and told.get(e["case"]):
            yield f"I6 case {e['case']}: shown to {e['who']} after a final word was told effective"


def strike_once(run):
    if "strike" not in run:
        return
    for case in sorted(set(run["strike"])):
        if run["strike"].count(case) > 1:
            yield f"I8 case {case}: two tasks of the strike team"
    for case, text in run["cases"].items():
        if state_of(text)["lane"].startswith("strike") != (case in run["strike"]):
            yield f"I8 case {case}: lies in {state_of(text)['lane']}, task {case in run['strike']}"


def counts(run):
    """The dashboard's numbers, counted again from Redis."""
    if "lanes" not in run or run["halted"]:
        return
    seen = {}
    for text in run["cases"].values():
        s = state_of(text)
        seen.setdefault(s["lane"], [0, 0])[s["held"]] += 1
    for lane in sorted(set(seen) | set(run["lanes"])):
        if seen.get(lane) != run["lanes"].get(lane):
            yield f"I9 lane {lane}: {seen.get(lane)} in Redis, the dashboard says {run['lanes'].get(lane)}"


def figures(run):
    """I10: the view's figures, counted again from the ledger; the pay of the program and that of the database."""
    seen = {}
    for r in run["ledger"]:
        if r["kind"] == 1 and r["verdict"] in (0, 1):
            n = seen.setdefault(r["case"], [0, 0])
            n[0] += 1
            n[1] += r.get("seconds", 0)
    for case, figure in run.get("contacts", {}).items():
        if figure != seen.get(case, [0, 0]):
            yield f"I10 case {case}: {seen.get(case)} in the ledger, the figures say {figure}"
    for person, ours, theirs in run.get("pay", ()):
        if ours != theirs:
            yield f"I10 {person}: {ours} fen, the database says {theirs}"


def archived(run):
    """The archive is one chain, is the log from its beginning, and has all that was called released."""
    a = run.get("archive")
    if a is None:
        return
    before = ZERO
    for n, (number, prev, h) in enumerate(a["segments"], 1):
        if number != n or prev != before:
            yield f"I11 segment {number}: does not follow the one before it"
        before = h
    log = {e[1]: e for e in run["log"]}
    if not (run["halted"] or run.get("recovered") or run.get("cut")):
        for e, mine in zip(a["entries"], run["log"]):
            if e != mine:
                yield f"I11 opseq {e[1]}: the archive has another entry than the log"
                break
        if len(a["entries"]) > len(log):
            yield "I11 the archive has more than the log"
    rows = {(r["ob"], r["seq"]) for r in run["ledger"]}
    have = set()
    for e in a["entries"]:
        if e[0] == "record":
            ob, seq = e[4].split(" ")[:2]
            have.add((ob, int(seq)))
    for ob, seq in sorted(have - rows):
        yield f"I11 {ob} {seq}: in the archive, not in the ledger"
    for ob, upto in run.get("released", {}).items():
        for seq in range(1, upto + 1):
            if (ob, seq) not in have:
                yield f"I11 {ob} {seq}: released, not in the archive"


def reads(run):
    """Whose data somebody saw stands in the database: each task that was shown has its row in lease_log."""
    if "leases" not in run or run["halted"] or run.get("recovered"):
        return
    known = {tuple(row) for row in run["leases"]}
    for e in run["history"]:
        if e["op"] == "task" and (e["case"], e["token"], e["who"]) not in known:
            yield f"I12 case {e['case']}: shown to {e['who']}, and nothing says so"


def at_rest(run):
    for what, n in run.get("rest", {}).items():
        if n != 0:
            yield f"I14 {n} {what} are left"
    for what, value, limit in run.get("bounds", ()):
        if value > limit:
            yield f"I15 {what}: {value}, at most {limit}"


def canaries(run):
    for path in run["found"]:
        yield f"I13 {path} holds something of the roster"


RULES = (one_holder, arrived_once, chains, tokens, late_is_late, final_is_final, limits, strike_once, folds, counts, figures,
         archived, reads, canaries, at_rest)


def check(run):
    return [finding for rule in RULES for finding in rule(run)]


if __name__ == "__main__":
    bad = 0
    for name in sys.argv[1:]:
        for finding in check(json.loads(pathlib.Path(name).read_text())):
            print(f"{name}: {finding}")
            bad = 1
    sys.exit(bad)
