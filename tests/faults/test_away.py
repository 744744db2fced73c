"""What is away, and comes back or does not: PostgreSQL for an hour of the campaign, Redis, a workstation that is
re-imaged, and an old Redis that is alive beside the one that took its place. The runbooks' lines are run as they stand,
and printed with their time."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import urllib.request

import redis

from faults import run_runbook
from rig import FaultStack, Worker, free_port, now, wait_for

SEED = int(os.environ.get("HF_SEED", "1"))
LIMIT = 60
META = "hf:{c1}:meta"


def dashboard(s):
    """What an operator sees at the top of the page."""
    port = free_port()
    s.daemon("hf-dashboard", "--bind", f"127.0.0.1:{port}")

    def problems():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/state", timeout=LIMIT) as r:
            return [p["what"] for p in json.loads(r.read())["problems"]]
    return problems


def problems_of_doctor(s):
    return [line.split()[1] for line in s.ctl("doctor", check=False).stdout.splitlines() if line.startswith("问题")]


def first_task(w):
    w.say("next", {}, do="next")
    while True:
        said = w.q.get(timeout=LIMIT)
        if said and "task" in said:
            return said["task"]


def campaign_ms(s):
    t0, b0, rate, _ = map(int, (s.dir / "clock").read_text().split())
    return t0 + (now() * 1e6 - b0) / 1e6 * rate


def test_postgres_away_for_an_hour():
    """An hour of the campaign, ten minutes of which go by in a second; an hour's worth of calls is made meanwhile."""
    with FaultStack(SEED, workers=6, cases=400, think=0.1) as s:
        said = dashboard(s)
        s.work()
        s.progress(20, LIMIT)
        before = int(s.sql("SELECT count(*) FROM hf.ledger WHERE kind = 1")[0][0])
        s.fault("PostgreSQL away for an hour")
        s.kill("postgres", signal.SIGQUIT)
        began, stored, accepted = campaign_ms(s), s.stored(), s.accepted()
        t0 = int(campaign_ms(s))
        (s.dir / "clock.new").write_text(f"{t0} {int(now() * 1e6)} 600000 0\n")
        os.rename(s.dir / "clock.new", s.dir / "clock")
        wait_for("the dashboard says so", lambda: "PostgreSQL 连不上" in said(), LIMIT)
        assert "postgresql" in problems_of_doctor(s)
        wait_for("an hour", lambda: campaign_ms(s) - began > 3600000, LIMIT)
        wait_for("calls go on, and are accepted", lambda: s.stored() > stored + 150 and s.accepted() > accepted + 150, LIMIT)
        s.begin("postgres")
        wait_for("it catches up", lambda: int(s.sql("SELECT count(*) FROM hf.ledger WHERE kind = 1")[0][0]) > before + 150,
                 LIMIT)
        wait_for("the dashboard is content", lambda: "PostgreSQL 连不上" not in said(), LIMIT)
        s.finish(LIMIT)
        s.judge()


def test_redis_away_is_said_and_all_arrives_once():
    with FaultStack(SEED, workers=2, cases=30, think=0) as s:
        said = dashboard(s)
        holder, other = (Worker(s, p, SEED) for p in s.names)
        s.workers = [holder, other]
        task = first_task(holder)
        s.fault("Redis away")
        s.kill("redis", signal.SIGKILL)
        wait_for("the dashboard says so", lambda: "Redis 连不上" in said(), LIMIT)
        assert "redis" in problems_of_doctor(s)
        for _ in range(5):
            holder.record(task, "stay", again=True)
        holder.record(task, "stay")
        wait_for("all is kept", lambda: holder.stored == 6, LIMIT)
        wait_for("the agent says that it is not sent", lambda: [e["said"]["state"] for e in s.history
                 if e["op"] == "link" and e["who"] == holder.person][-1:] == ["offline"], LIMIT)
        assert holder.accepted == 0
        s.begin("redis")
        wait_for("all is accepted", lambda: holder.accepted == 6, LIMIT)
        assert [e["verdict"] for e in s.history if e["op"] == "accepted"] == ["effective"] * 6
        wait_for("the dashboard is content", lambda: "Redis 连不上" not in said(), LIMIT)
        for w in s.workers:
            w.stop.set()
            w.start()
        s.finish(LIMIT)
        s.judge()


