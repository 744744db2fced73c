"""The faults by kind: each does one thing to a FaultStack and heals it again before it returns.

KINDS: name -> function(stack, rng), for the random runs and the soak. LIGHT ones harm an agent or its network and may
run beside any other; ALONE ones need every program to answer while they work. What is lost for good (a store, a disk)
is made good by the lines of deploy/runbooks."""
import contextlib
import mmap
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import time

from stack import BIN, wait_for

DAEMONS = ("hf-broker0", "hf-broker1", "hf-router", "hf-recorder")
WAYS = ("cut", "half", "corrupt", "delay", "dribble", "deaf", "mute", "dark")
CALLS = ("write", "fsync", "rename", "connect", "send", "malloc", "open", "wake")
AT_START = ("rename", "connect", "open")     # seldom called later
DECADE_NS = 3653 * 86400 * 10 ** 9
ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMIT = float(os.environ.get("HF_FAULT_LIMIT", "60"))


def while_for(seconds, what="the fault is over"):
    end = time.monotonic() + seconds
    wait_for(what, lambda: time.monotonic() > end, seconds + LIMIT)


# ---- processes ------------------------------------------------------------------------------------------


def kill(s, name, sig=signal.SIGKILL):
    s.fault(f"{'kill -9' if sig == signal.SIGKILL else 'end of'} {name}")
    s.kill(name, sig)
    s.begin(name)


def pause(s, name, rng, seconds=None):
    s.fault(f"SIGSTOP {name}")
    p = s.procs[name]
    p.send_signal(signal.SIGSTOP)
    while_for(seconds or rng.uniform(0.3, 3.5))
    p.send_signal(signal.SIGCONT)


def agent(s, rng, stop):
    w = rng.choice(s.workers)
    s.fault(f"{'SIGSTOP' if stop else 'kill -9'} agent {w.person}")
    p = w.p
    p.send_signal(signal.SIGSTOP if stop else signal.SIGKILL)
    if stop:
        while_for(rng.uniform(0.5, 4))
        p.send_signal(signal.SIGCONT)


def network(s, rng, way=None):
    way, which = way or rng.choice(WAYS), rng.choice(((0,), (1,), (0, 1)))
    s.fault(f"network {way} {which}")
    for i in which:
        s.proxies[i].say(way)
    while_for(rng.uniform(0.3, 3))
    for i in which:
        s.proxies[i].say("pass")


def double(s, name):
    """A second one beside the first; then the first dies, and the second takes over."""
    s.fault(f"{name} twice, then kill -9 of the first")
    s.begin(name + "2")
    s.progress(limit=LIMIT)
    s.kill(name, signal.SIGKILL)
    s.progress(limit=LIMIT)
    s.begin(name)
    s.kill(name + "2", signal.SIGKILL)


# ---- stores that are away -------------------------------------------------------------------------------


def postgres_away(s):
    s.fault("PostgreSQL away")
    s.kill("postgres", signal.SIGQUIT)
    s.progress(limit=LIMIT)
    s.begin("postgres")


def redis_away(s, rng):
    """Nobody is granted anything; the agents keep what they have."""
    s.fault("Redis away")
    s.kill("redis", signal.SIGTERM if rng.random() < 0.5 else signal.SIGKILL)
    while_for(rng.uniform(1, 5))
    s.begin("redis")


# ---- stores that are lost, by the runbook ---------------------------------------------------------------


def commands(runbook):
    """The fenced lines of deploy/runbooks, as an operator types them."""
    text, out, inside = (ROOT / "deploy" / "runbooks" / runbook).read_text(), [], False
    for line in text.splitlines():
        if line.startswith("```"):
            inside = line == "```sh"
        elif inside:
            out.append(line)
    assert out, runbook
    return out


def run_line(s, line, **env):
    """Returns what it said; a line that fails is an error."""
    began = time.monotonic()
    r = subprocess.run(["bash", "-c", line], env=s.env(PATH=f"{BIN}:{os.environ['PATH']}", **env), capture_output=True,
                       text=True, timeout=300, check=False)
    assert r.returncode == 0, f"{line}: {r.returncode}\n{r.stdout}{r.stderr}"
    s.timed.append((line, time.monotonic() - began))
    print(f"{time.monotonic() - began:6.2f} s  {line}\n{r.stdout.rstrip()}{r.stderr.rstrip()}")
    return r.stdout + r.stderr


def run_runbook(s, name, **env):
    """Runs its lines, prints each with its time, returns what they said."""
    return [run_line(s, line, **env) for line in commands(name)]


