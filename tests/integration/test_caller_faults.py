"""hf-caller --lines while something breaks under it: nothing that was stored is lost or counted twice."""
import os
import random
import shutil
import signal
import subprocess

import pytest
from caller_rig import CallerRig, wait_for
from test_caller import ID, record


@pytest.fixture(name="rig")
def _rig():
    r = CallerRig()
    try:
        yield r
    finally:
        r.close()


def once_each(rig, seqs):
    """Every seq is in the log once, in order, and nothing else is."""
    assert [r[1] for r in rig.records()] == sorted(seqs)


def test_killed_between_stored_and_accepted(rig):
    d = rig.enrolled("w01")
    rig.task_case()
    c = rig.caller(d)
    c.say(do="next")
    task = c.hear("task")
    rig.procs["broker0"].send_signal(signal.SIGSTOP)
    c.say(**record(task, note="没人接", then="stay", id=ID % 1))
    assert c.hear("stored") == {"seq": 1, "id": ID % 1}
    c.kill()
    rig.procs["broker0"].send_signal(signal.SIGCONT)
    c = rig.caller(d)
    assert c.hear("accepted") == {"seq": 1, "verdict": "effective"}
    c.say(**record(task, note="没人接", then="stay", id=ID % 1))
    assert c.hear("stored") == {"seq": 1, "id": ID % 1}
    assert c.close() == 0
    once_each(rig, [1])


def test_killed_again_and_again_in_a_stream_of_records(rig):
    rng = random.Random(20)
    d = rig.enrolled("w01")
    case = rig.task_case(owner="w01", lane="own:w01:due")
    stored, accepted, sent = {}, set(), 0
    for _ in range(12):
        c = rig.caller(d)
        n = rng.randrange(1, 30)
        for _ in range(n):
            sent += 1
            c.say(do="record", case=case.hex(), outcome="no-answer", channel="wechat", id=ID % sent)
        for _ in range(rng.randrange(n + 1)):
            said = c.hear("stored")
            stored[said["id"]] = said["seq"]
        c.kill()
        for said in c.all:
            if "stored" in said:
                stored[said["stored"]["id"]] = said["stored"]["seq"]
            if "accepted" in said:
                accepted.add(said["accepted"]["seq"])
    assert len(set(stored.values())) == len(stored)
    c = rig.caller(d)
    for n in range(1, sent + 1):  # a careful sender repeats all that it has no answer for
        c.say(do="record", case=case.hex(), outcome="no-answer", channel="wechat", id=ID % n)
    for n in range(1, sent + 1):
        said = c.hear("stored")
        assert stored.setdefault(ID % n, said["seq"]) == said["seq"]
    assert c.close() == 0
    once_each(rig, range(1, sent + 1))
    assert all(verdict == 0 for _, _, verdict in rig.records())


def test_the_broker_is_killed_under_a_stream_of_records(rig):
    d = rig.enrolled("w01")
    case = rig.task_case(owner="w01", lane="own:w01:due")
    c = rig.caller(d)
    for n in range(1, 121):
        c.say(do="record", case=case.hex(), outcome="no-answer", channel="wechat", id=ID % n)
        if n in (30, 70):
            c.hear("accepted")
            rig.kill("broker0")
            rig.start_broker()
    wait_for("all are accepted", lambda: sum("accepted" in said for said in list(c.all)) == 120, 30)
    assert [s["accepted"]["seq"] for s in c.all if "accepted" in s] == list(range(1, 121))
    once_each(rig, range(1, 121))


def test_two_brokers_one_killed(rig):
    rig.start_broker(1)
    d = rig.enrolled("w01", brokers=f"{rig.endpoint(0)} {rig.endpoint(1)}")
    rig.task_case()
    c = rig.caller(d)
    c.say(do="next")
    task = c.hear("task")
    rig.kill("broker0")
    rig.task_case()
    c.say(**record(task, then="next"))
    assert c.hear("stored")["seq"] == 1
    assert c.hear("accepted", limit=15) == {"seq": 1, "verdict": "effective"}
    assert c.hear("task")["case"] != task["case"]
    assert c.all.index({"link": {"state": "offline"}}) < c.all.index({"accepted": {"seq": 1, "verdict": "effective"}})
    once_each(rig, [1])


def test_the_store_is_killed(rig):
    d = rig.enrolled("w01")
    rig.task_case()
    c = rig.caller(d)
    c.say(do="next")
    task = c.hear("task")
    rig.kill("redis")
    c.say(**record(task, then="stay"))
    assert c.hear("stored")["seq"] == 1
    rig.spawn("redis", ["redis-server", rig.dir / "redis.conf"])
    assert c.hear("accepted", limit=20) == {"seq": 1, "verdict": "effective"}
    once_each(rig, [1])


