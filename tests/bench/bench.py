"""Side by side in one run: hf-broker, an echo on the same sockets, raw Redis; one table with ratios.

Each number of agents has a stack of its own (Redis with appendfsync always, an open campaign, cases in
the pool). Within it the rows take turns, repetition by repetition, so that a neighbour who is busy for
a while slows all of them. A repetition is a new process of the load generator. Beside each rate stands
what a cycle cost in processor time, of the server (broker or echo), of Redis and of the load generator:
that holds on a busy machine too. Last comes what each duty costs alone."""
import hashlib
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

import redis as redis_py  # noqa: E402
from agent import FakeKeys, ROLES  # noqa: E402
from stack import Stack, wait_for  # noqa: E402

import whole  # noqa: E402

TOOLS = HERE.parents[1] / "build" / "tests" / "bench"
REPEATS = int(os.environ.get("BENCH_REPEATS", "5"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "1.5"))
WARM = 0.4  # seconds before the time measured: WARM_US of raw.c
AGENTS = [int(n) for n in os.environ.get("BENCH_AGENTS", "8 64 512").split()]
BODY = 600
LOW, TOP = 70_000, 90_000  # cases in the pool: topped up before a repetition, outside of the time measured
CASES_MAX = 1_200_000


def case_of(i):
    return hashlib.blake2b(b"bench case %d" % i, digest_size=16).digest()


class Keys(FakeKeys):
    """Rows are computed when asked for: key = the reference twice."""

    def __init__(self, endpoint, count):
        self.fixed = [[bytes(15) + bytes([last]), bytes([65 + last]) * 32] for last in range(3)]
        self.count = count
        super().__init__(endpoint)

    def _page(self, start):
        rows = (self.fixed[start:] if start < 3 else []) + [
            [c, c + c] for c in map(case_of, range(max(start, 3) - 3, min(start + 997, self.count)))]
        return rows, start + len(rows), int(start + len(rows) >= self.count + 3)

    def _serve(self):
        # As FakeKeys, but sleeping: nothing new ever comes.
        import agent as wire
        while not self.stopping.is_set():
            if self.sock.poll(500):
                rid, payload = self.sock.recv_multipart()
                self._send(rid, wire.unpack(payload)[2])
        self.sock.close()


