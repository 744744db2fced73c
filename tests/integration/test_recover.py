"""Lost stores, made good by `hfctl recover`: real Redis, PostgreSQL, brokers, router, recorder and callers at work; the
off-line checker of tests/faults judges each run. The command lines are those of deploy/runbooks."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "faults"))
import rig as faults_rig  # noqa: E402
from stack import BIN, ROOT, wait_for  # noqa: E402

LIMIT = 60
META = "hf:{c1}:meta"


@pytest.fixture(name="s")
def _stack():
    with faults_rig.FaultStack(7, workers=4, cases=120, think=0.1, proxied=False) as s:
        s.recovered = True
        yield s


@pytest.fixture(name="archived")
def _archived(s):
    """The archive may lie beside the stores."""
    (s.dir / "recorder.conf").write_text("archive_same_device = true\narchive_wait = 1\n")
    s.kill("hf-recorder", signal.SIGKILL)
    s.begin("hf-recorder")
    return s


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


def run_line(s, line):
    began = time.monotonic()
    r = subprocess.run(["bash", "-c", line], env=s.env(PATH=f"{BIN}:{os.environ['PATH']}"), capture_output=True, text=True,
                       timeout=180, check=False)
    assert r.returncode == 0, f"{line}: {r.returncode}\n{r.stdout}{r.stderr}"
    print(f"{time.monotonic() - began:6.2f} s  {line}\n{r.stdout.rstrip()}")


def meta(s, field):
    return (s.redis.hget(META, field) or b"").decode()


def someone_holds(s):
    wait_for("somebody has a case in hand", lambda: s.redis.zcard("hf:{c1}:leases") > 0, LIMIT)


def flushall(s):
    """With no recorder for a while: what was accepted since, and who got what, only the agents know."""
    s.fault("no recorder, then FLUSHALL")
    s.kill("hf-recorder", signal.SIGKILL)
    s.progress(15, LIMIT)
    s.redis.flushall()
    s.begin("hf-recorder")


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
    for line in commands("redis-lost.md"):
        run_line(s, line)
    back_to_work(s, epoch)
    again = s.ctl("recover", "redis").stdout
    assert "不必恢复" in again and int(meta(s, "epoch")) == epoch + 1


def test_an_old_copy_of_redis_is_halted_and_replaced(archived):
    s = archived
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


def test_a_case_in_hand_stays_in_hand_over_the_loss(monkeypatch):
    monkeypatch.setattr(faults_rig, "LEASE_MS", 15000)
    with faults_rig.FaultStack(7, workers=2, cases=6, think=0, proxied=False) as s:
        s.recovered = True
        w = faults_rig.Worker(s, s.names[0], 7)
        s.workers = [w]
        w.say("next", {}, do="next")
        task = None
        while task is None:
            task = w.q.get(timeout=LIMIT).get("task")
        s.fault("FLUSHALL with a case in hand")
        s.redis.flushall()
        s.ctl("recover", "redis")
        wait_for("the lease is readmitted", lambda: [e for e in s.log_entries() if e[0] == "readmit"], LIMIT)
        entry = [e for e in s.log_entries() if e[0] == "readmit"][0]
        assert entry[2] == task["case"] and entry[4].startswith(w.person + " ")
        w.record(task, "stay")
        wait_for("the record is answered", lambda: [e for e in s.history if e["op"] == "accepted"], LIMIT)
        assert [e["verdict"] for e in s.history if e["op"] == "accepted"] == ["effective"]
        w.stop.set()
        w.start()
        wait_for("the doubt ends", lambda: meta(s, "doubt") == "0" or s.ctl("recover", "excuse", "--all"), LIMIT)
        s.finish(LIMIT)
        s.judge()


def test_a_broken_off_recovery_is_run_again(s):
    """Killed at any moment, the command leaves a closed store; the next run is whole. Twice is once."""
    s.work()
    s.progress(15, LIMIT)
    s.redis.flushall()
    for n in (2, 6, 20, 60):
        p = subprocess.Popen([str(BIN / "hfctl"), "recover", "redis"], env=s.env(), stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        wait_for("it has got somewhere", lambda p=p, n=n: s.redis.info()["total_commands_processed"] % n == 0
                 or p.poll() is not None)
        p.kill()
        p.wait()
    s.ctl("recover", "redis")
    back_to_work(s, 1)


# ---- PostgreSQL ---------------------------------------------------------------------------------------

TABLES = {
    "ledger": "*", "lease_log": "*", "agent": "*", "person": "*", "kept": "*", "case_index": "*",
    "case_state": "*", "outbox": "campaign, ob, agent, recorded_upto, recorded_h, frozen",
    "equivocation": "ob, seq", "quarantine": "ob, seq, flaw, raw", "epoch": "campaign, epoch, incarnation, why",
}


def rows(s):
    """All that follows from the log, row by row; and what is paid, to the fen."""
    found = {t: sorted(map(tuple, s.sql(f"SELECT {columns} FROM hf.{t}"))) for t, columns in TABLES.items()}
    found["pay"] = s.sql("SELECT * FROM hf.pay_sheet('c1') ORDER BY person")
    return found


def at_rest(s):
    s.finish(LIMIT)
    wait_for("the archive has a segment", lambda: list((s.dir / "archive" / "records" / "c1").glob("*.seg")), LIMIT)
    return rows(s)


def differences(before, after):
    return {t: (len(before[t]), len(after[t]), [r for r in before[t] if r not in after[t]][:2])
            for t in before if before[t] != after[t]}


def new_database(s):
    """PostgreSQL's files are gone; an empty one stands in its place."""
    s.kill("postgres", signal.SIGQUIT)
    shutil.rmtree(s.dir / "pg")
    s.start_pg()


def test_an_emptied_postgres_is_rebuilt_to_the_row(archived):
    s = archived
    s.work()
    s.progress(30, LIMIT)
    before = at_rest(s)
    assert len(before["ledger"]) > 30
    s.fault("PostgreSQL lost")
    new_database(s)
    for line in commands("postgres-lost.md"):
        run_line(s, line)
    assert not differences(before, rows(s))
    s.judge()


def test_a_postgres_put_back_from_a_copy_is_refused_and_catches_up(archived):
    s = archived
    s.work()
    s.progress(10, LIMIT)
    s.kill("postgres", signal.SIGQUIT)
    subprocess.run(["cp", "-a", s.dir / "pg", s.dir / "pg-old"], check=True)
    s.begin("postgres")
    s.progress(20, LIMIT)
    before = at_rest(s)
    s.fault("an old PostgreSQL")
    s.kill("postgres", signal.SIGQUIT)
    shutil.rmtree(s.dir / "pg")
    os.rename(s.dir / "pg-old", s.dir / "pg")
    s.begin("postgres")
    wait_for("it is refused", lambda: "hfctl recover postgres" in s.log("hf-recorder"), LIMIT)
    assert differences(before, rows(s))
    for line in commands("postgres-lost.md"):
        run_line(s, line)
    assert not differences(before, rows(s))
    assert "不缺什么" in s.ctl("recover", "postgres").stdout
    s.judge()
