"""deploy/local: a private stack comes up anywhere, survives, and goes away without a trace."""
import contextlib
import json
import os
import pwd
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg2
import pytest
import redis

REPO = Path(__file__).resolve().parents[2]
ROOT = os.geteuid() == 0
OWNER = "huifang" if ROOT else pwd.getpwuid(os.geteuid()).pw_name
needs_root = pytest.mark.skipif(not ROOT, reason="needs root")

# Stands in for a daemon: says that it runs, drains on SIGTERM. Code 78 if HF_HOME/broken exists.
FAKE = """#!/usr/bin/python3 -I
import os, pathlib, signal, sys
if pathlib.Path(os.environ["HF_HOME"], "broken").exists():
    sys.exit(78)
def drain(*_):
    print("drained", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, drain)
print("uid", os.getuid(), "home", os.environ["HF_HOME"], "cores", open("/proc/self/limits").read().count(
    "Max core file size        0 "), flush=True)
os.write(int(os.environ["HF_NOTIFY_FD"]), b"\\n")
while True:
    signal.pause()
"""


class Stack:
    def __init__(self, home, programs=(), bin_dir=None, runner=(), deploy=REPO / "deploy"):
        self.home, self.runner, self.deploy = Path(home), list(runner), deploy
        self.bin = Path(bin_dir or tempfile.mkdtemp(prefix="hf-bin-"))
        self.bin.chmod(0o755)
        for name in programs:
            (self.bin / name).write_text(FAKE)
            (self.bin / name).chmod(0o755)

    def run(self, verb, *options, check=True):
        done = subprocess.run(
            [*self.runner, "env", f"HF_BIN={self.bin}", self.deploy / "local", verb, *options, self.home],
            capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL)
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    def up(self):
        return self.run("up")

    def parts(self):
        shown = json.loads(self.run("status", "--json", check=False).stdout)
        return {p["name"]: p for p in shown["parts"]}

    def pids(self):
        return {name: p["pid"] for name, p in self.parts().items() if p["pid"]}

    def env(self):
        text = (self.home / "env.conf").read_text()
        return dict(re.findall(r'^(\w+) = "(.*)"$', text, re.M))

    def redis(self, user="admin"):
        password = (self.home / "secrets" / f"redis-{user}").read_text()
        path = self.env()["redis"].removeprefix("unix:")
        return redis.Redis(unix_socket_path=path, username=user, password=password)

    def sql(self, text, **more):
        more.setdefault("user", OWNER)
        with contextlib.closing(psycopg2.connect(self.env()["pg"], **more)) as db, db.cursor() as cursor:
            db.autocommit = True
            cursor.execute(text)
            return cursor.fetchone()[0]

    def log_size(self):
        return (self.home / "log" / "supervise.log").stat().st_size

    def wait_log(self, pattern, after, limit=20):
        """Until the supervisor's log has `pattern` behind byte `after`; tail wakes us, nothing is polled."""
        with subprocess.Popen(["tail", "-c", f"+{after + 1}", "-F", self.home / "log" / "supervise.log"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as tail:
            try:
                until, seen = time.monotonic() + limit, b""
                while not re.search(pattern, seen.decode()):
                    ready, _, _ = select.select([tail.stdout], [], [], max(0, until - time.monotonic()))
                    assert ready, f"supervise.log has no {pattern}: {seen.decode()}"
                    seen += os.read(tail.stdout.fileno(), 65536)
            finally:
                tail.kill()

    def lives(self):
        """Processes that hold a file of the installation open."""
        inode = os.stat(self.home / "lock").st_ino
        found = set()
        for fd in Path("/proc").glob("[0-9]*/fd/*"):
            with contextlib.suppress(OSError):
                if os.stat(fd).st_ino == inode:
                    found.add(int(fd.parts[2]))
        return found


@contextlib.contextmanager
def stack(home, **more):
    s = Stack(home, **more)
    try:
        yield s
    finally:
        s.run("destroy", check=False)
        shutil.rmtree(s.bin, ignore_errors=True)


@pytest.fixture(name="shared", scope="module")
def _shared():
    """One stack for the tests that leave it running; its path is longer than a socket's may be."""
    folder = Path(tempfile.mkdtemp(prefix="hf-local-"))
    folder.chmod(0o755)
    with stack(folder / ("long " * 20) / "回访安装" / ("x" * 60), programs=["hf-broker", "hf-dashboard"]) as s:
        s.up()
        yield s
    shutil.rmtree(folder)


@pytest.fixture(name="folder")
def _folder():
    path = Path(tempfile.mkdtemp(prefix="hf-local-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def end_by_kill(pid):
    """kill -9, and until the kernel says that it is gone."""
    fd = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    assert select.select([fd], [], [], 10)[0], f"{pid} outlives SIGKILL"
    os.close(fd)


def test_life_of_a_stack(folder):
    with stack(folder / "home", programs=["hf-broker", "hf-recorder"]) as s:
        assert "hf-broker    running" in s.up().stdout
        parts = s.parts()
        assert {n for n, p in parts.items() if p["state"] == "running"} == {
            "redis", "postgres", "hf-broker", "hf-recorder"}
        assert parts["hf-router"]["state"] == "not-built"
        assert s.run("status").returncode == 0

        s.redis().set("hf:t", "kept")
        before, env = s.pids(), s.env()
        s.up()
        assert s.pids() == before, "a second up must leave running parts alone"
        assert s.env() == env

        held = s.lives()
        assert set(before.values()) <= held
        s.run("down")
        assert not s.lives()
        assert not [p for p in held if os.path.exists(f"/proc/{p}") and "Z" not in
                    Path(f"/proc/{p}/stat").read_text().rpartition(")")[2]]
        assert not os.path.exists(env["redis"].removeprefix("unix:"))
        assert "drained" in (s.home / "log" / "hf-broker.log").read_text()
        assert s.run("status", check=False).returncode == 1
        assert s.run("down").returncode == 0

        s.up()
        assert s.redis().get("hf:t") == b"kept"
        assert s.env() == env, "addresses are kept"


def test_a_long_path_with_spaces_and_chinese(shared):
    assert len(str(shared.home)) > 160
    assert shared.env()["archive"] == f"{shared.home}/archive"
    assert shared.redis().ping()
    assert shared.sql("SELECT 1") == 1
    assert shared.pids().keys() == {"redis", "postgres", "hf-broker", "hf-dashboard"}


def test_settings_that_guarantees_stand_on(shared):
    s = shared
    r = s.redis()
    want = {"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "no", "save": "",
            "maxmemory": str(1 << 30), "maxmemory-policy": "noeviction", "port": "0", "maxclients": "256",
            "client-query-buffer-limit": str(16 << 20), "enable-debug-command": "no",
            "enable-module-command": "no"}
    assert {k: r.config_get(k)[k] for k in want} == want
    for name, value in {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
                        "data_checksums": "on", "data_sync_retry": "off", "listen_addresses": "",
                        "log_statement": "none", "log_parameter_max_length": "0",
                        "log_parameter_max_length_on_error": "0", "log_error_verbosity": "terse",
                        "timezone": "Asia/Shanghai", "server_encoding": "UTF8", "lc_collate": "C"}.items():
        assert s.sql(f"SHOW {name}") == value, name
    s.sql("CREATE TABLE t (who text UNIQUE CHECK (who <> 'Zhang')); INSERT INTO t VALUES ('Wang'); SELECT 1")
    for value in ("Zhang", "Wang"):
        with pytest.raises(psycopg2.IntegrityError):
            s.sql("INSERT INTO t VALUES (%s) RETURNING who" % f"'{value}'")
    text = (s.home / "log" / "postgres.log").read_text()
    assert "violates" in text and "Zhang" not in text and "Wang" not in text
    assert "CREATE TABLE" not in text


def test_what_each_role_may_do(shared):
    s = shared
    s.redis().execute_command(
        "FUNCTION", "LOAD", "#!lua name=hft\nredis.register_function('hft', function(keys) "
        "redis.call('XADD', keys[1], '1-1', 'a', 'b') return redis.call('HSET', keys[2], 'f', 'v') end)")
    for role in ("broker", "router", "recorder"):
        r = s.redis(role)
        r.execute_command("FCALL", "hft", 2, f"hf:{{c}}:log-{role}", "hf:{c}:h")
        assert r.config_get("appendfsync") == {"appendfsync": "always"}
        for command in (["SET", "other", "1"], ["EVAL", "return 1", "0"], ["KEYS", "*"], ["FLUSHALL"],
                        ["FUNCTION", "LOAD", "#!lua name=x\n"], ["CONFIG", "SET", "appendfsync", "no"],
                        ["SHUTDOWN"], ["ACL", "LIST"], ["SCRIPT", "FLUSH"], ["MONITOR"]):
            with pytest.raises(redis.exceptions.ResponseError, match="(?i)noperm|no permissions"):
                r.execute_command(*command)
    dash = s.redis("dash")
    assert dash.hget("hf:{c}:h", "f") == b"v"
    with pytest.raises(redis.exceptions.NoPermissionError):
        dash.hset("hf:{c}:h", "f", "w")
    path = s.env()["redis"].removeprefix("unix:")
    with pytest.raises(redis.exceptions.AuthenticationError):
        redis.Redis(unix_socket_path=path).ping()


def test_the_lua_library_may_call_what_it_calls(shared):
    """Functions run with their caller's rights, so each role needs the inner commands as well."""
    called = set(re.findall(r"call\('([A-Z]+)'", (REPO / "broker" / "queue.lua").read_text()))
    assert len(called) > 10
    admin = shared.redis()
    for name in called:
        arity = admin.execute_command("COMMAND", "INFO", name)
        words = ["hf:{c}:k"] + ["1"] * (abs(list(arity.values())[0]["arity"]) - 2)
        for role in ("broker", "router", "recorder"):
            assert admin.execute_command("ACL", "DRYRUN", role, name, *words) == b"OK", (role, name)


@needs_root
def test_below_a_folder_that_the_owner_may_not_enter(folder):
    hidden = folder / "hidden"
    hidden.mkdir(mode=0o700)
    (hidden / "build").mkdir(mode=0o700)
    shutil.copytree(REPO / "deploy", hidden / "deploy")
    os.makedirs(hidden / "build" / "bin", mode=0o700)
    with stack(hidden / "var" / "local", programs=["hf-broker"], bin_dir=hidden / "build" / "bin",
               deploy=hidden / "deploy") as s:
        s.up()
        far = os.path.realpath(s.home)
        said = (s.home / "log" / "hf-broker.log").read_text()
        assert said == f"uid {pwd.getpwnam(OWNER).pw_uid} home {far} cores 1\n"
        assert s.sql("SELECT current_user") == OWNER
        s.redis().set("hf:t", "1")
        before = s.pids()
        s.up()
        assert s.pids() == before
        s.home.unlink()  # somebody cleans up by hand, too early
        s.run("down")
        assert not any(os.path.exists(f"/proc/{p}/exe") for p in before.values())
        s.home.symlink_to(far)
        assert not s.lives()


def test_redis_killed_comes_back_with_all_it_acknowledged(shared):
    s = shared
    s.up()
    s.redis().set("hf:t", "acknowledged")
    first = s.pids()["redis"]
    mark = s.log_size()
    end_by_kill(first)
    s.wait_log("event=part.ready part=redis", mark)
    assert s.redis().get("hf:t") == b"acknowledged"
    assert s.pids()["redis"] != first


def test_supervisor_killed_takes_its_parts_along_and_up_repairs(shared):
    s = shared
    s.up()
    s.redis().set("hf:t", "kept")
    before = s.pids()
    end_by_kill(int((s.home / "run" / "supervise.pid").read_text()))
    s.up()
    after = s.pids()
    assert not set(after.values()) & set(before.values())
    assert s.lives() >= set(after.values())
    assert not s.lives() & set(before.values()), "two servers must never share a data folder"
    assert s.redis().get("hf:t") == b"kept"


def test_daemon_that_dies_is_restarted_unless_that_cannot_help(shared):
    s = shared
    s.up()
    mark, pid = s.log_size(), s.pids()["hf-broker"]
    end_by_kill(pid)
    s.wait_log("event=part.ready part=hf-broker", mark)
    assert s.parts()["hf-broker"]["state"] == "running"

    (s.home / "broken").touch()
    mark, pid = s.log_size(), s.pids()["hf-dashboard"]
    end_by_kill(pid)
    s.wait_log('part=hf-dashboard how="exit 78"', mark)
    shown = s.run("status", check=False)
    assert shown.returncode == 1
    assert re.search(r"hf-dashboard failed +\(exit 78: not started again", shown.stdout)

    (s.home / "broken").unlink()
    s.up()
    assert s.run("status").returncode == 0


@pytest.mark.skipif(not (REPO / "build" / "bin" / "hf-broker").exists(), reason="nothing is built")
def test_the_real_programs_serve_a_campaign_from_a_hidden_folder(folder):
    hidden = folder / "hidden"
    for part in ("bin", "share"):
        shutil.copytree(REPO / "build" / part, hidden / "build" / part)
    hidden.chmod(0o700)
    with stack(hidden / "home", bin_dir=hidden / "build" / "bin") as s:
        s.up()
        built = {f.name for f in s.bin.iterdir()} & {"hf-broker", "hf-router", "hf-recorder", "hf-dashboard"}
        assert s.pids().keys() == built | {"redis", "postgres"}
        assert s.sql("SELECT count(*) FROM hf.migration") == len(list((REPO / "deploy" / "schema").glob("0*.sql")))

        def hfctl(*words):
            done = subprocess.run([s.bin / "hfctl", *words], env={**os.environ, "HF_HOME": str(s.home)}, check=False,
                                  capture_output=True, text=True, timeout=60)
            assert done.returncode == (words == ("doctor",)), (words, done.stdout, done.stderr)
            return done.stdout

        hfctl("campaign", "create", "c1")
        problems = [line for line in hfctl("doctor").splitlines() if not line.startswith("正常")]
        assert [line.split()[:2] for line in problems] == [["问题", "archive"]], problems     # it has one disk
        hfctl("reconcile", "run")
        before = s.pids()
        s.up()
        assert s.pids() == before
        s.run("down")
        assert not s.lives()
        for name in built:
            text = (s.home / "log" / f"{name}.log").read_text()
            assert "Sanitizer" not in text and "CHECK" not in text, text


def test_leaves_alone_what_is_not_an_installation(folder):
    (folder / "letter.txt").write_text("mine")
    s = Stack(folder)
    try:
        for verb, code in (("up", 73), ("destroy", 73), ("down", 0), ("status", 1)):
            assert s.run(verb, check=False).returncode == code, verb
        assert os.listdir(folder) == ["letter.txt"]
        assert os.stat(folder).st_uid == os.geteuid()
    finally:
        shutil.rmtree(s.bin)


@needs_root
def test_without_root_the_caller_owns_it(folder):
    nobody = pwd.getpwnam("nobody")
    shutil.copytree(REPO / "deploy", folder / "deploy")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    for path in folder.rglob("*"):
        path.chmod(0o755)
    runner = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--"]
    with stack(folder / "home", programs=["hf-broker"], runner=runner, deploy=folder / "deploy") as s:
        s.up()
        assert {os.stat(f"/proc/{p}").st_uid for p in s.pids().values()} == {nobody.pw_uid}
        assert s.sql("SELECT current_user", user="nobody") == "nobody"
        assert (s.home / "secrets").stat().st_mode & 0o777 == 0o700


def test_dependencies_are_told_fast():
    started = time.monotonic()
    done = subprocess.run([REPO / "deploy" / "install-deps", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert time.monotonic() - started < 2