class Rig(Stack):
    def __init__(self, agents):
        self.agents, self.made, self.cycles = agents, 0, 0
        super().__init__()
        for key, value in (("auto-aof-rewrite-percentage", "0"), ("maxmemory", "4gb")):
            self.redis.config_set(key, value)
        self.router(("open", 1, "a" * 32, "bench"))
        self.redis.sadd("hf:campaigns", "c1")
        self.admit()
        self.keys = Keys(f"ipc://{self.dir}/keys.sock", min(CASES_MAX, 150_000 + 2 * REPEATS * 60_000))
        self.top_up()
        self.daemon("broker", "--bind", f"ipc://{self.dir}/b.sock", program="hf-broker")
        wait_for("the broker has the keys", lambda: "keys.loaded" in self.whole_log("broker"), 60)
        self.spawn("echo", [TOOLS / "echo", f"ipc://{self.dir}/e.sock"], notify=True)
        self.spawn("echo-curve", [TOOLS / "echo", f"ipc://{self.dir}/ec.sock",
                                  (self.dir / "secrets" / "broker.key").read_text().strip()], notify=True)
        self.broker_pk = (self.dir / "secrets" / "broker.pub").read_text().strip()

    def whole_log(self, name):
        return (self.logs / f"{name}.log").read_text(errors="replace")

    def router(self, *entries):
        replies = self.fcall("hf1_router", *entries)
        bad = [r for r in replies if r[0] != b"ok"]
        assert not bad, bad[0]
        return replies

    def admit(self):
        """The load's agents, and one more for raw FCALLs."""
        out = subprocess.run([TOOLS / "load", "--print-keys", str(self.agents + 1)], check=True,
                             capture_output=True, text=True).stdout
        entries = []
        for line in out.splitlines():
            agent, curve, sign, person, person_pk = line.split()
            entries += [("admit_agent", agent, curve, sign, "active"),
                        ("admit_person", person, ROLES["caller"], "t1", 1, person_pk, 1),
                        ("offer", person, 5, f"own:{person}:due", "team:t1", "pool")]
        for i in range(0, len(entries), 300):
            self.router(*entries[i:i + 300])

    def top_up(self):
        have = self.redis.zcard("hf:{c1}:lane:pool")
        want = 0 if have >= LOW else TOP - have
        while want > 0:
            n = min(500, want)
            assert self.made + n <= self.keys.count, "more cases than keys"
            self.router(*(("create", case_of(i), "pool", 1, b"t" * 200, "", "-", b"")
                          for i in range(self.made, self.made + n)))
            self.made += n
            want -= n
        if self.redis.xlen("hf:{c1}:log") > 150_000:  # nobody reads it here but the broker, who is at its end
            last = self.redis.xrevrange("hf:{c1}:log", count=1)[0][0].decode()
            self.router(("cursor", "bench", last))
            self.fcall("hf1_recorder", ("trim", last))

    def fill_stream(self, n):
        r = self.redis
        r.delete("bench")
        r.xgroup_create("bench", "g", id="0", mkstream=True)
        for at in range(0, n, 2000):
            p = r.pipeline(transaction=False)
            for _ in range(min(2000, n - at)):
                p.execute_command("XADD", "bench", "*", "b", b"x" * BODY)
            p.execute()

    def tool(self, name, *args, watch):
        """Runs it; the processor time of the processes named in watch comes back as cpu_<name>."""
        pids = ",".join(str(self.procs[w].pid) for w in watch)
        args += ("--watch", pids) if name == "load" else (pids,)
        p = subprocess.run([TOOLS / name, *map(str, args)], capture_output=True, text=True,
                           timeout=SECONDS + 60)
        if p.returncode != 0:
            print(f"{name} {args}: exit {p.returncode} {p.stdout} {p.stderr}", file=sys.stderr)
            return None
        got = {k: float(v) for k, v in (w.split("=") for w in p.stdout.split())}
        for i, w in enumerate(watch):
            got["cpu_redis" if w == "redis" else "cpu_server"] = got.pop(f"cpu{i}")
        return got

    def load(self, socket, *flags, curve=True, **options):
        if socket == "b":
            self.top_up()
        args = ["--connect", f"ipc://{self.dir}/{socket}.sock", "--agents", self.agents, "--seconds", SECONDS,
                *flags]
        options.setdefault("body", BODY)
        if curve:
            args += ["--server-key", self.broker_pk]
        for key, value in options.items():
            args += [f"--{key}", value]
        return self.tool("load", *args, watch={"b": ("broker", "redis"), "e": ("echo",), "ec": ("echo-curve",)}[socket])

    def raw(self, kind, first, last):
        if kind == "streams":
            self.fill_stream(int((40_000 if first < 32 else 80_000) * (WARM + SECONDS)))  # none may find it empty
        else:
            self.top_up()
        return self.tool("raw", kind, f"unix:{self.dir}/redis.sock", "admin",
                         (self.dir / "secrets" / "redis-admin").read_text(), first, SECONDS, last, watch=("redis",))

    # -- duties: what an entry of a batch costs inside Redis, by kind of entry ---------------------------

    def fcall_us(self, entries):
        """µs an entry, of one FCALL; and the replies."""
        before = self.redis.info("commandstats").get("cmdstat_fcall", {"usec": 0})["usec"]
        replies = self.fcall("hf1_broker", *entries)
        spent = self.redis.info("commandstats")["cmdstat_fcall"]["usec"] - before
        assert replies[0][0] == b"ok", replies[0]
        return spent / len(entries), replies

    def duties(self):
        """Rows (name, µs an entry), medians; each kind does what the one above does, and more."""
        n, persons = 64, self.agents
        obs = [hashlib.blake2b(b"duty%d" % i, digest_size=16).digest() for i in range(n)]
        agent = next(iter(self.redis.hkeys("hf:{c1}:agents"))).decode()
        self.fcall("hf1_broker", *(("hello", ob, agent, 0, bytes(32), 1, f"p{i % persons}", 0)
                                   for i, ob in enumerate(obs)))
        spent = {}
        for turn in range(1, 4 * REPEATS + 1):
            self.top_up()
            h = [bytes([turn - 1]) * 32 if turn > 1 else bytes(32), bytes([turn]) * 32]
            mid = bytes([turn | 128]) * 32

            def say(name, entries):
                us, replies = self.fcall_us(list(entries))
                spent.setdefault(name, []).append(us)
                return replies

            def record(i, seq, old, new, case, token, size):
                return ("record", obs[i], seq, old, new, f"p{i}", 1, 2, case, token, 0, b"f" * 400, b"b" * size,
                        b"h" * 200, "")

            say("one field read (knows)", (("knows", obs[i], f"p{i}") for i in range(n)))
            held = say("a case handed out: fence, lane, lease, case state, log entry, task (grant)",
                       (("grant", obs[i], f"p{i}", turn) for i in range(n)))
            say("a case state read and written (renew)",
                (("renew", obs[i], held[i][1], held[i][2], 0) for i in range(n)))
            say("chain and log entry: a record without case or body",
                (record(i, 2 * turn - 1, h[0], mid, b"", "0" * 16, 0) for i in range(n)))
            say("the whole: a record of 600 B that ends its lease and moves its case",
                (record(i, 2 * turn, mid, h[1], held[i][1], held[i][2], BODY) for i in range(n)))
        return [(name, statistics.median(v)) for name, v in spent.items()]

    def close(self):
        self.keys.close()
        super().close()