def back_to_work(s, epoch):
    """All came back, nothing is in doubt, and work goes on in the new epoch."""
    def meta(field):
        return (s.redis.hget("hf:{c1}:meta", field) or b"").decode()
    assert int(meta("epoch")) > epoch
    try:
        wait_for("the doubt ends", lambda: meta("doubt") == "0", LIMIT * 2)
    except AssertionError as e:
        raise AssertionError(f"{e}: {s.ctl('recover', 'status', check=False).stdout}") from e
    wait_for("nothing is left in doubt", lambda: s.redis.zcard("hf:{c1}:lane:doubt") == 0, LIMIT * 2)


def lose_redis(s, rng, how):
    epoch = int(s.redis.hget("hf:{c1}:meta", "epoch") or 1)
    s.recovered = s.cut = True
    aof = s.dir / "redis" / "appendonlydir"
    if how == "old":
        s.kill("redis", signal.SIGKILL)
        shutil.copytree(aof, s.dir / "aof-old")
        s.begin("redis")
        s.progress(rng.randrange(10, 60), LIMIT * 2)
    s.fault({"flush": "FLUSHALL", "files": "the files of Redis deleted", "old": "an old AOF put back"}[how])
    if how == "flush":
        s.redis.flushall()
    else:
        s.kill("redis", signal.SIGKILL)
        shutil.rmtree(aof)
        if how == "old":
            os.rename(s.dir / "aof-old", aof)
        s.begin("redis")
    if how == "old":
        wait_for("the older store is halted", lambda: s.redis.hget("hf:{c1}:meta", "mode") == b"2", LIMIT * 2)
    s.healing()
    run_runbook(s, "redis-lost.md")
    back_to_work(s, epoch)


def new_postgres(s):
    s.kill("postgres", signal.SIGQUIT)
    shutil.rmtree(s.dir / "pg")
    s.start_pg()


def lose_postgres(s, rng, how):
    if how == "old":
        s.kill("postgres", signal.SIGQUIT)
        subprocess.run(["cp", "-a", s.dir / "pg", s.dir / "pg-old"], check=True)
        s.begin("postgres")
        s.progress(rng.randrange(10, 60), LIMIT * 2)
    s.fault({"files": "the files of PostgreSQL deleted", "old": "an old PostgreSQL put back"}[how])
    if how == "files":
        new_postgres(s)
    else:
        s.kill("postgres", signal.SIGQUIT)
        shutil.rmtree(s.dir / "pg")
        os.rename(s.dir / "pg-old", s.dir / "pg")
        s.begin("postgres")
    s.healing()
    run_runbook(s, "postgres-lost.md")


# ---- clocks ---------------------------------------------------------------------------------------------


class Clock:
    """The file that jump_clock.c shares with us."""

    def __init__(self, path):
        with open(path, "w+b") as f:
            f.write(bytes(32))
            f.flush()
            os.chmod(path, 0o644)
            self.m = mmap.mmap(f.fileno(), 32)
        self.path = path

    def wall(self, ns):
        self.m[0:8] = struct.pack("<q", ns)

    def rate(self, ppm):
        self.m[16:24] = struct.pack("<q", time.clock_gettime_ns(time.CLOCK_BOOTTIME))
        self.m[8:16] = struct.pack("<q", ppm)

    def asleep(self, ns):
        """As after a suspend: the wall clock, and the clock that counts it, have gone on."""
        self.m[24:32] = struct.pack("<q", ns)
        self.wall(ns)

    def env(self):
        return {"LD_PRELOAD": ROOT / "build/tests/faults/jump_clock.so", "HF_CLOCK_FILE": self.path}


