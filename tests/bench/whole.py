"""Rows beside the rates: the whole system at work, the recorder against COPY, idle agents, memory of a case.

Each function says its progress on stderr and returns lines of a table: (what, value, of what). Alone:
whole.py [whole] [recorder] [idle] [scale]."""
import hashlib
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

import redis as redis_py  # noqa: E402
import scale  # noqa: E402
from agent import ROLES  # noqa: E402
from recorder_rig import Rig as RecorderRig  # noqa: E402
from stack import BIN, Stack, wait_for  # noqa: E402

TOOLS = HERE.parents[1] / "build" / "tests" / "bench"
TICKS = os.sysconf("SC_CLK_TCK")
WHOLE_CASES = int(os.environ.get("BENCH_WHOLE_CASES", "24000"))
WHOLE_RATE = int(os.environ.get("BENCH_WHOLE_RATE", "800"))
RECORDS = int(os.environ.get("BENCH_RECORDS", "20000"))
REPEATS = int(os.environ.get("BENCH_REPEATS", "5"))
IDLE = int(os.environ.get("BENCH_IDLE", "10000"))
IDLE_PART = 2500  # in one process: a socket of libzmq takes several descriptors
QUEUED = 20_000


def say(text):
    print(text, file=sys.stderr, flush=True)


def own_us(pid):
    """Processor time of a process, all threads, µs."""
    total = 0
    try:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return total / 1000


def spent_us(pid):
    """The same with its children, those that have ended among them."""
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    ended = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[13:15]
    return sum(int(t) for t in ended) / TICKS * 1e6 + sum(own_us(p) for p in [pid, *children])


def resident_kb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def run_load(endpoint, key, agents, seconds, *flags, watch=(), limit=90):
    argv = [TOOLS / "load", "--connect", endpoint, "--agents", str(agents), "--seconds", str(seconds), *flags]
    argv += ["--server-key", key] if key else []
    argv += ["--watch", ",".join(str(p) for p in watch)] if watch else []
    p = subprocess.run(argv, capture_output=True, text=True, timeout=seconds + limit)
    assert p.returncode == 0, f"load: exit {p.returncode} {p.stdout} {p.stderr}"
    return {k: float(v) for k, v in (w.split("=") for w in p.stdout.split())}


def admit(stack, agents, lanes):
    """The load's agents, straight through the router's own entries."""
    out = subprocess.run([TOOLS / "load", "--print-keys", str(agents)], check=True, capture_output=True,
                         text=True).stdout
    entries = []
    for line in out.splitlines():
        agent, curve, sign, person, person_pk = line.split()
        entries += [("admit_agent", agent, curve, sign, "active"),
                    ("admit_person", person, ROLES["caller"], "t1", 1, person_pk, 1), ("offer", person, 5, *lanes)]
    for i in range(0, len(entries), 300):
        replies = stack.fcall("hf1_router", *entries[i:i + 300])
        assert all(r[0] == b"ok" for r in replies), replies[:3]


def log_id(raw):
    return tuple(int(x) for x in (raw or b"0-0").decode().split("-"))


def newest(stack):
    return log_id(stack.redis.xrevrange("hf:{c1}:log", count=1)[0][0])


def recorded(stack):
    """How far the recorder says it is; its own marks come after what it recorded."""
    return log_id(stack.redis.hget("hf:{c1}:recorder", "recorded"))


# ---- during an AOF rewrite --------------------------------------------------------------------------------


def during_rewrite(rig, run):
    """Runs while Redis rewrites its AOF, again as soon as it has ended."""
    stop, done = threading.Event(), []
    link = redis_py.Redis(unix_socket_path=f"{rig.dir}/redis.sock", username="admin",
                          password=(rig.dir / "secrets" / "redis-admin").read_text())

    def rewrite():
        while not stop.is_set():
            link.bgrewriteaof()
            wait_for("the AOF is rewritten", lambda: not link.info("persistence")["aof_rewrite_in_progress"], 60)
            done.append(1)

    t = threading.Thread(target=rewrite)
    t.start()
    try:
        got = run()
    finally:
        stop.set()
        t.join()
        link.close()
    if got is not None:
        got["rewrites"] = float(len(done))
    return got


# ---- memory of a queued case ------------------------------------------------------------------------------


def queued_memory(rig, case_of):
    """Bytes in Redis of a case in a lane, its sealed task (200 B) apart; the log does not count."""
    def used():
        last = rig.redis.xrevrange("hf:{c1}:log", count=1)[0][0].decode()
        rig.router(("cursor", "bench", last))
        rig.fcall("hf1_recorder", ("trim", last))
        return rig.redis.info("memory")["used_memory"]

    before = used()
    for at in range(0, QUEUED, 500):
        rig.router(*(("create", case_of(10_000_000 + i), "unreleased", 1, b"t" * 200, "", "-", b"")
                     for i in range(at, at + 500)))
    return [("memory of a queued case in Redis, sealed task apart", f"{(used() - before) / QUEUED - 200:.0f} B", "goal 450")]