def rows_of(rig):
    """(key of the row, what to run), in the order of the turns."""
    n = rig.agents
    rows = [(("broker", n, "two"), lambda: rig.load("b")),
            (("broker", n, "one"), lambda: rig.load("b", "--one")),
            (("echo+curve", n, "two"), lambda: rig.load("ec", "--echo")),
            (("echo+curve", n, "one"), lambda: rig.load("ec", "--echo", "--one")),
            (("echo", n, "two"), lambda: rig.load("e", "--echo", curve=False)),
            (("echo", n, "one"), lambda: rig.load("e", "--echo", "--one", curve=False))]
    if n <= 64:
        rows += [(("streams", n, "two"), lambda: rig.raw("streams", n, "two")),
                 (("streams", n, "one"), lambda: rig.raw("streams", n, "one"))]
    if n == 8:
        rows += [(("fcall", 1, "two"), lambda: rig.raw("fcall", n, 0)),
                 (("fcall paced", 1, "two"), lambda: rig.raw("fcall", n, 1000))]
    if n == 64:
        rows += [(("broker, empty bodies", n, "two"), lambda: rig.load("b", body=0)),
                 (("broker paced", n, "two"), lambda: rig.load("b", rate=rig.half)),
                 (("broker paced, AOF rewrite", n, "two"),
                  lambda: whole.during_rewrite(rig, lambda: rig.load("b", rate=rig.half))),
                 (("fcall at broker's pace", 1, "two"), lambda: rig.raw("fcall", n, rig.half))]
    return rows


def measure(results, agents):
    rig = Rig(agents)
    try:
        rig.half = 1000
        if agents == 64:
            DUTIES.extend(rig.duties())
            BESIDE.extend(whole.queued_memory(rig, case_of))
        for rep in range(REPEATS):
            for key, run in rows_of(rig):
                got = run()
                if got is None:
                    FAILED.append(key)
                else:
                    results.setdefault(key, []).append(got)
                    odd = {k: int(v) for k, v in got.items() if k in ODD and v}
                    print(f"{rep + 1}/{REPEATS} {key[1]:4} {key[0]:22} {key[2]} {got['cycles_s']:8.0f}/s "
                          f"p50 {got['p50']:.0f} p99 {got['p99']:.0f} {odd or ''}", file=sys.stderr, flush=True)
                if key[0] == "broker" and key[2] == "two" and rep == 0 and got:
                    rig.half = int(got["cycles_s"] / 2)
    finally:
        rig.close()


