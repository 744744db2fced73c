"""Lost stores, made good by `hfctl recover`: real Redis, PostgreSQL, brokers, router, recorder and callers at work; the
off-line checker of tests/faults judges each run. The command lines are those of deploy/runbooks."""
import os
import pathlib
import shutil
import signal
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "faults"))
import rig as faults_rig  # noqa: E402
from stack import wait_for  # noqa: E402

LIMIT = 60
META = "hf:{c1}:meta"


@pytest.fixture(name="s")
def _stack():
    with faults_rig.FaultStack(7, workers=4, cases=120, think=0.1, proxied=False) as s:
        s.recovered = True
        yield s


def meta(s, field):
    return (s.redis.hget(META, field) or b"").decode()


def someone_holds(s):
    wait_for("somebody has a case in hand", lambda: s.redis.zcard("hf:{c1}:leases") > 0, LIMIT)


def flushall(s):
    s.fault("FLUSHALL")
    s.redis.flushall()


def files_deleted(s):
    s.fault("kill -9 of Redis and its files deleted")
    s.kill("redis", signal.SIGKILL)
    shutil.rmtree(s.dir / "redis" / "appendonlydir")
    s.begin("redis")


def back_to_work(s, before):
    """All came back, nothing is in doubt, and work goes on in the new epoch."""
    wait_for("the doubt ends", lambda: meta(s, "doubt") == "0", LIMIT)
    wait_for("nothing is left in doubt", lambda: s.redis.zcard("hf:{c1}:lane:doubt") == 0, LIMIT)
    s.progress(10, LIMIT)
    s.finish(LIMIT)
    run = s.judge()
    assert int(meta(s, "epoch")) > before
    assert any(r["token"].startswith(f"{int(meta(s, 'epoch')):06x}") for r in run["ledger"] if r["kind"] == 1)
    return run


@pytest.mark.parametrize("lose", (flushall, files_deleted))
def test_a_lost_redis_comes_back_from_the_ledger(s, lose):
    s.work()
    s.progress(30, LIMIT)
    someone_holds(s)
    epoch = int(meta(s, "epoch"))
    lose(s)
    print(s.ctl("recover", "redis").stdout)
    back_to_work(s, epoch)
    again = s.ctl("recover", "redis").stdout
    assert "不必恢复" in again and int(meta(s, "epoch")) == epoch + 1


def test_an_old_copy_of_redis_is_halted_and_replaced(s):
    s.work()
    s.progress(15, LIMIT)
    s.kill("redis", signal.SIGKILL)
    shutil.copytree(s.dir / "redis" / "appendonlydir", s.dir / "old")
    s.begin("redis")
    s.progress(20, LIMIT)
    someone_holds(s)
    # brokers that were there would know: without them PostgreSQL is the witness
    for name in ("hf-broker0", "hf-broker1"):
        s.kill(name)
    s.fault("an old AOF")
    s.kill("redis", signal.SIGKILL)
    shutil.rmtree(s.dir / "redis" / "appendonlydir")
    os.rename(s.dir / "old", s.dir / "redis" / "appendonlydir")
    s.begin("redis")
    wait_for("the recorder halts it", lambda: meta(s, "mode") == "2", LIMIT)
    for name in ("hf-broker0", "hf-broker1"):
        s.begin(name)
    s.ctl("recover", "redis")
    back_to_work(s, 1)


def test_who_did_not_come_back_keeps_cases_in_doubt(s):
    """An agent that is off may have a final word: nobody is sent to a case until it is back, or was excused."""
    s.work()
    s.progress(20, LIMIT)
    away = s.workers[0]
    away.p.send_signal(signal.SIGSTOP)
    s.fault("FLUSHALL, while one agent is off")
    s.redis.flushall()
    s.ctl("recover", "redis", "--wait-hours", "240")
    wait_for("the embargo ends", lambda: meta(s, "mode") == "0", LIMIT)
    wait_for("the others are back", lambda: s.redis.scard("hf:{c1}:awaited") == 1, LIMIT)
    log = s.log_entries()
    opened = max(i for i, e in enumerate(log) if e[0] == "epoch")
    assert not [e for e in log[opened:] if e[0] == "grant"]
    said = s.ctl("recover", "status", check=False)
    assert said.returncode == 1 and "1 台" in said.stdout
    case = sorted(s.redis.zrange("hf:{c1}:lane:doubt", 0, 0))[0]
    # a supervisor frees one by name; the others stay
    waiting = s.redis.zcard("hf:{c1}:lane:doubt")
    s.ctl("case", "free", case.hex())
    wait_for("it is free", lambda: s.redis.zscore("hf:{c1}:lane:doubt", case) is None, LIMIT)
    assert s.redis.zcard("hf:{c1}:lane:doubt") >= waiting - 1
    away.p.send_signal(signal.SIGCONT)
    wait_for("the doubt ends", lambda: meta(s, "doubt") == "0", LIMIT)
    back_to_work(s, 1)