# ---- router and recorder at work --------------------------------------------------------------------------


def open_whole(s):
    """A real campaign with WHOLE_CASES released cases, at ten o'clock of a working day."""
    with open("/proc/uptime") as f:
        boot_us = int(float(f.read().split()[0]) * 1e6)
    (s.dir / "demo").touch()
    (s.dir / "clock").write_text(f"1773021600000 {boot_us} 1000 0\n")  # Monday 2026-03-09 10:00
    s.ctl("db", "migrate")
    for name in ("hf-recorder", "hf-broker", "hf-router"):
        s.daemon(name)
    s.ctl("campaign", "create", "c1")
    subprocess.run([str(BIN / "hf-sample"), "--rows", str(WHOLE_CASES), "--seed", "9", "--format", "csv", "--out",
                    str(s.dir / "r.csv")], check=True)
    s.ctl("roster", "import", s.dir / "r.csv")
    s.ctl("stage", "open", "2")
    s.ctl("pass", "open", "1", "--until", "2026-03-09 20:30")
    s.ctl("release", "--all", "--seed", "1")
    wait_for("the cases are in the pool", lambda: s.redis.zcard("hf:{c1}:lane:pool") > WHOLE_CASES * 0.8, 120)
    admit(s, 64, ("pool",))


def is_quiet(s, last):
    """The router has placed what came, the recorder has recorded the log up to last."""
    return s.redis.zcard("hf:{c1}:lane:triage") == 0 and recorded(s) >= last


def watched_load(s, key, seconds, is_whole):
    """One run of the load; CPU a cycle of each process, until the last cycle is placed and recorded."""
    pids = {p.removeprefix("hf-"): proc.pid for p, proc in s.procs.items()}
    before = {p: spent_us(pid) for p, pid in pids.items()}
    got = run_load(s.broker, key, 64, seconds, "--sign", "--body", "0", "--rate", str(WHOLE_RATE))
    if is_whole:
        last = newest(s)
        wait_for("all is placed and recorded", lambda: is_quiet(s, last), 60)
    for p, pid in pids.items():
        got["cpu " + p] = (spent_us(pid) - before[p]) / max(1, got["cycles"])
    return got


def whole(seconds=2.0):
    """The same pace with router and recorder at work, and with both stopped."""
    rows = []
    with Stack(pg=True) as s:
        open_whole(s)
        last = newest(s)
        wait_for("all is recorded", lambda: is_quiet(s, last), 120)
        key = (s.dir / "secrets" / "broker.pub").read_text().strip()
        for name in ("with", "without"):
            if name == "without":
                s.kill("hf-router")
                s.kill("hf-recorder")
            runs = [watched_load(s, key, seconds, name == "with") for _ in range(REPEATS)]
            got = {k: statistics.median(r[k] for r in runs) for k in runs[0]}
            say(f"{name} router and recorder: {got}")
            rows.append((f"64 agents paced to {WHOLE_RATE}/s, {name} router and recorder: NEXT p50 / p99, µs",
                         f"{got['p50']:.0f} / {got['p99']:.0f}", f"{got['cycles_s']:.0f} cycles/s"))
            rows.append((f"the same: CPU a cycle, µs, until all is {'recorded' if name == 'with' else 'accepted'}",
                         ", ".join(f"{p[4:]} {v:.0f}" for p, v in got.items() if p.startswith("cpu ")),
                         "what warming up cost is counted, its cycles are not"))
    return rows


# ---- the recorder against COPY ----------------------------------------------------------------------------


def write_records(rig, n):
    """n signed records of 40 outboxes in the log: NOTEs, 600 B each."""
    agents = [rig.agent() for _ in range(40)]
    rig.person()
    for at in range(0, n, 200):
        entries = [agents[(at + i) % 40].say(body=hashlib.blake2b(b"%d" % (at + i)).digest() * 9 + b"\0" * 24)
                   for i in range(200)]
        replies = rig.queue(*entries)
        assert all(r[0] == b"ok" for r in replies), replies[0]
    return newest(rig)