def test_a_workstation_that_is_lost_is_enrolled_anew():
    """What had been accepted stands; what had not, was on its disk alone: the case goes on, and is named to the person."""
    with FaultStack(SEED, workers=2, cases=30, think=0) as s:
        lost, other = (Worker(s, p, SEED) for p in s.names)
        s.workers = [lost, other]
        lost.record(first_task(lost), "next")
        wait_for("it is accepted", lambda: lost.accepted == 1, LIMIT)
        tasks = [e for e in s.history if e["op"] == "task" and e["who"] == lost.person]
        wait_for("the next case", lambda: len([e for e in s.history if e["op"] == "task"]) == 2, LIMIT)
        task = [e for e in s.history if e["op"] == "task"][-1]
        assert task["token"] != tasks[0]["token"]
        for proxy in s.proxies:
            proxy.say("dark")
        lost.record(task, "stay")
        wait_for("it is on the disk", lambda: lost.stored == 2, LIMIT)
        s.fault("the workstation is lost with its disk")
        lost.p.kill()
        lost.p.wait(LIMIT)
        shutil.rmtree(s.dir / lost.person)
        for proxy in s.proxies:
            proxy.say("pass")
        gone = [e for e in s.history if e["op"] == "stored"][-1]
        wait_for("the case is free again", lambda: s.redis.zcard("hf:{c1}:leases") == 0, LIMIT)
        told = run_runbook(s, "workstation-lost.md", PERSON=lost.person, DIR=s.dir / lost.person, PGHOST=s.dir)
        assert "expired" in told[-1] or "lost" in told[-1] or told[-1].strip(), told
        print(told[-1])
        conf = s.dir / lost.person / "agent.conf"
        text = conf.read_text()
        for port, proxy in zip(s.ports, s.proxies):
            text = text.replace(f":{port}", f":{proxy.port}")
        conf.write_text(text)
        for w in s.workers:
            w.start()
        s.progress(6, LIMIT)
        with s.lock:       # nobody promised it: it was never accepted
            s.history = [e for e in s.history if e.get("id") != gone["id"]]
        s.finish(LIMIT)
        run = s.judge()
        rows = [r for r in run["ledger"] if r["person"] == lost.person and r["kind"] == 1]
        assert rows[0]["seq"] == 1 and gone["id"] not in [r["id"] for r in rows]
        assert len({r["ob"] for r in rows}) == 2, "the new one has an outbox of its own"


# ---- two Redis alive ------------------------------------------------------------------------------------


def second_redis(s):
    """A replica of the first, in a directory and an installation (HF_HOME) of its own that shares all the rest."""
    home, port = s.dir / "b", free_port()
    (home / "redis").mkdir(parents=True)
    for name in ("broker.conf", "demo", "clock", "recorder.conf"):
        shutil.copy(s.dir / name, home / name)
    (home / "env.conf").write_text((s.dir / "env.conf").read_text().replace(f"{s.dir}/redis.sock", f"{home}/redis.sock"))
    secret = (s.dir / "secrets" / "redis-admin").read_text()
    s.redis.config_set("port", port)
    conf = (s.dir / "redis.conf").read_text().replace(f"{s.dir}/redis.sock", f"{home}/redis.sock")
    conf = conf.replace(f"dir {s.dir}/redis\n", f"dir {home}/redis\n").replace("redis.log", "redis-b.log")
    (home / "redis.conf").write_text(conf + f"replicaof 127.0.0.1 {port}\nmasteruser admin\nmasterauth {secret}\n")
    s.spawn("redis-b", ["redis-server", home / "redis.conf"])
    b = type(s.redis)(unix_socket_path=f"{home}/redis.sock", username="admin", password=secret)

    def has_all():
        with contextlib.suppress(redis.exceptions.RedisError):
            return b.info("replication").get("master_link_status") == "up"
    wait_for("the replica has all", has_all, LIMIT)
    return home, b