@pytest.mark.parametrize("own_way", [False, True], ids=["behind", "went its own way"])
def test_a_copied_directory_begins_an_outbox_of_its_own(rig, own_way):
    d = rig.enrolled("w01")
    case = rig.task_case(owner="w01", lane="own:w01:due")
    act = dict(do="record", case=case.hex(), outcome="no-answer", channel="wechat")
    c = rig.caller(d)
    c.say(**act)
    assert c.hear("accepted")["seq"] == 1
    assert c.close() == 0
    copy = rig.dir / "copy"
    shutil.copytree(d, copy)
    for _ in range(2 if own_way else 0):  # without a network
        c = rig.caller(copy, "--linger", 0, env={"HF_BROKERS": f"ipc://{rig.dir}/nowhere"})
        c.say(**act)
        c.hear("stored")
        assert c.close() == 0
    c = rig.caller(d)
    c.say(**act)
    assert c.hear("accepted")["seq"] == 2
    assert c.close() == 0

    c = rig.caller(copy)
    error = c.hear("error")
    assert error["code"] == "outbox-cloned" and "管理员" in error["text"]
    c.say(**act)
    assert c.hear("stored")["seq"] == 1
    assert c.hear("accepted") == {"seq": 1, "verdict": "effective"}
    assert c.close() == 0
    (kept,) = copy.glob("outbox.retired-*")
    assert list(kept.glob("*.seg"))
    obs = [r[0] for r in rig.records()]
    assert len(obs) == 3 and len(set(obs)) == 2


@pytest.mark.skipif(os.getuid() != 0, reason="a small disk is mounted by root")
def test_a_full_disk_stores_nothing_and_says_so(rig):
    d = rig.enrolled("w01")
    case = rig.task_case(owner="w01", lane="own:w01:due")
    small = rig.dir / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", small], check=True)
    try:
        shutil.copytree(d, small / "w01")
        c = rig.caller(small / "w01")
        c.say(do="take", case=case.hex())
        task = c.hear("task")
        (small / "ballast").write_bytes(b"x" * 400_000)
        n = good = bad = 0
        while bad < 3:
            n += 1
            c.say(**record(task, note="长" * 1300, again=True, id=ID % n))
            said = c.hear("stored", "error")
            if "seq" in said:
                good += 1
                assert bad == 0
            else:
                assert (said["code"], said["id"]) == ("disk-full", ID % n)
                bad += 1
        assert good > 1
        (small / "ballast").unlink()
        c.say(**record(task, note="又有地方了", again=True, id=ID % n))  # the same one, once more
        assert c.hear("stored") == {"seq": good + 1, "id": ID % n}
        wait_for("all are accepted", lambda: {"accepted": {"seq": good + 1, "verdict": "effective"}} in c.all)
        assert c.close() == 0
        once_each(rig, range(1, good + 2))
        c = rig.caller(small / "w01")
        c.say(**record(task, id=ID % n))
        assert c.hear("stored") == {"seq": good + 1, "id": ID % n}
        assert c.close() == 0
    finally:
        for c in rig.callers:
            if c.p.poll() is None:
                c.kill()
        subprocess.run(["umount", small], check=True)


def test_a_damaged_outbox_is_put_aside(rig):
    d = rig.enrolled("w01")
    case = rig.task_case(owner="w01", lane="own:w01:due")
    act = dict(do="record", case=case.hex(), outcome="no-answer", channel="wechat")
    c = rig.caller(d)
    for _ in range(3):
        c.say(**act)
        c.hear("accepted")
    c.kill()
    (segment,) = (d / "outbox").glob("*.seg")
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    c = rig.caller(d)
    assert c.hear("error")["code"] == "outbox-quarantined"
    c.say(**act)
    assert c.hear("accepted") == {"seq": 1, "verdict": "effective"}
    assert c.close() == 0
    assert len(list(d.glob("outbox.quarantined-*"))) == 1


def test_who_is_revoked_is_told_and_what_was_stored_stays(rig):
    d = rig.enrolled("w01")
    c = rig.caller(d)
    c.say(do="next")
    c.hear("none")
    row = rig.redis.hget("hf:{c1}:persons", "w01").decode().split()
    assert rig.router(("admit_person", "w01", row[0], row[1], row[2], row[3], 0))[0][0] == b"ok"

    def refused():  # a NEXT that was on its way before the broker knew is only told that there is nothing
        c.say(do="next")
        said = c.hear("none", "error")
        return "code" in said and said

    first = wait_for("the broker knows", refused)
    assert {first["code"], c.hear("error")["code"]} == {"login", "refused"}
    c.say(do="next")
    assert c.hear("error")["code"] == "denied"
    agent = (d / "agent.conf").read_text().split('agent = "')[1][:32]
    row = rig.redis.hget("hf:{c1}:agents", agent).decode().split()
    assert rig.router(("admit_agent", agent, row[0], row[1], "revoked"))[0][0] == b"ok"
    assert c.hear("error")["code"] == "revoked"
    assert c.p.wait(10) == 77
    c = rig.caller(d, "--linger", 200)  # it is not let in any more, but what is typed is kept
    c.say(do="note", note="x", case="00" * 16)
    c.hear("error")
    assert c.close() == 0
    assert rig.records() == []