def copy_seconds(rig):
    """The same rows by COPY into a stage and INSERT ON CONFLICT, 2,000 a transaction."""
    rows = rig.dir / "rows"
    rows.mkdir(exist_ok=True)
    os.chmod(rows, 0o777)
    n = int(rig.sql("SELECT count(*) FROM hf.ledger")[0][0])
    rig.sql("CREATE TABLE bench_ledger (LIKE hf.ledger INCLUDING ALL)")
    script = []
    for i, at in enumerate(range(0, n, 2000)):
        rig.sql(f"COPY (SELECT * FROM hf.ledger ORDER BY log_epoch, log_no OFFSET {at} LIMIT 2000) TO '{rows}/{i}' "
                "WITH (FORMAT binary)")
        script += ["BEGIN;", "CREATE TEMP TABLE stage (LIKE bench_ledger) ON COMMIT DROP;",
                   f"COPY stage FROM '{rows}/{i}' WITH (FORMAT binary);",
                   "INSERT INTO bench_ledger SELECT * FROM stage ON CONFLICT DO NOTHING;", "COMMIT;"]
    begin = time.monotonic()
    subprocess.run(["psql", "-q", "-h", rig.dir, "-U", "huifang", "-d", "huifang", "-v", "ON_ERROR_STOP=1"],
                   input="\n".join(script), text=True, check=True, capture_output=True)
    took = time.monotonic() - begin
    assert int(rig.sql("SELECT count(*) FROM bench_ledger")[0][0]) == n
    return n, took


def recorder():
    rig, mine, copy = RecorderRig(), [], []
    try:
        for i in range(REPEATS):
            if i > 0:
                rig.reset()
            last = write_records(rig, RECORDS)
            begin = time.monotonic()
            rig.recorder()
            wait_for("all is recorded", lambda: recorded(rig) >= last, 120)
            mine.append(RECORDS / (time.monotonic() - begin))
            n, took = copy_seconds(rig)
            assert n >= RECORDS, f"{n} rows of {RECORDS}"
            copy.append(n / took)
            say(f"recorder {mine[-1]:.0f}/s, COPY {copy[-1]:.0f}/s")
    finally:
        rig.close()
    a, b = statistics.median(mine), statistics.median(copy)
    return [("recorder: records a second, every signature verified", f"{a:.0f}", f"of {RECORDS}, its start included"),
            ("COPY of the same rows into a stage, then INSERT ON CONFLICT: rows a second", f"{b:.0f}",
             f"recorder / COPY = {a / b:.2f}, goal 0.6")]


# ---- idle agents ------------------------------------------------------------------------------------------


def start_idle(endpoint, key, first, *flags):
    return subprocess.Popen([TOOLS / "load", "--connect", endpoint, "--server-key", key, "--idle", "--first", str(first),
                             "--agents", str(min(IDLE_PART, IDLE - first)), "--seconds", "600", *flags],
                            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def idle(seconds=31):  # a heartbeat of each is among them
    """IDLE agents wait for a case that does not come; CURVE over TCP on loopback."""
    with Stack() as s:
        s.fcall("hf1_router", ("open", 1, "a" * 32, "bench"))
        s.redis.sadd("hf:campaigns", "c1")
        admit(s, IDLE, ("pool",))
        s.daemon("hf-broker")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            at = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        s.spawn("echo", [TOOLS / "echo", at,
                         (s.dir / "secrets" / "broker.key").read_text().strip()], notify=True)
        key, rows = (s.dir / "secrets" / "broker.pub").read_text().strip(), {}
        for name, endpoint, flags in (("echo", at, ["--echo"]), ("hf-broker", s.broker, [])):
            before = resident_kb(s.procs[name].pid)
            loads = [start_idle(endpoint, key, first, *flags) for first in range(0, IDLE, IDLE_PART)]
            try:
                for p in loads:
                    line = p.stderr.readline()
                    assert line == "all wait\n", f"load: {line}{p.stderr.read()}"
                pids = [s.procs[name].pid, s.procs["redis"].pid]
                cpu, begin = [spent_us(p) for p in pids], time.monotonic()
                try:
                    raise AssertionError(f"load ended: exit {loads[0].wait(seconds)}")
                except subprocess.TimeoutExpired:
                    pass  # all went on waiting
                took = (time.monotonic() - begin) * 1e4
                rows[name] = [(resident_kb(pids[0]) - before) / IDLE,
                              *((spent_us(p) - c) / took for p, c in zip(pids, cpu))]
            finally:
                for p in loads:
                    p.kill()
                    p.wait()
            say(f"{IDLE} idle, {name}: kB a connection, % of a core, Redis: {rows[name]}")
        mine, echo = rows["hf-broker"], rows["echo"]
        return [(f"{IDLE} agents that wait, a connection: memory of hf-broker above an echo's",
                 f"{mine[0] - echo[0]:.1f} kB", f"goal 12; the echo has {echo[0]:.1f} kB"),
                (f"{IDLE} agents that wait: CPU of hf-broker, % of a core", f"{mine[1]:.1f}",
                 f"goal 8; echo {echo[1]:.1f}, Redis {mine[2]:.1f}; {seconds} s watched")]


def table(rows):
    return ["| what | value | |", "|---|---|---|"] + [f"| {a} | {b} | {c} |" for a, b, c in rows]


PARTS = {"whole": whole, "recorder": recorder, "idle": idle, "scale": scale.part}

if __name__ == "__main__":
    print("\n".join(table([row for name in sys.argv[1:] or PARTS for row in PARTS[name]()])))
