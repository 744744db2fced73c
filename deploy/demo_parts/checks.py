"""What a stranger can hold the demo to: each promise (G1 to G8 of ARCHITECTURE.md) with what was found."""
import csv
import hashlib
import json
import pathlib
import select
import subprocess
import time

CANARIES = 120


class Checks:
    def __init__(self, run, ctl, root, home, rows):
        self.run, self.ctl, self.root, self.home, self.rows = run, ctl, root, home, rows
        self.promises = {}       # name -> list of what is wrong

    def hold(self, promise, ok, wrong):
        found = self.promises.setdefault(promise, [])
        if not ok:
            found.append(wrong)

    def sql(self, text):
        out = self.run("psql", "-h", self.home / "run", "-U", "hf_reconcile", "-d", "huifang", "-AtF,", "-c", text)
        return [line.split(",") for line in out.splitlines()]

    def one(self, text):
        return [int(x or 0) for x in self.sql(text)[0]]

    # ---- the promises

    def one_holder(self, holds):
        """G1: as the callers saw it, and as the tokens tell it."""
        both = 0
        for case in holds.values():
            done = sorted((h for h in case if h[4] == "effective"), key=lambda h: h[2])
            both += sum(1 for a, b in zip(done, done[1:]) if a[0] != b[0] and b[2] < a[3])
        self.hold("G1 one holder", both == 0, f"{both} cases were in two persons' hands at once")
        falling = self.one("SELECT count(*) FROM (SELECT token, lag(token) OVER (PARTITION BY case_ref ORDER BY no) AS "
                           "before FROM hf.ledger WHERE kind = 1 AND verdict = 0 AND token <> 0) t WHERE token < before")
        self.hold("G1 one holder", falling == [0], "an older token moved a case after a newer one")

    def exactly_once(self, callers, stats):
        """G2: stored = accepted = settled, each once."""
        rows, different, settled = self.one(
            "SELECT count(*), count(DISTINCT id), (SELECT count(*) FROM hf.ledger WHERE kind = 1 "
            "AND flaw IS NOT NULL) FROM hf.ledger WHERE kind = 1")
        self.hold("G2 stored, accepted, settled", rows == stats["stored"],
                  f"stored {stats['stored']} records, the ledger has {rows}")
        self.hold("G2 stored, accepted, settled", rows == different, "what was said once is in the ledger twice")
        self.hold("G2 stored, accepted, settled", settled == 0, f"{settled} records without a good signature")
        open_ = sum(len(c.waiting) for c in callers)
        self.hold("G2 stored, accepted, settled", open_ == 0, f"{open_} records were never stored")
        return rows

    def nothing_thrown_away(self):
        """G3: what came late is in the ledger as well; nothing was quarantined."""
        bad, = self.one("SELECT count(*) FROM hf.v_problem WHERE what <> 'night'")
        self.hold("G3 no call is thrown away", bad == 0, f"{bad} records wait for a person to look at them")

    def adds_up(self):
        end = time.monotonic() + 40
        while True:
            census = json.loads(self.run(self.root / "build/bin/hfctl", "--json", "reconcile", "run", check=False) or "{}")
            if census.get("behind", 1) <= 0 or time.monotonic() > end:
                break
            select.select([], [], [], 0.2)
        lanes = census.get("lanes", {})
        self.hold("G4 nothing is stuck", census.get("adds_up"), "imported is not the sum of lanes and leases")
        self.hold("G4 nothing is stuck", census.get("imported") == self.rows,
                  f"{census.get('imported')} cases instead of {self.rows}")
        for lane in ("triage", "doubt", "parked", "unreleased"):
            self.hold("G4 nothing is stuck", lanes.get(lane, 0) == 0, f"{lanes.get(lane, 0)} cases in {lane}")
        different = len(census.get("differences", [None]))
        self.hold("G4 nothing is stuck", different == 0, f"Redis and PostgreSQL differ in {different} cases")
        return census

    def long_call(self, holds, lease_s):
        """G5: a call longer than its lease, by the machine's own clock, stays the caller's."""
        long = [h for case in holds.values() for h in case if h[3] and h[3] - h[2] > 2 * lease_s]
        self.hold("G5 no clock breaks it", bool(long), "nobody talked for longer than two leases")
        lost = sum(h[4] != "effective" for h in long)
        self.hold("G5 no clock breaks it", lost == 0, f"{lost} callers were fenced out of their own long call")

    def survived(self, killed, wanted, stats):
        for what in wanted:
            self.hold("G6 anything may die", what in killed, f"{what} was not killed, so nothing is shown")
        self.hold("G6 anything may die", stats["errors"] == 0, f"{stats['errors']} errors on callers' screens")
        lost = stats["callers that did not end"]
        self.hold("G6 anything may die", lost == 0, f"{lost} callers did not end")

    def chains(self):
        """G7: every outbox's hash chain, computed again from the bytes in the ledger (PROTOCOL.md 7.1)."""
        rows = self.sql("SELECT encode(ob, 'hex'), seq, encode(header, 'hex'), encode(bc, 'hex'), encode(h, 'hex') "
                        "FROM hf.ledger ORDER BY ob, seq")
        head, last, broken = {}, {}, 0
        for ob, seq, header, bc, h in rows:
            before = head.get(ob, bytes(32))
            made = hashlib.blake2b(b"hf1" + before + bytes.fromhex(ob) + int(seq).to_bytes(8, "big") +
                                   bytes.fromhex(header) + bytes.fromhex(bc), digest_size=32).hexdigest()
            broken += made != h or int(seq) != last.get(ob, 0) + 1
            head[ob], last[ob] = bytes.fromhex(h), int(seq)
        self.hold("G7 a chain of signed records", broken == 0, f"{broken} records do not fit their chain")
        self.hold("G7 a chain of signed records", len(rows) > 0, "the ledger is empty")
        archive = self.home / "archive" / "records" / "demo"
        said = subprocess.run([self.root / "build/bin/hfctl", "verify", "--key",
                               self.home / "secrets" / "recorder.pub", archive], capture_output=True, text=True,
                              check=False)
        self.hold("G7 a chain of signed records", said.returncode == 0,
                  f"the archive does not verify: {said.stdout[-200:]}{said.stderr[-200:]}")

    def sealed(self, roster_csv):
        """G8: names and numbers of the roster, looked for in every file that the stack wrote."""
        with open(roster_csv, encoding="utf-8-sig", newline="") as f:
            people = list(csv.DictReader(f))[:CANARIES]
        words = {p["姓名"] for p in people if len(p["姓名"]) >= 3} | {p["本人电话"] for p in people} | \
                {p["身份证号"] for p in people}
        words = {w for w in words if len(w.encode()) >= 9 and w.strip() == w}
        wanted = self.home / "canaries"
        wanted.write_text("\n".join(sorted(words)) + "\n")
        ours = ["--exclude=" + n for n in ("roster.*", "arrivals.csv", "people.csv", "canaries")]
        found = subprocess.run(["grep", "-rlaF", *ours, "-f", str(wanted), str(self.home)], capture_output=True,
                               text=True, check=False, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}).stdout.split("\n")
        found = [str(pathlib.Path(f).relative_to(self.home)) for f in found if f]
        self.hold("G8 sealed", not found, f"a name or number stands in {', '.join(found[:3])}")
        self.hold("G8 sealed", len(words) > 50, "too few words to look for")
        return len(words)