def wall_jumps(s, rng, years=None, names=None):
    names = names or rng.choice([(n,) for n in s.clocks] + [tuple(s.clocks)])
    years = years or rng.choice((-10, 10))
    s.fault(f"the wall clock of {len(names)} programs jumps {years:+d} years, and back")
    for n in names:
        s.clocks[n].wall(years // 10 * DECADE_NS)
    while_for(rng.uniform(0.5, 3))
    for n in names:
        s.clocks[n].wall(0)


# ---- disks ----------------------------------------------------------------------------------------------


class Small:
    """A file system of a few MiB over a directory, with what was there; full() leaves no byte, room() gives it back."""

    def __init__(self, path, size):
        self.path, kept = path, str(path) + ".kept"
        os.rename(path, kept)
        path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", path], check=True)
        subprocess.run(["cp", "-a", f"{kept}/.", path], check=True)

    def full(self):
        with open(self.path / "ballast", "wb", buffering=0) as f:
            for size in (1 << 20, 1 << 16, 4096, 1):
                with contextlib.suppress(OSError):
                    while f.write(bytes(size)) == size:
                        pass

    def room(self):
        (self.path / "ballast").unlink()

    def close(self):
        subprocess.run(["umount", "-l", self.path], check=False)


def disk_full(s, rng, which):
    """Of the archive: it goes on by itself. Of an agent: it is read-only until it is begun again."""
    s.fault(f"the disk of {'the archive' if which == 'archive' else 'an agent'} is full")
    s.disks[which].full()
    while_for(rng.uniform(0.5, 3))
    s.disks[which].room()
    if which != "archive":
        next(w.p for w in s.workers if w.person == which).kill()


# ---- the Nth call ---------------------------------------------------------------------------------------


class Order:
    """The file that fail_nth.c shares with us."""

    def __init__(self, path):
        with open(path, "w+b") as f:
            f.write(bytes(12))
            f.flush()
            os.chmod(path, 0o666)
            self.m = mmap.mmap(f.fileno(), 12)
        self.path = path

    def give(self, kind, countdown):
        self.m[4:8] = bytes(4)
        self.m[0:12] = struct.pack("<iii", CALLS.index(kind) + 1, countdown, 0)

    def hits(self):
        return struct.unpack("<i", self.m[8:12])[0]

    def env(self):
        return {"LD_PRELOAD": ROOT / "build/tests/faults/fail_nth.so", "HF_FAIL_FILE": self.path}


def process(s, program):
    if program in s.procs:
        return s.procs[program]
    return next(w.p for w in s.workers if w.person == program)


def start_again(s, order, program):
    """A daemon that ended is begun again, as its supervisor would; workers begin themselves again."""
    if program.startswith("hf-") and s.procs[program].poll() is not None:
        try:
            s.begin(program)
        except AssertionError:       # the failure was in its start: it said why and ended
            s.procs[program].wait(20)
            assert order.hits() > 0, s.log(program)
            s.begin(program)


def fail_once(s, order, program, kind, n, at_start, wait=1.5):
    """Returns whether the call came at all within the time that it has."""
    s.fault(f"{kind} number {n} of {program}{' from its start' if at_start else ''}")
    order.give(kind, n)
    if at_start:
        process(s, program).kill()
        process(s, program).wait(LIMIT)

    def came():
        start_again(s, order, program)
        return order.hits() > 0
    try:
        wait_for("the call", came, wait)
    except AssertionError:
        order.give(kind, 0)
    hit = order.hits() > 0
    s.progress(2, LIMIT)
    start_again(s, order, program)
    return hit


def call_fails(s, rng, kind):
    n = rng.choice((1, 2, 3, 10, 30)) if kind in ("write", "fsync", "send", "malloc") else 1
    if not fail_once(s, s.order, s.failing, kind, n, kind in AT_START or rng.random() < 0.4):
        s.faults.pop()      # it did not happen
    elif s.failing in s.names and kind in ("write", "fsync"):
        process(s, s.failing).kill()     # it is read-only for ever


# ---- all ------------------------------------------------------------------------------------------------

LIGHT = {"agent killed": lambda s, r: agent(s, r, False), "agent stopped": lambda s, r: agent(s, r, True)}
LIGHT |= {f"network {way}": lambda s, r, way=way: network(s, r, way) for way in WAYS}
KINDS = dict(LIGHT)
for _n, _names in (("broker", DAEMONS[:2]), ("router", DAEMONS[2:3]), ("recorder", DAEMONS[3:]), ("Redis", ("redis",)),
                   ("PostgreSQL", ("postgres",))):
    KINDS[f"{_n} killed"] = lambda s, r, n=_names: kill(s, r.choice(n))
    if _n != "PostgreSQL":
        KINDS[f"{_n} stopped"] = lambda s, r, n=_names: pause(s, r.choice(n), r)
    KINDS[f"{_n} ended"] = lambda s, r, n=_names, sig=signal.SIGINT if _n == "PostgreSQL" else signal.SIGTERM: kill(
        s, r.choice(n), sig)
KINDS |= {"two recorders": lambda s, r: double(s, "hf-recorder"), "two routers": lambda s, r: double(s, "hf-router"),
          "PostgreSQL away": lambda s, r: postgres_away(s), "Redis away": redis_away}
ALONE = {f"{kind} fails": lambda s, r, kind=kind: call_fails(s, r, kind) for kind in CALLS}
CLOCKS = {"wall clock jumps": wall_jumps}
DISKS = {"disk of an agent full": lambda s, r: disk_full(s, r, next(k for k in s.disks if k != "archive")),
         "disk of the archive full": lambda s, r: disk_full(s, r, "archive")}
LOST_POSTGRES = {"PostgreSQL emptied": lambda s, r: lose_postgres(s, r, "files"),
                 "PostgreSQL put back": lambda s, r: lose_postgres(s, r, "old")}
LOST_REDIS = {"Redis flushed": lambda s, r: lose_redis(s, r, "flush"),
              "Redis files deleted": lambda s, r: lose_redis(s, r, "files"),
              "Redis put back": lambda s, r: lose_redis(s, r, "old")}
