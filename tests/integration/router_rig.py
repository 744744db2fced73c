"""A campaign with nothing but Redis, a key store and hf-router: what brokers and hfctl would say is said here by FCALL,
and campaign time stands still until a test moves it."""
import os
import struct

import zmq
import zmq.utils.z85 as z85

import hfp
from agent import ROLES, Agent, FakeKeys
from stack import Stack, wait_for

MONDAY = 1772413200000  # 2026-03-02 09:00 in Shanghai
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
RULES = {"ATTEMPT": 6, "NUMBER": 2, "PAPER": 2, "HANDOVER": 2, "APPROVAL": 2, "CORRECTION": 2, "RULING": 2, "WAIVER": 2,
         "REOPEN": 2, "ADOPT": 2}
ZERO_TOKEN = "0" * 16


def at(text):
    """"2 14:30": that day of March 2026 in Shanghai, in ms."""
    day, _, clock = text.partition(" ")
    hour, _, minute = clock.partition(":")
    return MONDAY + (int(day) - 2) * DAY + (int(hour) - 9) * HOUR + int(minute) * MINUTE


class Rig(Stack):
    def __init__(self, campaign="c1"):
        super().__init__()
        self.campaign = campaign
        (self.dir / "demo").touch()
        self.clock(MONDAY - MINUTE)
        self.keys = FakeKeys(f"ipc://{self.dir}/keys.sock")
        self.campaign_key, self.index_key = os.urandom(32), os.urandom(32)
        self.keys.add(bytes(16), self.campaign_key)
        self.keys.add(bytes(15) + b"\1", self.index_key)
        self.case_keys = {}
        self.office = Agent(campaign)
        self.next_no = {}
        self.sent = {}
        self.write_router_dir()
        self.open_campaign()

    def close(self):
        self.keys.close()
        super().close()

    # -- time ---------------------------------------------------------------------------------------------

    def clock(self, ms):
        self.now = ms
        new = self.dir / "clock.new"
        new.write_text(f"{ms} 0 1000 1\n")
        new.rename(self.dir / "clock")

    # -- the campaign ---------------------------------------------------------------------------------------

    def write_router_dir(self):
        self.router = Agent(self.campaign)
        d = self.dir / "router" / self.campaign
        (d / "persons").mkdir(parents=True)
        secret = z85.decode(self.router.curve_secret)
        (d / "curve.key").write_text(secret.hex() + "\n")
        (d / "sign.key").write_text(bytes(self.router.sign).hex() + "\n")
        (d / "agent.conf").write_text(
            f'campaign = "{self.campaign}"\nbrokers = "{self.broker}"\nbroker_key = "{"00" * 32}"\n'
            f'recorder_key = "{"00" * 32}"\nagent = "{self.router.id.hex()}"\n'
            f'curve_pk = "{self.router.curve_pk.hex()}"\nsign_pk = "{self.router.sign_pk.hex()}"\n')

    def open_campaign(self):
        entries = [("open", 1, os.urandom(16).hex(), "create")]
        for a in (self.router, self.office):
            entries.append(("admit_agent", a.id.hex(), a.curve_pk.hex(), a.sign_pk.hex(), "active"))
        entries += [("admit_person", "admin", ROLES["admin"] | ROLES["data"], "-", 0, "-", 1),
                    ("admit_person", "router", ROLES["system"], "-", 0, "-", 1)]
        self.call("hf1_router", *entries)
        self.call("hf1_broker", ("hello", self.office.ob, self.office.id.hex(), 0, bytes(32), 0, 0))
        self.redis.sadd("hf:campaigns", self.campaign)

    def call(self, function, *entries):
        return self.fcall(function, *[[str(x) if isinstance(x, int) else x for x in e] for e in entries],
                          campaign=self.campaign, now=self.now)

    def start(self, name="hf-router", **env):
        return self.daemon(name, program="hf-router", **env)

    # -- saying ---------------------------------------------------------------------------------------------

    def say(self, kind, person="admin", fields=None, case=None, token=0, body=b"", again=0, **rest):
        """A record as a broker would hand it over; its verdict."""
        a = self.office
        head = hfp.header(kind, person, fields, case=case, token=token, again=again, id=os.urandom(16), **rest)
        sealed = b""
        if body:
            key = self.campaign_key if case is None else self.case_keys[case]
            sealed = hfp.seal(key, body, hfp.body_ad(case, a.ob, a.seq + 1), os.urandom(24))
        prev = a.h
        f0, f1 = a.write(head, sealed)
        flags = RULES.get(kind, 0) + (16 if again else 0)
        reply = self.call("hf1_broker", (
            "record", a.ob, a.seq, prev, a.h, person, hfp.RECORDS.index(kind) + 1, flags, case or b"",
            "%016x" % token if token else ZERO_TOKEN, 0, f0, f1, head))[0]
        assert reply[0] == b"ok", reply
        if case is not None:
            self.sent[case] = (a.ob, a.seq)
        return int(reply[1])

    def person(self, name, roles="caller", team="t1", qualified=1):
        fields = {"subject": name, "roles": sum(ROLES[r] for r in roles.split()), "qualified": qualified}
        self.say("PERSON", fields={**fields, **({"team": team} if team else {})})

    def policy(self, version, text):
        """Proposed by admin, approved by a second person."""
        self.person("second", "callback-head", team="", qualified=0)
        self.say("POLICY", fields={"policy": version}, body=hfp.body(text=text))
        self.say("APPROVAL", "second", {"ref_ob": self.office.ob, "ref_seq": self.office.seq, "verdict": "give"})

    def rows(self, n, numbers=1, reporter="", extra=(), shared=()):
        """Fresh applicants with their keys; [case, no_index, task, indexes, reporter]."""
        out = []
        for i in range(n):
            case, key = os.urandom(16), os.urandom(32)
            self.case_keys[case] = key
            self.keys.add(case, key)
            digits = [f"1990000{len(self.case_keys) * 10 + k:04d}" for k in range(numbers)]
            digits += shared
            task = hfp.pack([1, 1, f"2600{i:06d}", 2, "样本", 14, [["self", d, ""] for d in digits],
                             *([16, list(extra)] if extra else [])])
            out.append([case, os.urandom(8), hfp.seal(key, task, hfp.task_ad(case), os.urandom(24)),
                        b"".join(hfp.index(self.index_key, "num", d) for d in digits), reporter])
        return out

    def send_rows(self, rows, lot=40):
        import_id = os.urandom(16)
        for i in range(0, len(rows), lot):
            self.say("IMPORT", fields={"import": import_id}, body=hfp.body(rows=rows[i:i + lot]))
        return import_id

    def roster(self, n, **more):
        rows = self.rows(n, **more)
        import_id = self.send_rows(rows)
        self.say("COMMIT", fields={"import": import_id, "rows": n})
        wait_for("the cases are there", lambda: self.lane_size("unreleased") >= n)
        return [r[0] for r in rows]

    def next(self, person):
        """(case, token) or the reason why not."""
        self.next_no[person] = self.next_no.get(person, 0) + 1
        r = self.call("hf1_broker", ("grant", self.office.ob, person, self.next_no[person]))[0]
        return (r[1], int(r[2], 16)) if r[0] == b"ok" else r[1].decode()

    def attempt(self, person, lease, outcome="no-answer", **fields):
        case, token = lease
        fields = {"outcome": outcome, "ticks": 7, **fields}
        fields.setdefault("number", self.number(case))
        return self.say("ATTEMPT", person, fields, case=case, token=token)

    def number(self, case, which=0):
        order = list(self.case_keys).index(case) + 1
        return hfp.number_id(self.case_keys[case], f"1990000{order * 10 + which:04d}")

    # -- looking --------------------------------------------------------------------------------------------

    def key(self, suffix):
        return "hf:{%s}:%s" % (self.campaign, suffix)

    def lane_size(self, lane):
        return self.redis.zcard(self.key("lane:" + lane))

    def state(self, case):
        text = self.redis.hget(self.key("cases"), case)
        names = "version owner hand lane due token rseq given flags ob law_at why".split()
        return dict(zip(names, (b.decode() for b in text.split(b"|")[:12])))

    def lane(self, case):
        return self.state(case)["lane"]

    def placed(self, case, lane, due=None, why=None):
        """Waits until the case is there."""
        def there():
            s = self.state(case)
            return (s["lane"] == lane and (due is None or int(s["due"]) == due)
                    and (why is None or s["why"] == why) and "h" not in s["flags"])
        try:
            wait_for(lane, there, 10)
        except AssertionError as e:
            raise AssertionError(f"{self.state(case)}\n{self.log('hf-router')}") from e

    def ready(self):
        wait_for("the router is ready", lambda: "event=ready" in self.log("hf-router"))

    def records(self, kind):
        """What stands in the log of one kind of record: (person, header)."""
        out = []
        for _, e in self.redis.xrange(self.key("log")):
            if e[b"e"].startswith(b"record "):
                f = hfp.read_frame(e[b"r"])[1]
                h = hfp.read_header(f["header"])
                if h["kind"] == kind:
                    out.append((f, h))
        return out

    def counted(self):
        """Imported = sum of lanes + leases, always (G4)."""
        lanes = [x.decode() for x in self.redis.smembers(self.key("lanes"))]
        return sum(self.lane_size(x) for x in lanes) + self.redis.zcard(self.key("leases"))


def be64(n):
    return struct.pack(">Q", n)


assert zmq