DUTIES = []
FAILED = []  # keys of rows, once for each repetition that ended with an error
BESIDE = []  # rows of the last table
ODD = ("none", "nack", "lost", "repeats", "undone", "failures")


def median(results, key, what):
    values = [r[what] for r in results.get(key, ()) if what in r]
    return statistics.median(values) if values else None


def shown(results, key, what):
    value = median(results, key, what)
    return "" if value is None else f"{value:.1f}"


def ratios(results):
    """The broker against the echo on the same sockets and against raw Redis Streams."""
    out = ["| agents | messages | broker / echo, CURVE | broker / echo, no CURVE | broker / Streams |", "|---|---|---|---|---|"]
    for n in AGENTS:
        for mode in ("two", "one"):
            mine = median(results, ("broker", n, mode), "cycles_s")
            other = [median(results, (who, n, mode), "cycles_s") for who in ("echo+curve", "echo", "streams")]
            if mine:
                out.append(f"| {n} | {mode} | " + " | ".join(f"{mine / o:.2f}" if o else "" for o in other) + " |")
    return out


def duty_rows(results):
    out = ["| duty | µs |", "|---|---|"]
    out += [f"| in Redis, an entry of a batch of 64: {name} | {us:.1f} |" for name, us in DUTIES]
    bare, curve = (median(results, (who, 64, "two"), "cpu_server") for who in ("echo", "echo+curve"))
    if bare and curve:
        out.append(f"| CURVE on the server's side: a cycle of two messages and their answers, echo | {curve - bare:.1f} |")
    whole, empty = (median(results, (who, 64, "two"), "cpu_server") for who in ("broker", "broker, empty bodies"))
    redis_whole, redis_empty = (median(results, (who, 64, "two"), "cpu_redis")
                                for who in ("broker", "broker, empty bodies"))
    if whole and empty:
        out.append(f"| a body of {BODY} B instead of none: broker | {whole - empty:.1f} |")
        out.append(f"| a body of {BODY} B instead of none: Redis | {redis_whole - redis_empty:.1f} |")
    costs = subprocess.run([TOOLS / "cost"], check=True, capture_output=True, text=True).stdout
    for line in costs.split():
        name, us = line.split("=")
        out.append(f"| {name.replace(':', ', ').replace('_', ' ')} | {us} |")
    return out