def grants(r):
    return sum(f[b"e"].startswith(b"grant ") for _, f in r.xrange("hf:{c1}:log"))


def meet_only(s, n):
    """All agents come to this broker; the other one they do not reach."""
    s.proxies[1 - n].say("dark")
    s.proxies[n].say("pass")


def test_two_redis_alive_never_grant_from_both():
    """A replica that lagged is promoted by hand while the old one still serves: the broker that follows it is told by the
    agents, who have seen more. After the runbook it is the other way round: the old one comes back, and is too old."""
    with FaultStack(SEED, workers=4, cases=300, think=0.1) as s:
        home, b = second_redis(s)
        s.work()
        s.progress(20, LIMIT)
        s.procs["redis-b"].send_signal(signal.SIGSTOP)
        s.progress(30, LIMIT)
        s.fault("a replica that lagged is promoted, the old primary serves on")
        s.redis.config_set("port", 0)
        s.redis.execute_command("CLIENT", "KILL", "TYPE", "replica")
        s.procs["redis-b"].send_signal(signal.SIGCONT)
        wait_for("it is promoted", lambda: b.execute_command("REPLICAOF", "NO", "ONE") and b.info("replication")["role"]
                 == "master", LIMIT)
        behind, count = int(b.hget(META, "opseq")), grants(b)
        assert behind < int(s.redis.hget(META, "opseq"))
        s.kill("hf-broker1")
        s.more_env["hf-broker1"] = {"HF_HOME": home}
        s.begin("hf-broker1")
        meet_only(s, 1)
        wait_for("the promoted one is halted", lambda: b.hget(META, "mode") == b"2", LIMIT)
        meet_only(s, 0)
        s.progress(20, LIMIT)              # from the old one, by the other broker
        assert grants(b) == count and b.hget(META, "mode") == b"2"
        s.fault("now by the runbook: the old one is shut, the replica becomes epoch 2")
        s.recovered = s.cut = True
        old, epoch = s.redis, int(s.redis.hget(META, "epoch"))
        s.procs["redis"].send_signal(signal.SIGSTOP)       # as good as off, and not told that it is over
        for name in ("hf-broker0", "hf-router", "hf-recorder"):
            s.kill(name)
        (s.dir / "env.conf").write_text((home / "env.conf").read_text())
        s.redis = b
        for name in ("hf-recorder", "hf-router", "hf-broker0"):
            s.begin(name)
        meet_only(s, 1)
        run_runbook(s, "redis-lost.md")
        assert int(b.hget(META, "epoch")) == epoch + 1
        wait_for("the doubt ends", lambda: b.hget(META, "doubt") == b"0" and b.zcard("hf:{c1}:lane:doubt") == 0, LIMIT)
        s.progress(10, LIMIT)
        s.fault("the old primary wakes, with a broker of its own")
        (home / "env.conf").write_text((s.dir / "env.conf").read_text().replace(f"{home}/redis.sock", f"{s.dir}/redis.sock"))
        s.procs["redis"].send_signal(signal.SIGCONT)
        wait_for("it answers", old.ping, LIMIT)
        count = grants(old)
        s.kill("hf-broker0")
        s.more_env["hf-broker0"] = {"HF_HOME": home}
        s.begin("hf-broker0")
        meet_only(s, 0)
        wait_for("the old one is halted", lambda: old.hget(META, "mode") == b"2", LIMIT)
        assert grants(old) == count
        meet_only(s, 1)
        s.progress(10, LIMIT)
        s.kill("hf-broker0")
        s.more_env["hf-broker0"] = {}
        s.begin("hf-broker0")
        s.finish(LIMIT)
        s.judge()
