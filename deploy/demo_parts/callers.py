"""Simulated callers: each a process hf-caller --lines with an outbox of its own, and applicants whose answers are
drawn from the seed, so that the same applicant has the same mind whoever calls."""
import asyncio
import collections
import json
import os
import random
import subprocess
import time
import uuid

NOBODY = [("no-answer", 60), ("powered-off", 16), ("third-party", 8), ("busy", 6), ("rejected", 6), ("no-signal", 4)]
MINDS = [(["confirmed"], 68), (["call-later", "confirmed"], 9), (["considering", "confirmed"], 11),
         (["considering", "considering", "confirmed"], 5), (["will-not-say", "confirmed"], 4),
         (["considering"], 3)]
SILENT = [(0, 52), (1, 24), (2, 11), (3, 6), (4, 4), (99, 3)]     # failed tries before the first talk
TALKS = ("confirmed", "considering", "will-not-say", "call-later", "following", "wavering")

LEASE_S = 6                      # of the demo
LONG_CALLER = "p02"              # whose first call lasts for two and a half leases


def draw(rng, table):
    return rng.choices([x for x, _ in table], [w for _, w in table])[0]


class Applicant:
    def __init__(self, seed, no):
        self.rng = random.Random(f"{seed}/{no}")
        self.silent, self.mind = draw(self.rng, SILENT), list(draw(self.rng, MINDS))
        self.can_be_found = self.rng.random() < 0.6       # by the strike team
        self.arrives = self.rng.random() < 0.965
        self.confirmed = False

    def answer(self, person, stage):
        """The outcome of one more call."""
        if self.silent > 0 and not (person.startswith("s") and self.can_be_found):
            self.silent -= 1
            return draw(self.rng, NOBODY)
        self.silent = 0
        if self.confirmed:
            return "following" if stage >= 3 else "confirmed"
        outcome = self.mind.pop(0) if len(self.mind) > 1 else self.mind[0]
        self.confirmed = outcome == "confirmed"
        return outcome


class Room:
    """What all callers share."""

    def __init__(self, root, home, seed, say):
        self.bin, self.home, self.seed, self.say = root / "build" / "bin", home, seed, say
        self.stats, self.stage = collections.Counter(), 2
        self.applicants = {}         # 考生号 -> Applicant
        self.holds = collections.defaultdict(list)        # case -> [person, token, from, until, verdict]

    def applicant(self, no):
        if no not in self.applicants:
            self.applicants[no] = Applicant(self.seed, no)
        return self.applicants[no]


class Caller:
    def __init__(self, person, room):
        self.person, self.room, self.stats = person, room, room.stats
        self.rng = random.Random(f"{room.seed}/{person}")
        self.waiting, self.by_seq, self.stored, self.settled = {}, {}, set(), 0
        self.stopping, self.talk = False, None
        self.long_call = 2.5 * LEASE_S
        self.asked = 0               # requests for work so far: who asked again since is not asked for twice

    async def start(self):
        agents = self.room.home / "agents"
        with open(agents / f"{self.person}.log", "ab") as log:
            self.proc = await asyncio.create_subprocess_exec(
                str(self.room.bin / "hf-caller"), "--lines", "--agent", str(agents / self.person),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                env={**os.environ, "HF_HOME": str(self.room.home)}, limit=1 << 20)

    def send(self, **what):
        self.asked += "next" in (what["do"], what.get("then"))
        self.proc.stdin.write((json.dumps(what) + "\n").encode())

    def record_of(self, task, outcome):
        talked = outcome in TALKS
        record = {"do": "record", "case": task["case"], "token": task["token"], "outcome": outcome,
                  "channel": "phone", "number": 1, "then": "next", "id": str(uuid.UUID(int=self.rng.getrandbits(128))),
                  "seconds": self.rng.randint(60, 600) if talked else self.rng.randint(5, 40)}
        if talked:
            record["spoke"] = self.rng.choice(["self", "self", "self", "mother", "father"])
        if outcome == "third-party":
            record["spoke"] = "other"
        if outcome == "confirmed":
            record.update(ticks=["cost", "one-school", "consequences"], script="v1")
        if outcome == "considering":
            record["concerns"] = [self.rng.choice(["fees", "distance", "must-discuss", "other-school"])]
        return record

    def on_task(self, task):
        if self.stopping:
            return
        self.stats["tasks"] += 1
        self.stats["strike tasks"] += self.person.startswith("s")
        hold = [self.person, task["token"], time.monotonic(), None, None]
        self.room.holds[task["case"]].append(hold)
        length = self.rng.uniform(0.02, 0.2)
        if self.person == LONG_CALLER and self.long_call:
            length, self.long_call = self.long_call, 0
        asyncio.get_running_loop().call_later(length, self.say, task, hold)

    def say(self, task, hold):
        """The call is over."""
        applicant = self.room.applicant(task["no"])
        record = self.record_of(task, applicant.answer(self.person, self.room.stage))
        hold[3] = time.monotonic()
        self.waiting[record["id"]] = (record, hold)
        if not self.proc.stdin.is_closing():
            self.send(**record)

    async def run(self):
        """Until it is told to finish; a process that was killed is started again over the same outbox."""
        while True:
            if not self.stopping:
                for record, _ in list(self.waiting.values()):
                    self.send(**record)      # the same id: said twice, stored once
                if not self.waiting:
                    self.send(do="next")
            while line := await self.proc.stdout.readline():
                self.on_line(json.loads(line))
            if self.stopping:
                return
            await self.proc.wait()
            await self.start()

    def on_line(self, said):
        if "task" in said:
            self.on_task(said["task"])
        elif "stored" in said:
            got = self.waiting.pop(said["stored"]["id"], None)
            if said["stored"]["id"] not in self.stored:
                self.stored.add(said["stored"]["id"])
                self.stats["stored"] += 1
            if got:
                self.by_seq[said["stored"]["seq"]] = got[1]
        elif "accepted" in said:
            hold = self.by_seq.pop(said["accepted"]["seq"], None)
            if hold:
                hold[4] = said["accepted"]["verdict"]
                self.stats["accepted"] += 1
                self.stats[said["accepted"]["verdict"]] += 1
        elif "settled" in said:
            self.settled = max(self.settled, said["settled"]["upto"])
        elif "error" in said:
            self.stats["errors"] += 1
            if self.stats["errors"] <= 5:
                self.room.say(f"{self.person}: {said['error']}")
        elif "none" in said and said["none"]["reason"] not in ("empty", "closed-until", "paused"):
            self.stats["none:" + said["none"]["reason"]] += 1
            asyncio.get_running_loop().call_later(0.5, self.again, self.asked)

    def again(self, asked):
        if not self.stopping and self.asked == asked:
            self.send(do="next")

    async def finish(self):
        """The last call ends, then stdin: hf-caller waits for what is outstanding and goes."""
        self.stopping = True
        await asyncio.sleep(0.3)
        self.proc.stdin.close()
        try:
            await asyncio.wait_for(self.talk, 30)
            await asyncio.wait_for(self.proc.wait(), 10)
        except asyncio.TimeoutError:
            self.proc.kill()
            self.stats["callers that did not end"] += 1
