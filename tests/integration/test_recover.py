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
from faults import commands  # noqa: E402
from stack import BIN, ROOT, wait_for  # noqa: E402

LIMIT = 60
META = "hf:{c1}:meta"


@pytest.fixture(name="s")
def _stack():
    with faults_rig.FaultStack(7, workers=3, cases=600, think=1.5, proxied=False) as s:
        yield s


@pytest.fixture(name="archived")
def _archived(s):
    """The archive may lie beside the stores."""
    (s.dir / "recorder.conf").write_text("archive_same_device = true\narchive_wait = 1\n")
    s.kill("hf-recorder", signal.SIGKILL)
    s.begin("hf-recorder")
    return s


def run_line(s, line):
    began = time.monotonic()
    r = subprocess.run(["bash", "-c", line], env=s.env(PATH=f"{BIN}:{os.environ['PATH']}"), capture_output=True, text=True,
                       timeout=180, check=False)
    assert r.returncode == 0, f"{line}: {r.returncode}\n{r.stdout}{r.stderr}"
    print(f"{time.monotonic() - began:6.2f} s  {line}\n{r.stdout.rstrip()}{r.stderr.rstrip()}")


def meta(s, field):
    return (s.redis.hget(META, field) or b"").decode()


def someone_holds(s):
    wait_for("somebody has a case in hand", lambda: s.redis.zcard("hf:{c1}:leases") > 0, LIMIT)


def someone_holds(s):
    wait_for("somebody has a case in hand", lambda: s.redis.zcard("hf:{c1}:leases") > 0, LIMIT)


def run_runbook(s, name):
    for line in commands(name):
        run_line(s, line)


def back_to_work(s, epoch):
    """All came back, nothing is in doubt, and work goes on in the new epoch."""
    assert int(meta(s, "epoch")) > epoch
    wait_for(f"the doubt ends: {s.redis.smembers('hf:{c1}:awaited')}", lambda: meta(s, "doubt") == "0", LIMIT)
    wait_for("nothing is left in doubt", lambda: s.redis.zcard("hf:{c1}:lane:doubt") == 0, LIMIT)
    s.progress(10, LIMIT)
    wait_for("the recorder goes on", lambda: s.sql("SELECT epoch FROM hf.cursor WHERE reader = 'recorder'")[0][0]
             == meta(s, "epoch"), LIMIT)


