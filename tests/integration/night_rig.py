"""A small campaign with a past: sample applicants, a few calls, all of it recorded and archived. Campaign time is moved
by the tests; what callers would say is said by FCALL."""
import json
import os
import subprocess

import msgpack
import zmq

import hfp
import recorder_rig
from stack import BIN, Stack, wait_for

MONDAY = 1773018000000  # 2026-03-09 09:00 in Shanghai
HOUR, DAY = 3_600_000, 86_400_000
MOVES = 1 | 2 | 4  # with a token, moves the case, binds the owner


class Night(Stack):
    def __init__(self, rows=24):
        super().__init__(pg=True)
        (self.dir / "demo").touch()
        (self.dir / "recorder.conf").write_text("archive_same_device = true\n")
        self.at(MONDAY)
        self.ctl("db", "migrate")
        for name in ("hf-recorder", "hf-broker", "hf-router"):
            self.daemon(name)
        self.ctl("campaign", "create", "c1")
        subprocess.run([str(BIN / "hf-sample"), "--rows", str(rows), "--seed", "3", "--format", "xlsx", "--out",
                        str(self.dir / "roster.xlsx")], check=True)
        self.ctl("roster", "import", self.dir / "roster.xlsx")
        self.ctl("stage", "open", "2")
        self.ctl("pass", "open", "1", "--until", "2026-03-20 18:00")
        for person, role, team in (("p01", "leader,caller", "t1"), ("p02", "caller", "t1"), ("p03", "caller", "t2")):
            self.ctl("person", "set", person, "--roles", role, "--team", team, "--qualified", "yes")
        self.ctl("release", "--count", str(rows - 4), "--seed", "5")
        wait_for("released", lambda: self.redis.zcard("hf:{c1}:lane:pool") == rows - 4)
        self.agent = recorder_rig.Agent()
        self.fcall("hf1_router", ("admit_agent", self.agent.id.hex(), self.agent.curve_pk.hex(),
                                  bytes(self.agent.key.verify_key).hex(), "active"),
                   ("ob", self.agent.ob, self.agent.id.hex()))
        self.next_no = 0
        self.at(MONDAY + HOUR)

    def at(self, ms):
        """Campaign time stands still there."""
        self.now = ms
        new = self.dir / "clock.new"
        new.write_text(f"{ms} 0 1000 1\n")
        new.rename(self.dir / "clock")

    def call(self, person, outcome, more=()):
        """The person pulls a case and says what came of it; the case."""
        def grant():
            self.next_no += 1
            r = self.fcall("hf1_broker", ("grant", self.agent.ob, person, str(self.next_no)), now=self.now)[0]
            self.said = r
            return r if r[0] == b"ok" else None
        r = wait_for(f"a case for {person}", grant)
        fields = {1: outcome, 2: "phone", 4: 70, 7: "self", 8: 7, 12: 0, **dict(more)}
        r2 = self.fcall("hf1_broker", self.agent.say(case=r[1], token=int(r[2], 16), flags=MOVES, person=person,
                                                     fields=tuple(sorted(fields.items()))), now=self.now)[0]
        assert r2[0] == b"ok" and r2[1] == b"0", r2
        return r[1]

    def settle(self):
        """Everything said is in the ledger, and no case waits to be placed."""
        def done():
            r = self.ctl("--json", "queue", "ls", check=False)
            lanes = {x["lane"]: x["cases"] for x in json.loads(r.stdout)["lanes"]} if r.returncode == 0 else {"triage": 1}
            marks = self.redis.hget("hf:{c1}:ob:" + self.agent.ob.hex(), "settled")
            return not lanes.get("triage") and int(marks or 0) >= self.agent.seq
        wait_for("all is placed and recorded", done, 30)

    def run(self, code=0, whole=True):
        r = self.ctl("--json", "reconcile", "run", *(["--whole"] if whole else []), check=False)
        assert code is None or r.returncode == code, (r.returncode, r.stdout, r.stderr)
        return json.loads(r.stdout)

    # -- a withdrawal ---------------------------------------------------------------------------------------

    def case_key(self, case):
        """As the key store says it."""
        with zmq.Context() as z, z.socket(zmq.DEALER) as s:
            s.setsockopt(zmq.RCVTIMEO, 20000)
            s.connect(f"ipc://{self.dir}/keys.sock")
            at, rows = 0, {}
            while True:
                s.send(msgpack.packb(["load", "c1", at]))
                _, at, done, new = msgpack.unpackb(s.recv())
                rows.update({bytes(r[0]): bytes(r[1]) for r in new})
                if done:
                    return rows[case]

    def keep_photo(self, case, plain):
        """The photo lies sealed beside the archive, as the recorder leaves it; its hash."""
        sealed = hfp.seal(self.case_key(case), plain, b"hf1-evidence" + case, os.urandom(24))
        name = recorder_rig.b2(sealed)
        folder = self.dir / "archive" / "evidence" / "c1"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name.hex()).write_bytes(sealed)
        return name

    def withdraw(self, person, signers, photo):
        """The person's next case is withdrawn by papers; the case."""
        case = self.call(person, "withdraw-asked")
        papers = [(person, {39: 63, 13: [self.keep_photo(case, photo)]})]
        for who, fields in papers + [(s, {39: 63, 36: "signed"}) for s in signers]:
            r = self.fcall("hf1_broker", self.agent.say(kind=4, case=case, flags=2, person=who,
                                                        fields=tuple(sorted(fields.items()))), now=self.now)[0]
            assert r[:2] == [b"ok", b"0"], r
            self.settle()
        wait_for("it is withdrawn", lambda: self.sql(
            f"SELECT lane FROM hf.case_state WHERE case_ref = '\\x{case.hex()}'") == [["terminal"]], 30)
        return case
