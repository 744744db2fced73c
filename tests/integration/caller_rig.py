"""hf-caller --lines against real brokers, real Redis and the real queue.lua.

The agent's directory is written here from the text of the protocol, not by our own enrolment."""
import json
import os
import queue
import signal
import subprocess
import threading
import time

import hfp
import nacl.signing
import zmq
import zmq.utils.z85 as z85
from agent import Person
from stack import BIN, wait_for
from test_broker import Rig

TASK = [1, 1, "2611350199000012", 2, "林晓雨", 3, "女", 4, "511300200801010022", 10, "护理", 14,
        [["self", "19900000001", ""], ["father", "19900000002", "晚上"]]]


class Caller:
    """A process hf-caller --lines; what it says is read by a thread and taken in order."""

    def __init__(self, rig, directory, *args, env=None):
        self.dir = directory
        self.p = subprocess.Popen([str(BIN / "hf-caller"), "--lines", "--agent", str(directory), *map(str, args)],
                                  env=rig.env(**(env or {})), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=open(rig.logs / "caller.log", "ab"))
        self.q, self.all = queue.Queue(), []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.p.stdout:
            said = json.loads(line)
            self.all.append(said)
            self.q.put(said)
        self.q.put(None)

    def say(self, **what):
        self.raw(json.dumps(what))

    def raw(self, text):
        self.p.stdin.write((text + "\n").encode())
        self.p.stdin.flush()

    def hear(self, *kinds, limit=10.0):
        """The value of the next object that has one of these keys; `link` is passed over, an error is raised."""
        end = time.monotonic() + limit
        while True:
            try:
                said = self.q.get(timeout=max(end - time.monotonic(), 0.001))
            except queue.Empty:
                raise AssertionError(f"nothing of {kinds} within {limit} s; heard {self.all[-5:]}") from None
            assert said is not None, f"ended while waiting for {kinds}; heard {self.all[-5:]}"
            for k in kinds:
                if k in said:
                    return said[k]
            assert "error" not in said, said

    def kill(self):
        self.p.send_signal(signal.SIGKILL)
        self.p.wait(10)
        self.thread.join(10)

    def close(self):
        """End of stdin; returns the exit code."""
        if self.p.poll() is None and not self.p.stdin.closed:
            self.p.stdin.close()
        code = self.p.wait(20)
        self.thread.join(10)
        return code


class CallerRig(Rig):
    def __init__(self, **how):
        super().__init__(**how)
        self.callers = []

    def enrolled(self, name, brokers=None, pin=None, where=None, **person):
        """An agent's directory for a new person, known to the brokers."""
        p = self.person(name, **person)
        public, secret = zmq.curve_keypair()
        seed, curve_pk = os.urandom(32), z85.decode(public)
        sign_pk = bytes(nacl.signing.SigningKey(seed).verify_key)
        agent = hfp.agent_id(curve_pk, sign_pk)
        assert self.router(("admit_agent", agent.hex(), curve_pk.hex(), sign_pk.hex(), "active"))[0][0] == b"ok"
        d = self.dir / (where or name)
        (d / "persons").mkdir(parents=True)
        (d / "agent.conf").write_text(
            f'campaign = "c1"\nbrokers = "{brokers or self.endpoint()}"\nbroker_key = "{self.server_pk().hex()}"\n'
            f'recorder_key = "{bytes(self.recorder.verify_key).hex()}"\nagent = "{agent.hex()}"\n')
        (d / "curve.key").write_text(z85.decode(secret).hex() + "\n")
        (d / "sign.key").write_text(seed.hex() + "\n")
        own = bytes(p.key)
        if pin is None:
            text = f'unattended = "1"\nseed = "{own.hex()}"\n'
        else:
            salt = os.urandom(16)
            sealed = hfp.seal(hfp.pin_key(pin, salt), own, b"hf1-person" + name.encode(), os.urandom(24))
            text = f'salt = "{salt.hex()}"\nsealed = "{sealed.hex()}"\n'
        (d / "persons" / f"{name}.key").write_text(text)
        for f in d.rglob("*"):
            f.chmod(0o700 if f.is_dir() else 0o600)
        self.wait_known(agent)
        return d

    def wait_known(self, agent):
        """The brokers follow the log; wait until what we wrote there is behind them."""
        last = self.redis.xrevrange("hf:{c1}:log", count=1)[0][0]
        assert last, agent

    recorder = nacl.signing.SigningKey(b"R" * 32)

    def task_case(self, task=None, **how):
        """A case whose task opens with its key."""
        case = self.fresh[-1]
        sealed = hfp.seal(case + case, hfp.pack(task or TASK), hfp.task_ad(case), os.urandom(24))
        assert self.case(task=sealed, **how) == case
        return case

    def caller(self, directory, *args, **how):
        c = Caller(self, directory, *args, **how)
        self.callers.append(c)
        return c

    def records(self):
        """(ob, seq, verdict) of every record in the log, in order."""
        out = []
        for _, fields in self.redis.xrange("hf:{c1}:log"):
            if fields[b"e"].startswith(b"record "):
                ob, seq, verdict = fields[b"d"].split(b" ")[:3]
                out.append((ob.decode(), int(seq), int(verdict)))
        return out

    def settle(self, ob, upto, level=1):
        """What hf-recorder would say."""
        h = self.redis.hget("hf:{c1}:ob:" + ob, "h") if upto is None else upto[1]
        seq = upto[0]
        inc = b"i" * 16
        sig = self.recorder.sign(hfp.receipt_bytes(level, bytes.fromhex(ob), seq, h, inc)).signature
        f0 = hfp.pack([1, 17, level, bytes.fromhex(ob), seq, h, inc, sig])
        assert self.fcall("hf1_recorder", ("mark", bytes.fromhex(ob), level, seq, h, f0))[0][0] == b"ok"

    def ob_of(self, directory):
        (row,) = [k for k in self.redis.keys("hf:{c1}:ob:*")]
        return row.decode().rsplit(":", 1)[1]

    def close(self):
        for c in self.callers:
            if c.p.poll() is None:
                c.kill()
        super().close()


__all__ = ["Caller", "CallerRig", "TASK", "Person", "wait_for"]