def lose_by_flushall(s):
    """With no recorder for a while: what was accepted since, and who got what, only the agents know."""
    s.fault("no recorder, then FLUSHALL")
    s.kill("hf-recorder", signal.SIGKILL)
    s.progress(15, LIMIT)
    s.redis.flushall()
    s.begin("hf-recorder")
    # killed at any moment, the command leaves a closed store; the next run is whole
    for n in (2, 20, 60):
        p = subprocess.Popen([str(BIN / "hfctl"), "recover", "redis"], env=s.env(), stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        wait_for("it has got somewhere", lambda p=p, n=n: s.redis.info()["total_commands_processed"] % n == 0
                 or p.poll() is not None)
        p.kill()
        p.wait()


def lose_the_files(s):
    s.fault("kill -9 of Redis and its files deleted")
    s.kill("redis", signal.SIGKILL)
    shutil.rmtree(s.dir / "redis" / "appendonlydir")
    s.begin("redis")


def put_back_an_old_copy(s):
    """Brokers that were there would know: without them PostgreSQL is the witness."""
    s.kill("redis", signal.SIGKILL)
    shutil.copytree(s.dir / "redis" / "appendonlydir", s.dir / "old")
    s.begin("redis")
    s.progress(20, LIMIT)
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


def test_a_lost_redis_comes_back_from_the_ledger(archived):
    s = archived
    s.recovered = True
    s.work()
    s.progress(20, LIMIT)
    for lose in (lose_by_flushall, lose_the_files, put_back_an_old_copy):
        epoch = int(meta(s, "epoch") or 1)
        someone_holds(s)
        lose(s)
        run_runbook(s, "redis-lost.md")
        back_to_work(s, epoch)
    epoch = meta(s, "epoch")
    assert "不必恢复" in s.ctl("recover", "redis").stdout and meta(s, "epoch") == epoch
    one_agent_stays_away(s)
    s.finish(LIMIT)
    wait_for("the archive follows over all losses", lambda: f"log up to {meta(s, 'epoch')}-" in s.ctl(
        "verify", s.dir / "archive", check=False).stdout, LIMIT)
    s.judge()


def one_agent_stays_away(s):
    """It may have a final word: nobody is sent to a case until it is back, or was excused."""
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
    # a supervisor frees one by name; the others stay
    case, waiting = s.redis.zrange("hf:{c1}:lane:doubt", 0, 0)[0], s.redis.zcard("hf:{c1}:lane:doubt")
    taken = s.fcall("hf1_broker", ("take", bytes(16), "p01", 1, case, "*"))[0]
    assert taken[:2] == [b"no", b"embargo"], taken
    s.ctl("case", "free", case.hex())
    wait_for("it is free", lambda: s.redis.zscore("hf:{c1}:lane:doubt", case) is None, LIMIT)
    assert s.redis.zcard("hf:{c1}:lane:doubt") >= waiting - 1
    away.p.send_signal(signal.SIGCONT)
    wait_for("the doubt ends", lambda: meta(s, "doubt") == "0", LIMIT)
    s.progress(5, LIMIT)


def test_a_case_in_hand_stays_in_hand_over_the_loss(monkeypatch):
    monkeypatch.setattr(faults_rig, "LEASE_MS", 8000)
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
        s.ctl("recover", "excuse", "--all")
        wait_for("the doubt ends", lambda: meta(s, "doubt") == "0", LIMIT)
        w.stop.set()
        w.start()
        s.finish(LIMIT)
        s.judge()


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


def test_a_lost_postgres_is_rebuilt_to_the_row(archived):
    s = archived
    s.work()
    s.progress(10, LIMIT)
    s.kill("postgres", signal.SIGQUIT)
    subprocess.run(["cp", "-a", s.dir / "pg", s.dir / "pg-old"], check=True)
    s.begin("postgres")
    s.progress(20, LIMIT)
    before = at_rest(s)
    assert len(before["ledger"]) > 30
    s.fault("an old PostgreSQL")
    s.kill("postgres", signal.SIGQUIT)
    shutil.rmtree(s.dir / "pg")
    os.rename(s.dir / "pg-old", s.dir / "pg")
    s.begin("postgres")
    wait_for("it is refused", lambda: "hfctl recover postgres" in s.log("hf-recorder"), LIMIT)
    assert differences(before, rows(s))
    run_runbook(s, "postgres-lost.md")
    assert not differences(before, rows(s))
    assert "不缺什么" in s.ctl("recover", "postgres").stdout
    s.fault("PostgreSQL emptied, and a Redis whose log begins late")
    s.redis.xtrim("hf:{c1}:log", minid="1-100")
    new_database(s)
    run_runbook(s, "postgres-lost.md")
    assert not differences(before, rows(s))
    s.recovered = True  # its log is not whole any more
    s.judge()


# ---- a log that is cut ----------------------------------------------------------------------------------


def test_what_redis_forgot_is_not_missed(archived):
    """The log is cut behind router and archive; a case's story, and both stores, still come back whole."""
    s = archived
    (s.dir / "recorder.conf").write_text("archive_same_device = true\narchive_wait = 4\nlog_keep = 0\n")
    s.kill("hf-recorder", signal.SIGKILL)
    s.begin("hf-recorder")
    s.recovered = s.cut = True
    s.think = 0.6
    s.work()
    s.progress(40, LIMIT)
    first = s.sql("SELECT encode(case_ref, 'hex') FROM hf.ledger WHERE kind = 1 ORDER BY no LIMIT 1")[0][0]
    told = s.ctl("case", "trace", first).stdout

    def begins():
        return int(s.redis.xrange("hf:{c1}:log", count=1)[0][0].split(b"-")[1])
    wait_for("the log begins behind the first records", lambda: begins() > int(
        s.sql("SELECT max(log_no) FROM (SELECT log_no FROM hf.ledger WHERE kind = 1 ORDER BY no LIMIT 10) x")[0][0]), LIMIT)
    end = int(meta(s, "logno"))
    s.progress(60, LIMIT)
    wait_for("it stays short while work goes on", lambda: begins() > end and s.redis.xlen("hf:{c1}:log") < end, LIMIT)
    s.fault("kill -9 of the recorder: what it gathered for the archive and did not seal is read again")
    s.kill("hf-recorder", signal.SIGKILL)
    sealed = len(list((s.dir / "archive" / "records" / "c1").glob("*.seg")))
    s.begin("hf-recorder")
    s.progress(10, LIMIT)
    wait_for("it seals what it read again", lambda: len(list((s.dir / "archive" / "records" / "c1").glob("*.seg"))) > sealed,
             LIMIT)
    now = [line for line in s.ctl("case", "trace", first).stdout.splitlines() if line.strip()]
    for kind in ("grant", "record"):
        old = [line.split()[0] for line in told.splitlines() if line.split()[1:2] == [kind]]
        assert old and all(any(at in line and kind in line for line in now) for at in old), (kind, told, now)
    epoch = int(meta(s, "epoch"))
    s.fault("FLUSHALL")
    s.redis.flushall()
    run_runbook(s, "redis-lost.md")
    back_to_work(s, epoch)
    before = at_rest(s)
    s.fault("PostgreSQL emptied")
    new_database(s)
    run_runbook(s, "postgres-lost.md")
    assert not differences(before, rows(s))
    s.judge()
