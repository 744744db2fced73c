"""A private stack for one test: redis-server, PostgreSQL and our daemons in a directory of their own.

Everything is a real program; each is ready when its start returns (notify descriptor or socket), and
close() ends them all by pid. HF_BIN says where the programs are (default build/bin)."""
import os
import pathlib
import pwd
import secrets
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import redis as redis_py

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("HF_BIN", ROOT / "build" / "bin")).resolve()
PG_BIN = "/usr/lib/postgresql/15/bin"
LIMIT = 20.0

INNER = ("+hget +hmget +hset +hdel +hscan +hgetall +hvals +hlen +hexists +zadd +zrem +zrange +zrangebyscore "
         "+zrangebylex +zcard +zscore +zcount +xadd +xtrim +xlen +xrange +xrevrange +xread +sadd +srem "
         "+smembers +sismember +scard +lpush +ltrim +lrange +llen +get +exists")
USERS = {
    "broker": f"~hf:* +ping +hello +auth +info +time +config|get +function|list +fcall +set +del {INNER}",
    "router": f"~hf:* +ping +hello +auth +info +time +config|get +function|list +fcall +set +del {INNER}",
    "recorder": f"~hf:* +ping +hello +auth +info +time +config|get +function|list +fcall +set +del {INNER}",
    "dash": "~hf:* +ping +hello +auth +info +hget +hmget +hgetall +hlen +hscan +zcard +zcount +zrange +zscore "
            "+zrangebyscore +xrange +xrevrange +xlen +smembers +scard +lrange +get",
    "admin": "~* &* +@all",
}


