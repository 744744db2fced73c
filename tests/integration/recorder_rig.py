"""What the recorder's tests share: a stack with an open campaign, and a writer of true (and false) records.

The records are made here a second time, from PROTOCOL.md alone: chain, signature, header, frame."""
import hashlib
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import time

import msgpack
import nacl.signing
import psycopg2
import redis

from stack import BIN, ROOT, Stack, wait_for

CAMPAIGN = "c1"
ZERO = bytes(32)
ZERO_TOKEN = "0" * 16
NEEDS_TOKEN, MOVES, BINDS, QUARANTINED, AGAIN = 1, 2, 4, 8, 16


def b2(*parts):
    return hashlib.blake2b(b"".join(parts), digest_size=32).digest()


def header(kind=1, person="li", token=0, case=None, expect=0, again=0, fields=(), rid=None):
    flat = [x for pair in sorted(fields) for x in pair]
    return msgpack.packb([1, kind, person, token, case, expect, rid or os.urandom(16), again, bytes(16), 1, 2, 3,
                          4, 5, 6, 0, flat], use_bin_type=True)


NOTE = 2
ATTEMPT = ((1, "no-answer"), (2, "phone"), (4, 35), (12, 0))


class Agent:
    """An enrolled agent with its outbox; `chain` is what it said, as arguments for hf1_broker's record."""

    def __init__(self, enrolled=True):
        self.key = nacl.signing.SigningKey.generate()
        self.curve_pk = os.urandom(32)
        self.id = b2(b"hf1-agent", self.curve_pk, bytes(self.key.verify_key))[:16]
        self.ob = os.urandom(16)
        self.seq, self.h = 0, ZERO
        self.enrolled = enrolled

    def frame(self, seq, prev_h, head, body, key=None):
        bc = b2(body)
        h = b2(b"hf1", prev_h, self.ob, struct.pack(">Q", seq), head, bc)
        sig = (key or self.key).sign(h).signature
        return h, msgpack.packb([1, 12, self.ob, seq, prev_h, h, bc, head, sig, None], use_bin_type=True)

    def say(self, body=b"", key=None, flags=0, token=0, case=None, person="li", **more):
        """The next record of the outbox as an entry for fcall: an ATTEMPT of a case, else a NOTE."""
        kind = more.pop("kind", NOTE if case is None else 1)
        fields = more.pop("fields", ATTEMPT if kind == 1 else ())
        head = more.pop("head", None) or header(kind=kind, person=person, token=token, case=case, fields=fields,
                                                **more)
        prev = self.h
        self.seq += 1
        self.h, f0 = self.frame(self.seq, prev, head, body, key)
        return ("record", self.ob, str(self.seq), prev, self.h, person, str(kind), str(flags), case or b"",
                "%016x" % token, "0", f0, body, head)


