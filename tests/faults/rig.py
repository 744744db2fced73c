"""The real programs under faults, and the history of what their callers saw.

FaultStack is the whole system of tests/integration/stack.py: two brokers over TCP, each behind a chaos proxy, router,
recorder, Redis, PostgreSQL, a roster in the pool. A Worker drives one hf-caller --lines; whatever dies is started
again. dump() makes the run that check.py judges."""
import contextlib
import json
import os
import pathlib
import queue
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
import check  # noqa: E402
import hfp  # noqa: E402
from stack import BIN, PG_BIN, Stack, wait_for  # noqa: E402

PROXY = ROOT / "build" / "tests" / "faults" / "chaos_proxy"
LEASE_MS, GUARD_MS = 2000, 500


def now():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Proxy:
    def __init__(self, target, seed):
        self.port = free_port()
        self.p = subprocess.Popen([str(PROXY), str(self.port), str(target), str(seed)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True, bufsize=1)
        assert self.p.stdout.readline() == "ready\n"

    def say(self, word):
        self.p.stdin.write(word + "\n")
        assert self.p.stdout.readline() == word + "\n"

    def close(self):
        self.p.stdin.close()
        self.p.wait(10)


class Worker(threading.Thread):
    """Pulls, holds for a moment, records; every act and answer goes into the history."""

    def __init__(self, stack, person, seed, think=0.2, again=0):
        """again: at most so many tries of one case before the last one."""
        super().__init__(daemon=True)
        self.stack, self.person, self.think, self.again = stack, person, think, again
        self.rng = random.Random(f"{seed} {person}")
        self.life, self.stored, self.accepted = 0, 0, 0
        self.stop = threading.Event()
        self.spawn()

    def spawn(self):
        self.life += 1
        self.q = queue.Queue()
        self.p = subprocess.Popen([str(BIN / "hf-caller"), "--lines", "--agent", str(self.stack.dir / self.person),
                                   "--linger", "20000"],
                                  env=self.stack.env(**self.stack.more_env.get(self.person, {})), stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1)
        threading.Thread(target=self.read, args=(self.p, self.q), daemon=True).start()

    def read(self, p, q):
        """All that is said goes into the history as it comes; tasks and ends wake the worker."""
        for line in p.stdout:
            if not line.endswith("\n"):
                break
            said = json.loads(line)
            for op, fields in (("task", ("case", "token")), ("stored", ("id", "seq")),
                               ("accepted", ("seq", "verdict"))):
                if op in said:
                    more = {k: said[op][k] for k in fields}
                    if op == "stored":
                        more["id"] = more["id"].replace("-", "")
                        self.stored += 1
                    if op == "accepted":
                        self.accepted += 1
                    self.stack.note(self.person, self.life, op, **more)
            if "error" in said:
                self.stack.note(self.person, self.life, "error", code=said["error"].get("code", ""))
            for op in ("blocked", "link", "person"):
                if op in said:
                    self.stack.note(self.person, self.life, op, said=said[op])
            if "none" in said:
                self.stack.note(self.person, self.life, "none", reason=said["none"]["reason"])
            q.put(said)
        self.stack.note(self.person, self.life, "died")
        q.put(None)

    def say(self, op, more, **what):
        self.stack.note(self.person, self.life, op, **more)
        with contextlib.suppress(BrokenPipeError, ValueError):
            self.p.stdin.write(json.dumps(what) + "\n")
            self.p.stdin.flush()

    def record(self, task, then, **more):
        i = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        said = dict(outcome="no-answer")
        if self.rng.random() < 0.1 and not more.get("again"):     # a last word is no try among several
            said = dict(outcome="confirmed", spoke="self", ticks=["cost", "one-school", "consequences"], script="v1")
        self.say("record", dict(id=i.replace("-", ""), case=task["case"], token=task["token"], outcome=said["outcome"]),
                 do="record", case=task["case"], token=task["token"], channel="phone", number=1,
                 seconds=self.rng.randrange(1, 60), then=then, id=i, **{**said, **more})

    def run(self):
        self.say("next", {}, do="next")
        said_of, tries = None, 0     # the task in hand, its process, and how much was stored when it came
        while not self.stop.is_set():
            try:
                said = self.q.get(timeout=0.5)
            except queue.Empty:
                continue
            if said is None:
                if self.stop.is_set():
                    return
                self.p.wait(20)
                self.spawn()
                self.say("next", {}, do="next")
            elif "task" in said:
                if self.rng.random() < 0.5:
                    self.stop.wait(self.rng.random() * self.think)
                for _ in range(self.rng.randrange(self.again + 1)):
                    self.record(said["task"], "stay", again=True)
                said_of, tries = (said["task"], self.life, self.stored), 0
                self.record(said["task"], "stay" if self.stop.is_set() else "next")
            elif "error" in said and said["error"].get("code") == "disk":
                self.p.kill()        # an fsync that failed is never tried again: the program is begun anew
            elif "error" in said and said_of and said_of[1:] == (self.life, self.stored) and tries < 5:
                tries += 1
                self.stop.wait(0.1)  # it was not stored, as a person was told: once more
                self.record(said_of[0], "next")
            elif "error" in said or "none" in said and said["none"]["reason"] not in (
                    "empty", "closed-until", "paused"):
                self.stop.wait(0.1)
                self.say("next", {}, do="next")

    def finish(self):
        """Ends the life in hand; a last one sends what is left."""
        self.stop.set()
        self.join(30)
        with contextlib.suppress(BrokenPipeError):
            self.p.stdin.close()
        self.p.wait(60)

    def drain(self):
        self.spawn()
        self.p.stdin.close()
        self.p.wait(60)


class FaultStack(Stack):
    def __init__(self, seed, workers=6, cases=400, think=0.2, proxied=True, recorder="", prepare=None):
        """recorder: lines of recorder.conf; prepare(stack): called before the first of our programs begins."""
        super().__init__(pg=True)
        (self.dir / "recorder.conf").write_text(recorder)
        self.timed, self.heal_began = [], None     # lines of runbooks with their seconds; when the healing began
        self.seed, self.names, self.cases = seed, [f"p{i:02d}" for i in range(workers)], cases
        self.think, self.again = think, 0
        self.history, self.lock, self.workers, self.faults = [], threading.Lock(), [], []
        self.halted = self.recovered = self.cut = False
        self.more_env = {}           # program or person -> what its environment has more
        self.ports = [free_port(), free_port()]
        self.proxies = [Proxy(port, seed + i) for i, port in enumerate(self.ports)] if proxied else []
        self.broker = " ".join(f"tcp://127.0.0.1:{p}" for p in self.ports)
        self.write_env()
        try:
            if prepare is not None:
                prepare(self)
            self.build_up()
        except BaseException:        # nobody else would end what was begun
            self.close()
            raise

    def build_up(self):
        (self.dir / "broker.conf").write_text(f"lease_ms = {LEASE_MS}\nguard_ms = {GUARD_MS}\n")
        (self.dir / "recorder.conf").write_text("archive_same_device = true\narchive_wait = 1\n")
        (self.dir / "demo").touch()
        # a minute a second, from Monday 2026-03-09 09:00: what is to be retried comes back while we watch
        (self.dir / "clock").write_text(f"1773018000000 {int(now() * 1e6)} 60000 0\n")
        self.ctl("db", "migrate")
        for name in ("hf-recorder", "hf-broker0", "hf-broker1", "hf-router"):
            self.begin(name)
        self.ctl("campaign", "create", "c1")
        for p in self.names:
            self.ctl("person", "set", p, "--roles", "caller", "--team", "t1", "--qualified", "yes")
            self.ctl("agent", "enrol", "--person", p, "--out", self.dir / p)
            conf = self.dir / p / "agent.conf"
            text = conf.read_text()
            for port, proxy in zip(self.ports, self.proxies):
                text = text.replace(f":{port}", f":{proxy.port}")
            conf.write_text(text)
        subprocess.run([str(BIN / "hf-sample"), "--rows", str(self.cases), "--seed", str(self.seed), "--format", "csv",
                        "--out", str(self.dir / "roster.csv")], check=True)
        for act in (("roster", "import", self.dir / "roster.csv"), ("stage", "open", "2"),
                    ("pass", "open", "1", "--until", "2026-03-09 20:30"), ("release", "--all", "--seed", "1")):
            r = self.ctl(*act, check=False)
            assert r.returncode in (0, 75), (act, r.stdout, r.stderr)     # 75: accepted; a busy machine needs longer
        wait_for("all are released", lambda: self.redis.zcard("hf:{c1}:lane:pool") > self.cases // 2
                 and not any(self.redis.zcard("hf:{c1}:lane:" + x) for x in ("unreleased", "triage")), 60)

    # -- programs -----------------------------------------------------------------------------------

    def begin(self, name):
        if name == "redis":
            self.spawn("redis", ["redis-server", self.dir / "redis.conf"])
            wait_for("redis answers", self._ping)
        elif name == "postgres":
            self.pg_begin()
        elif name.startswith("hf-broker"):
            self.daemon(name, "--bind", f"tcp://127.0.0.1:{self.ports[int(name[-1])]}", program="hf-broker",
                        **self.more_env.get(name, {}))
        else:
            self.daemon(name, program=name.rstrip("2"), **self.more_env.get(name, {}))

    def pg_begin(self):
        """Its predecessor's children may still be going away: tries until it stands."""
        user = "postgres" if os.getuid() == 0 else None
        argv = [f"{PG_BIN}/postgres", "-D", self.dir / "pg", "-k", self.dir, "-c", "listen_addresses=", "-c",
                "max_connections=40", "-c", "timezone=Asia/Shanghai"]

        def stands():
            p = self.procs.get("postgres")
            if p is None or p.poll() is not None:
                self.spawn("postgres", argv, user=user)
            return subprocess.run([f"{PG_BIN}/pg_isready", "-q", "-h", self.dir], check=False).returncode == 0
        wait_for("PostgreSQL answers", stands, 40)

    def heal(self):
        for p in self.proxies:
            p.say("pass")
        for name in ("redis", "postgres", "hf-recorder", "hf-broker0", "hf-broker1", "hf-router"):
            p = self.procs.get(name)
            if p is None or p.poll() is not None:
                self.begin(name)
            else:
                p.send_signal(signal.SIGCONT)

    # -- histories ----------------------------------------------------------------------------------

    def note(self, who, life, op, **more):
        with self.lock:
            self.history.append(dict(t=now(), who=who, life=life, op=op, **more))

    def fault(self, what):
        self.faults.append(what)
        self.note("-", 0, "fault", what=what)

    def work(self):
        self.workers = [Worker(self, p, self.seed, self.think, self.again) for p in self.names]
        for w in self.workers:
            w.start()

    def stored(self):
        return sum(w.stored for w in self.workers)

    def accepted(self):
        return sum(w.accepted for w in self.workers)

    def healing(self):
        """From now on the operator, or whoever restarts things, is at work."""
        self.heal_began = now()

    def progress(self, records=5, limit=40.0):
        before = self.stored()
        wait_for("records are stored", lambda: self.stored() >= before + records, limit)

    def finish(self, limit=60):
        """Everything is healed: what was stored arrives, and the queue comes to rest."""
        self.heal()
        for w in self.workers:
            w.finish()
        for w in self.workers:
            w.drain()
        ids = {e["id"] for e in self.history if e["op"] == "stored"}
        wait_for("I14 all that was stored is in the ledger",
                 lambda: int(self.sql("SELECT count(DISTINCT id) FROM hf.ledger WHERE kind = 1")[0][0]) >= len(ids), limit)
        wait_for("I14 no lease is left", lambda: self.redis.zcard("hf:{c1}:leases") == 0, limit)
        wait_for("I14 nothing is left in doubt", lambda: self.redis.zcard("hf:{c1}:lane:doubt") == 0, limit)
        wait_for("I14 nothing is left in triage", lambda: self.redis.zcard("hf:{c1}:lane:triage") == 0, limit)

        def recorded():
            last = max(tuple(map(int, i.split(b"-"))) for i, f in self.redis.xrange("hf:{c1}:log")
                       if not f[b"e"].startswith(b"mark "))  # its own marks may wait for company
            return tuple(map(int, self.sql("SELECT epoch, no FROM hf.cursor WHERE reader = 'recorder'")[0])) >= last
        wait_for("I14 the recorder has read all", recorded, limit)
        # Its timers would go on moving cases between one look of the dump and the next.
        if self.procs["hf-router"].poll() is None:
            self.kill("hf-router")
        wait_for("I14 the recorder has read what the router still said", recorded, limit)

    # -- the dump -----------------------------------------------------------------------------------

    def log_entries(self):
        return [self.entry(f) for _, f in self.redis.xrange("hf:{c1}:log")]

    @staticmethod
    def entry(f):
        kind, opseq = f[b"e"].decode().split(" ")[:2]
        return [kind, int(opseq), f[b"c"].hex(), f[b"s"].decode(), f[b"d"].decode(errors="replace")]

    def ledger(self):
        names = "no ob seq prev_h h bc header body sig verdict kind person case token id outcome seconds".split()
        rows = self.sql(
            "SELECT no, encode(ob,'hex'), seq, encode(prev_h,'hex'), encode(h,'hex'), encode(bc,'hex'), "
            "encode(header,'hex'), encode(body,'hex'), encode(sig,'hex'), verdict, kind, person, "
            "encode(case_ref,'hex'), lpad(to_hex(coalesce(token,0)),16,'0'), encode(id,'hex'), coalesce(outcome,''), "
            "coalesce(seconds,0) FROM hf.ledger ORDER BY no")
        out = [dict(zip(names, row)) for row in rows]
        for r in out:
            for k in ("no", "seq", "verdict", "kind", "seconds"):
                r[k] = int(r[k] or 0)
        return out

    def canaries(self):
        """Names and numbers of the roster, looked for in all that the programs wrote."""
        head, *rows = [line.split(",") for line in (self.dir / "roster.csv").read_text("utf-8-sig").splitlines()[:9]]
        at = [head.index(k) for k in ("姓名", "本人电话", "身份证号") if k in head]
        words = [row[i].encode() for row in rows for i in at if len(row[i]) > 2]
        assert len(words) >= 10, head
        found = []
        for base, _, files in os.walk(self.dir):
            for name in files:
                path = os.path.join(base, name)
                if name != "roster.csv" and os.path.isfile(path):
                    data = pathlib.Path(path).read_bytes()
                    if any(w in data for w in words):
                        found.append(os.path.relpath(path, self.dir))
        return found

    def archive(self):
        """The segments as they lie on the disk (ARCHITECTURE.md 4.1)."""
        segments, entries = [], []
        for path in sorted((self.dir / "archive" / "records" / "c1").glob("*.seg")):
            data = path.read_bytes()
            number, prev, body = struct.unpack(">Q", data[8:16])[0], data[16:48].hex(), data[116:-64]
            segments.append([number, prev, hfp.hash32(data[:-64]).hex()])
            while body:
                n, body, texts = struct.unpack(">I", body[16:20])[0], body[20:], []
                for _ in range(n):
                    size = struct.unpack(">I", body[:4])[0]
                    texts.append(body[4:4 + size])
                    body = body[4 + size:]
                entries.append(self.entry(dict(zip(texts[::2], texts[1::2]))))
        return dict(segments=segments, entries=entries)

    def bounds(self):
        """What must stay small: memory and descriptors of each daemon, the log."""
        out = [["entries of the log", self.redis.xlen("hf:{c1}:log"), 200000]]
        for name, p in self.procs.items():
            if name.startswith("hf-") and p.poll() is None:
                proc = pathlib.Path(f"/proc/{p.pid}")
                with contextlib.suppress(OSError):
                    status = (proc / "status").read_text().split("VmRSS:")[1].split()
                    out += [[f"KiB of {name}", int(status[0]), 300 << 10],
                            [f"descriptors of {name}", len(os.listdir(proc / "fd")), 200]]
        return out

    def rest(self):
        ids = {e["id"] for e in self.history if e["op"] == "stored"}
        rows = int(self.sql("SELECT count(DISTINCT id) FROM hf.ledger WHERE kind = 1")[0][0])
        count = {what: self.redis.zcard("hf:{c1}:" + what) for what in ("leases", "lane:doubt", "lane:triage")}
        return dict(count, unsent=max(0, len(ids) - rows))

    def figures(self):
        """What C and SQL each make of the ledger."""
        contacts = {r[0]: [int(r[1]), int(r[2])] for r in self.sql(
            "SELECT encode(case_ref,'hex'), attempts, seconds FROM hf.v_figure")}
        theirs = {r[0]: int(r[1]) for r in self.sql("SELECT person, amount FROM hf.pay_sheet('c1')")}
        ours = {r["person"]: round(float(r["pay"]) * 100)
                for r in json.loads(self.ctl("--json", "--campaign", "c1", "pay", "show").stdout)["rows"]}
        return dict(contacts=contacts, pay=[[p, ours.get(p), theirs.get(p)] for p in sorted(set(ours) | set(theirs))])

    def more(self):
        """What the newer rules of check.py judge."""
        lanes = {r[0]: [int(r[1]), int(r[2])] for r in self.sql("SELECT lane, waiting, held FROM hf.v_lane_counts")}
        leases = self.sql("SELECT encode(case_ref,'hex'), lpad(to_hex(token),16,'0'), person FROM hf.lease_log")
        upto = {k.decode().rsplit(":", 1)[1]: int(self.redis.hget(k, "released") or 0)
                for k in self.redis.keys("hf:{c1}:ob:*")}
        tasks = json.loads(self.ctl("--json", "--campaign", "c1", "strike", "list").stdout)["tasks"]
        return dict(lanes=lanes, leases=leases, released=upto, archive=self.archive(), rest=self.rest(),
                    bounds=self.bounds(), strike=[t["case"] for t in tasks], finals=["confirmed"], **self.figures())

    def dump(self):
        red = self.redis
        cases = {c.hex(): v.split(b"|") for c, v in red.hgetall("hf:{c1}:cases").items()}
        boxes = {k.decode().rsplit(":", 1)[1]: red.hmget(k, "upto", "h") for k in red.keys("hf:{c1}:ob:*")}
        states = self.sql("SELECT encode(case_ref,'hex'), version, coalesce(owner,'-'), coalesce(hand,'-'), lane, "
                          "lpad(to_hex(token),16,'0') FROM hf.case_state")
        agents = self.sql("SELECT encode(o.ob,'hex'), encode(a.sign_pk,'hex') FROM hf.outbox o JOIN hf.agent a "
                          "USING (campaign, agent)")
        with self.lock:
            history = list(self.history)
        return dict(
            history=history, ledger=self.ledger(), log=self.log_entries(), lease_s=LEASE_MS / 1000,
            cases={c: b"|".join(v[:12]).decode() + "|" for c, v in cases.items()},
            states={s[0]: [int(s[1]), *s[2:]] for s in states}, agents=dict(agents),
            boxes={ob: [int(v[0]), v[1].hex()] for ob, v in boxes.items() if v[0]}, found=self.canaries(),
            halted=self.halted, recovered=self.recovered, cut=self.cut, seed=self.seed, **self.more())

    def judge(self):
        run = self.dump()
        findings = check.check(run)
        if findings:
            keep = ROOT / "build" / "test" / f"faults-{self.seed}.json"
            keep.parent.mkdir(parents=True, exist_ok=True)
            keep.write_text(json.dumps(run))
            findings.append(f"the run is kept in {keep}")
        assert not findings, "\n".join(findings[:20] + findings[-1:])
        ops = [e["op"] for e in run["history"]]
        print(f"seed {self.seed}: {len(self.faults)} faults, {ops.count('stored')} stored, {ops.count('accepted')} "
              f"accepted, {len(run['ledger'])} in the ledger, {sum(r['verdict'] == 1 for r in run['ledger'])} late, "
              f"{len(run['archive']['entries'])} archived in {len(run['archive']['segments'])} segments, "
              f"{sum(r['outcome'] in run['finals'] for r in run['ledger'])} final")
        return run

    def close(self):
        for w in self.workers:
            w.stop.set()
            if w.p.poll() is None:
                w.p.send_signal(signal.SIGCONT)
                w.p.kill()
                w.p.wait(10)
        for p in self.proxies:
            p.close()
        for p in self.procs.values():
            with contextlib.suppress(ProcessLookupError):
                p.send_signal(signal.SIGCONT)
        super().close()