def wait_for(what, condition, limit=LIMIT):
    """The event or an error that names it; asks again every few milliseconds, never just sleeps."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"did not happen within {limit} s: {what}")
        select.select([], [], [], 0.01)


class Stack:
    def __init__(self, pg=False):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hf-"))
        os.chmod(self.dir, 0o755)
        self.procs = {}
        self.logs = self.dir / "log"
        for sub in ("log", "secrets", "keys", "archive", "redis"):
            (self.dir / sub).mkdir()
        for user in USERS:
            (self.dir / "secrets" / f"redis-{user}").write_text(secrets.token_hex(16))
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.broker = f"tcp://127.0.0.1:{self.port}"
        self.write_env()
        self.start_redis()
        if pg:
            self.start_pg()

    # -- configuration ------------------------------------------------------------------------------

    def write_env(self):
        d = self.dir
        (d / "env.conf").write_text(
            f'redis = "unix:{d}/redis.sock"\n'
            f'pg = "host={d} dbname=huifang user=huifang"\n'
            f'broker = "{self.broker}"\n'
            f'keys = "ipc://{d}/keys.sock"\n'
            f'dashboard = "127.0.0.1:0"\n'
            f'archive = "{d}/archive"\n'
            f'secrets = "{d}/secrets"\n')

    def env(self, **more):
        e = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
        e.update({"HF_HOME": str(self.dir), **{k: str(v) for k, v in more.items()}})
        return e

    # -- processes ----------------------------------------------------------------------------------

    def spawn(self, name, argv, env=None, user=None, notify=False):
        """Starts and, with notify, waits for the newline on HF_NOTIFY_FD."""
        env = env or self.env()
        r = w = None
        if notify:
            r, w = os.pipe()
            env["HF_NOTIFY_FD"] = str(w)
        log = open(self.logs / f"{name}.log", "ab")
        p = subprocess.Popen([str(a) for a in argv], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                             pass_fds=(w,) if notify else (), user=user, group=user, extra_groups=[] if user else None,
                             cwd=self.dir)
        log.close()
        self.procs[name] = p
        if notify:
            os.close(w)
            ready, _, _ = select.select([r], [], [], LIMIT)
            ok = bool(ready) and os.read(r, 1) == b"\n"
            os.close(r)
            assert ok, f"{name} did not become ready:\n{self.log(name)}"
        return p

    def daemon(self, name, *args, program=None, **env):
        return self.spawn(name, [BIN / (program or name), *args], env=self.env(**env), notify=True)

    def log(self, name):
        path = self.logs / f"{name}.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    def kill(self, name, sig=signal.SIGKILL):
        p = self.procs.pop(name)
        p.send_signal(sig)
        return p.wait(LIMIT)

    def close(self):
        for name in list(self.procs):
            p = self.procs.pop(name)
            if p.poll() is None:
                p.send_signal(signal.SIGINT if name == "postgres" else signal.SIGKILL)
                p.wait(LIMIT)
        if os.environ.get("HF_KEEP"):
            print(f"kept: {self.dir}")
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # -- Redis --------------------------------------------------------------------------------------

    def start_redis(self):
        d = self.dir
        acl = ["user default off resetpass ~* &* +@all"]  # off, and yet all: the AOF is replayed as this user
        for user, rights in USERS.items():
            acl.append(f"user {user} on >{(d / 'secrets' / f'redis-{user}').read_text()} {rights}")
        (d / "redis" / "users.acl").write_text("\n".join(acl) + "\n")
        (d / "redis.conf").write_text(
            f"port 0\nunixsocket {d}/redis.sock\nunixsocketperm 777\ndir {d}/redis\nappendonly yes\n"
            "appendfsync always\nno-appendfsync-on-rewrite no\nsave \"\"\nmaxmemory 1gb\n"
            f"maxmemory-policy noeviction\naclfile {d}/redis/users.acl\nlogfile {d}/log/redis.log\n")
        self.spawn("redis", ["redis-server", d / "redis.conf"])
        self.redis = self.connect("admin")
        wait_for("redis answers", self._ping)
        lua = (ROOT / "broker" / "queue.lua").read_text()
        self.redis.execute_command("FUNCTION", "LOAD", "REPLACE", lua)

    def connect(self, user):
        return redis_py.Redis(unix_socket_path=f"{self.dir}/redis.sock", username=user,
                              password=(self.dir / "secrets" / f"redis-{user}").read_text())

    def _ping(self):
        try:
            return self.redis.ping()
        except redis_py.exceptions.RedisError:
            return False

    def fcall(self, function, *entries, campaign="c1", now=None, epoch=0):
        """entries: tuples (name, arg, …) as in ARCHITECTURE.md 3.3; returns the replies of the entries."""
        wall = str(int(time.time() * 1000))
        argv = [str(now) if now is not None else wall, wall, str(epoch)]
        for name, *args in entries:
            argv += [name, str(len(args)), *args]
        return self.redis.fcall(function, 1, "hf:{%s}:meta" % campaign, *argv)[4:]

    # -- PostgreSQL ---------------------------------------------------------------------------------

    def start_pg(self):
        d = self.dir
        user = "postgres" if os.getuid() == 0 else None
        (d / "pg").mkdir(exist_ok=True)
        if user:
            pw = pwd.getpwnam(user)
            os.chown(d / "pg", pw.pw_uid, pw.pw_gid)
        if not (d / "pg" / "PG_VERSION").exists():
            subprocess.run([f"{PG_BIN}/initdb", "-D", d / "pg", "-A", "trust", "-U", "huifang", "-E", "UTF8",
                            "--locale=C", "--no-instructions", "--data-checksums"], user=user, group=user,
                           extra_groups=[] if user else None, check=True, stdout=subprocess.DEVNULL)
        os.chmod(d, 0o777)
        self.spawn("postgres", [f"{PG_BIN}/postgres", "-D", d / "pg", "-k", d, "-c", "listen_addresses=",
                                "-c", "max_connections=40", "-c", "timezone=Asia/Shanghai"], user=user)
        wait_for("PostgreSQL answers", lambda: subprocess.run(
            [f"{PG_BIN}/pg_isready", "-q", "-h", d], check=False).returncode == 0)
        subprocess.run(["psql", "-q", "-h", d, "-U", "huifang", "-d", "postgres", "-c",
                        "SELECT 1 FROM pg_database WHERE datname = 'huifang'", "-At"],
                       check=True, capture_output=True)
        r = subprocess.run(["psql", "-h", d, "-U", "huifang", "-d", "postgres", "-Atc",
                            "SELECT count(*) FROM pg_database WHERE datname = 'huifang'"],
                           check=True, capture_output=True, text=True)
        if r.stdout.strip() == "0":
            subprocess.run(["createdb", "-h", d, "-U", "huifang", "huifang"], check=True)

    def sql(self, query, user="huifang"):
        """Rows as lists of text."""
        r = subprocess.run(["psql", "-h", self.dir, "-U", user, "-d", "huifang", "-AtF", "\t", "-v", "ON_ERROR_STOP=1",
                            "-c", query], check=True, capture_output=True, text=True)
        return [line.split("\t") for line in r.stdout.splitlines()]

    # -- hfctl --------------------------------------------------------------------------------------

    def ctl(self, *args, check=True, **env):
        r = subprocess.run([str(BIN / "hfctl"), *map(str, args)], env=self.env(**env), capture_output=True,
                           text=True, timeout=120, cwd=self.dir)
        if check and r.returncode != 0:
            raise AssertionError(f"hfctl {' '.join(map(str, args))}: exit {r.returncode}\n{r.stdout}{r.stderr}")
        return r