class Rig(Stack):
    """A stack with PostgreSQL, the schema and campaign c1, opened as epoch 1."""

    def __init__(self):
        super().__init__(pg=True)
        self.migrate()
        self.admin("CREATE DATABASE blank TEMPLATE huifang")
        self.reset()

    def admin(self, *statements):
        for text in statements:
            subprocess.run(["psql", "-q", "-h", self.dir, "-U", "huifang", "-d", "postgres", "-v", "ON_ERROR_STOP=1",
                            "-c", text], check=True, capture_output=True)

    def reset(self):
        """As new, without starting servers again."""
        for name in [n for n in self.procs if n not in ("redis", "postgres")]:
            self.kill(name)
        for log in self.logs.glob("*.log"):
            if log.stem not in ("redis", "postgres"):
                log.unlink()
        for keys in (self.dir / "keys", self.dir / "archive" / "keys"):
            shutil.rmtree(keys, ignore_errors=True)
        self.redis.execute_command("FLUSHALL")
        self.admin("DROP DATABASE huifang WITH (FORCE)", "CREATE DATABASE huifang TEMPLATE blank")
        self.incarnation = os.urandom(16).hex()
        (self.dir / "secrets" / "kek").write_text(os.urandom(32).hex() + "\n")
        self.open_campaign()

    def migrate(self):
        for f in sorted((ROOT / "deploy" / "schema").glob("[0-9]*.sql")):
            subprocess.run(["psql", "-q", "-1", "-h", self.dir, "-U", "huifang", "-d", "huifang", "-v",
                            "ON_ERROR_STOP=1", "-f", f], check=True, capture_output=True)

    def open_campaign(self):
        self.sql(f"INSERT INTO hf.campaign (campaign) VALUES ('{CAMPAIGN}')")
        self.sql("INSERT INTO hf.epoch (campaign, epoch, incarnation, why, by_whom) VALUES "
                 f"('{CAMPAIGN}', 1, '\\x{self.incarnation}', 'new', 'test')")
        self.redis.sadd("hf:campaigns", CAMPAIGN)
        assert self.route(("open", "1", self.incarnation, "new")) == [[b"ok"]]

    def route(self, *entries):
        return self.fcall("hf1_router", *entries)

    def queue(self, *entries):
        return self.fcall("hf1_broker", *entries)

    def admit(self, agent):
        if agent.enrolled:
            self.route(("admit_agent", agent.id.hex(), agent.curve_pk.hex(), bytes(agent.key.verify_key).hex(),
                         "active"))
        self.route(("ob", agent.ob, agent.id.hex()))
        return agent

    def agent(self, **kw):
        return self.admit(Agent(**kw))

    def case(self, lane="pool", due="0", task=b"sealed task", blob=b"\x01\x02"):
        ref = os.urandom(16)
        assert self.route(("create", ref, lane, due, task, blob, "-", b"")) == [[b"ok", b"created"]]
        return ref

    def person(self, name="li", lanes=("pool",)):
        self.route(("admit_person", name, "1", "t1", "1", "-", "1"), ("offer", name, "5", *lanes))
        return name

    def recorder(self, name="hf-recorder", **env):
        return self.daemon(name, program="hf-recorder", **env)

    def upto(self, agent):
        rows = self.sql(f"SELECT recorded_upto FROM hf.outbox WHERE ob = '\\x{agent.ob.hex()}'")
        return int(rows[0][0]) if rows else 0

    def settled(self, agent):
        return int(self.redis.hget("hf:{c1}:ob:" + agent.ob.hex(), "settled") or 0)

    def wait_settled(self, agent, upto=None, limit=20):
        upto = agent.seq if upto is None else upto
        wait_for(f"outbox settled up to {upto}", lambda: self.settled(agent) >= upto, limit)

    def wait_logged(self, text, name="hf-recorder"):
        return wait_for(f"the log of {name} says {text}", lambda: text in self.full_log(name))

    def full_log(self, name="hf-recorder"):
        path = self.logs / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def db(self, user="huifang"):
        c = psycopg2.connect(host=str(self.dir), dbname="huifang", user=user)
        c.autocommit = True
        return c

    def dump(self, where):
        """PostgreSQL's files as they are now, for a restore to the past."""
        self.kill("postgres", signal.SIGINT)
        shutil.copytree(self.dir / "pg", where, dirs_exist_ok=True)
        self.start_pg()

    def restore(self, where):
        self.kill("postgres", signal.SIGINT)
        shutil.rmtree(self.dir / "pg")
        self.put_files(where)
        self.start_pg()

    def put_files(self, where):
        shutil.copytree(where, self.dir / "pg")
        os.chmod(self.dir / "pg", 0o700)
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", "postgres", self.dir / "pg"], check=True)

    def retry(self, function, *entries, limit=20):
        """Until the store answers, as an agent does: the same numbers again."""
        end = time.monotonic() + limit
        while True:
            try:
                return self.fcall(function, *entries)
            except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError,
                    redis.exceptions.BusyLoadingError, ConnectionError):
                if time.monotonic() > end:
                    raise
                wait_for("redis answers", self._ping)


def verify_receipt(rig, f0):
    """A RECEIPT's fields, its signature checked with recorder.pub."""
    m = msgpack.unpackb(f0, raw=False)
    _, kind, level, ob, upto, h, incarnation, sig = m
    assert kind == 17
    pk = bytes.fromhex((rig.dir / "secrets" / "recorder.pub").read_text().strip())
    nacl.signing.VerifyKey(pk).verify(b"hf1-receipt" + bytes([level]) + ob + struct.pack(">Q", upto) + h + incarnation,
                                      sig)
    return {"level": level, "ob": ob, "upto": upto, "h": h, "incarnation": incarnation}


def find_in_files(top, needles):
    """(file, needle) for every planted text that lies in a file below top."""
    found = []
    for path in pathlib.Path(top).rglob("*"):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            found += [(str(path), n) for n in needles if n in data]
    return found


__all__ = ["AGAIN", "ATTEMPT", "Agent", "BIN", "BINDS", "CAMPAIGN", "MOVES", "NEEDS_TOKEN", "QUARANTINED", "ROOT",
           "Rig", "ZERO", "b2", "find_in_files", "header", "verify_receipt", "wait_for"]