def table(results):
    base = {}
    out = ["| who | agents | messages | cycles/s, median (min-max) | NEXT p50, µs | NEXT p99, µs | CPU of server, µs a cycle "
           "| of Redis | of load | broker / this |", "|---|---|---|---|---|---|---|---|---|---|"]
    for key in results:
        if key[0] == "broker":
            base[key[1:]] = median(results, key, "cycles_s")
    for key in sorted(results, key=lambda k: (k[1], k[2] == "one", ORDER.index(k[0]))):
        rates = [r["cycles_s"] for r in results[key]]
        mine = base.get(key[1:])
        ratio = f"{mine / statistics.median(rates):.2f}" if mine and "paced" not in key[0] else ""
        out.append(f"| {NAMES[key[0]]} | {key[1]} | {key[2]} | {statistics.median(rates):.0f} "
                   f"({min(rates):.0f}-{max(rates):.0f}) | {median(results, key, 'p50'):.0f} | "
                   f"{median(results, key, 'p99'):.0f} | {shown(results, key, 'cpu_server')} | "
                   f"{shown(results, key, 'cpu_redis')} | {shown(results, key, 'own')} | {ratio} |")
    out += ["", *ratios(results), "", *duty_rows(results)]
    paced = median(results, ("broker paced", 64, "two"), "p99")
    alone = median(results, ("fcall at broker's pace", 1, "two"), "p99")
    if paced and alone:
        out.append(f"\nNEXT at half load, 64 agents: p99 is {paced / alone:.1f} times that of one raw FCALL "
                   "that is asked for as often as one connection can.")
    rewriting = median(results, ("broker paced, AOF rewrite", 64, "two"), "p99")
    if paced and rewriting:
        out.append(f"\nDuring an AOF rewrite ({median(results, ('broker paced, AOF rewrite', 64, 'two'), 'rewrites'):.0f} a "
                   f"repetition): {rewriting / paced:.1f} times the p99 without, {rewriting / alone:.1f} times that of the raw "
                   "FCALL.")
    odd = {f"{k[0]} {k[1]} {k[2]}": {w: int(sum(r.get(w, 0) for r in v)) for w in ODD if sum(r.get(w, 0) for r in v)}
           for k, v in results.items()}
    odd = {k: v for k, v in odd.items() if v}
    short = [f"{' '.join(map(str, k))}: {FAILED.count(k)} of {REPEATS}" for k in dict.fromkeys(FAILED)]
    out.append(f"\nAnswers that were not the expected ones, sums: {odd or 'none'}. Repetitions that failed: "
               f"{'; '.join(short) or 'none'}.")
    return "\n".join(out)


ORDER = ["broker", "broker, empty bodies", "broker paced", "broker paced, AOF rewrite", "echo+curve", "echo", "streams", "fcall", "fcall paced", "fcall at broker's pace"]
NAMES = {"broker": "hf-broker, CURVE", "broker, empty bodies": "hf-broker, CURVE, records without body",
         "broker paced": "hf-broker, CURVE, paced to half of its rate",
         "broker paced, AOF rewrite": "the same, while Redis rewrites its AOF",
         "echo+curve": "echo, CURVE", "echo": "echo, no CURVE", "streams": "Redis Streams, raw",
         "fcall": "raw FCALL, one outstanding", "fcall paced": "raw FCALL, one outstanding, paced to 1000/s",
         "fcall at broker's pace": "raw FCALL, one outstanding, asked for at the paced broker's rate"}

NOTES = """How it was measured. A cycle: NEXT and GRANT, then RECORD and ACCEPTED (two), or RECORD carrying the NEXT (one). All
over unix sockets, load generator on the same cores; Redis 7 with appendfsync always, no AOF rewrite during the run.
Records: 600 B body (bytes of that size, not sealed anew each time), right chain of hashes, the signature 64 zero bytes
(the broker does not verify it; with router and recorder, signatures are true and bodies empty). hf-broker speaks CURVE only, since the key says who the agent is: what CURVE costs is
the difference between the two echoes. The agents do not fsync. Router and recorder run in the rows that say so only; offers name three lanes. The
echo answers every message with one of the same size, so in "one" it sends one answer where the broker sends two, and its
NEXT is answered by a small frame. Streams: 600 B entries, XREADGROUP COUNT 1, then XACK and XDEL in one write (two), all
three in one write (one); no lease, no retry, no case. Latency is that of the answer that brings the case. Rates do not
travel to another machine; the ratios are the result. Processor time is that of the time measured, all threads, from
schedstat; a cycle is a granted and recorded case."""


def main():
    begin = time.time()
    before = os.getloadavg()
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    results = {}
    for n in AGENTS:
        measure(results, n)
    for part in os.environ.get("BENCH_PARTS", "whole recorder idle scale").split():
        BESIDE.extend(whole.PARTS[part]())
    print(f"{os.cpu_count()} cores, {cpu}. Load averages before: {before[0]:.2f} {before[1]:.2f} {before[2]:.2f}. "
          f"Medians of {REPEATS} repetitions of {SECONDS:g} s; {time.time() - begin:.0f} s in all.\n")
    print(table(results))
    print("\n" + "\n".join(whole.table(BESIDE)) + "\n\n" + NOTES)


main()
