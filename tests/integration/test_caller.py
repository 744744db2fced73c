"""hf-caller --lines: what a script may rely on."""
import json
import os
import shutil
import subprocess
import time

import hfp
import pytest
from caller_rig import TASK, CallerRig, wait_for
from stack import BIN

ID = "0190a0b0-0000-7000-8000-%012d"


@pytest.fixture(name="rig")
def _rig():
    r = CallerRig()
    try:
        yield r
    finally:
        r.close()


def record(task, **more):
    return dict(dict(do="record", case=task["case"], token=task["token"], outcome="no-answer", channel="phone",
                     number=1, seconds=35), **more)


def test_a_case_is_taken_recorded_and_settled(rig):
    d = rig.enrolled("w01")
    case = rig.task_case(due=1)
    c = rig.caller(d)
    c.say(do="next")
    task = c.hear("task")
    assert (task["case"], task["name"], task["person"], task["no"]) == (case.hex(), "林晓雨", "w01", TASK[2])
    assert task["numbers"] == [
        {"n": 1, "kind": "self", "digits": "19900000001", "dial": "19900000001"},
        {"n": 2, "kind": "father", "digits": "19900000002", "dial": "19900000002", "note": "晚上"}]
    assert task["id_no"] == "511300**********22"
    c.say(**record(task, note="没人接, 晚上再打", then="next", id=ID % 1, spoke="self", script="v1",
                   ticks=["cost", "consequences"], concerns=["fees"], next_step={"do": "call", "at": "2026-11-24 19:00"},
                   decide_by="2026-11-25T12:00:00+08:00"))
    assert c.hear("stored") == {"seq": 1, "id": ID % 1}
    assert c.hear("accepted") == {"seq": 1, "verdict": "effective"}
    assert c.hear("none") == {"reason": "empty", "retry_ms": 0}
    ob = rig.ob_of(d)
    (entry,) = [f for _, f in rig.redis.xrange("hf:{c1}:log") if f[b"e"].startswith(b"record ")]
    f = hfp.read_frame(entry[b"r"])[1]
    h = hfp.read_header(f["header"])
    assert (h["kind"], h["person"], h["case"], h["token"]) == ("ATTEMPT", "w01", case, int(task["token"], 16))
    assert h["fields"] == {
        "outcome": "no-answer", "channel": "phone", "number": hfp.number_id(case + case, "19900000001"), "seconds": 35,
        "next_at": 1795518000000, "next_do": "call", "spoke": "self", "ticks": 5, "script": "v1", "concerns": ["fees"],
        "decide_by": 1795579200000}
    assert h["t_end"] - h["t_start"] == 35_000_000 and h["quality"] == 1 and h["server_wall"] > 0
    text = hfp.open_seal(case + case, entry[b"b"], hfp.body_ad(case, bytes.fromhex(ob), 1))
    assert hfp.read_body(text) == {"note": "没人接, 晚上再打"}
    assert "没人接".encode() not in entry[b"r"]
    rig.settle(ob, (1, f["h"]), 1)
    assert c.hear("settled") == {"upto": 1}
    rig.settle(ob, (1, f["h"]), 2)
    assert c.hear("released") == {"upto": 1}
    assert c.close() == 0


def test_the_landline_needs_a_0_for_mobiles_from_elsewhere(rig, tmp_path):
    d = rig.enrolled("w01")
    rig.task_case(due=1)
    (tmp_path / "local").write_text("1990001 # another town\n")
    c = rig.caller(d, "--local-prefixes", tmp_path / "local")
    c.say(do="next")
    assert [(n["digits"], n["dial"]) for n in c.hear("task")["numbers"]] == [
        ("19900000001", "019900000001"), ("19900000002", "019900000002")]
    (tmp_path / "wrong").write_text("1990001\nhere\n")
    r = subprocess.run([BIN / "hf-caller", "--lines", "--agent", d, "--local-prefixes", tmp_path / "wrong"], stdin=subprocess.DEVNULL,
                       capture_output=True, text=True)
    assert r.returncode == 65 and "wrong:2:" in r.stderr


def test_the_same_id_is_recorded_once(rig):
    c = rig.caller(rig.enrolled("w01"))
    rig.task_case()
    c.say(do="next")
    task = c.hear("task")
    for _ in range(3):  # in one turn and over several
        c.say(**record(task, then="stay", id=ID % 7))
    assert [c.hear("stored") for _ in range(3)] == [{"seq": 1, "id": ID % 7}] * 3
    c.hear("accepted")
    c.say(**record(task, then="stay", id=ID % 7))
    assert c.hear("stored") == {"seq": 1, "id": ID % 7}
    assert c.hear("accepted") == {"seq": 1, "verdict": "effective"}
    assert c.close() == 0
    c = rig.caller(c.dir)
    c.say(**record(task, then="stay", id=ID % 7))
    assert c.hear("stored") == {"seq": 1, "id": ID % 7}
    assert c.close() == 0
    assert [r[1:] for r in rig.records()] == [(1, 0)]


def test_a_repeat_still_asks_for_the_next_case(rig):
    c = rig.caller(rig.enrolled("w01"))
    rig.task_case()
    c.say(do="next")
    task = c.hear("task")
    c.say(**record(task, then="stay", id=ID % 7))
    c.hear("accepted")
    rig.task_case()
    c.say(**record(task, then="next", id=ID % 7))
    assert c.hear("task")["case"] != task["case"]


def test_stay_ends_the_lease_and_again_keeps_it(rig):
    c = rig.caller(rig.enrolled("w01"))
    case = rig.task_case()
    c.say(do="next")
    task = c.hear("task")
    c.say(**record(task, again=True))
    c.hear("accepted")
    assert rig.lane("triage") == set()
    c.say(**record(task, number=2, then="stay"))
    c.hear("accepted")
    assert rig.lane("triage") == {case}
    c.say(**record(task, number=2, note="又打了一次", then="stay"))  # the newest token is still good
    assert c.hear("accepted") == {"seq": 3, "verdict": "effective"}
    rig.task_case()
    c.say(do="next")
    assert c.hear("task")["case"] != task["case"]


def test_a_kept_case_is_left_when_the_next_is_asked_for(rig):
    c = rig.caller(rig.enrolled("w01"))
    rig.task_case()
    c.say(do="next")
    task = c.hear("task")
    rig.task_case(due=2)
    c.say(**record(task, again=True))
    c.hear("accepted")
    c.say(do="next")
    assert c.hear("lease")["state"] == "given-back"
    c.hear("task")


@pytest.mark.parametrize("line, code", [
    ("nonsense", "bad-json"), ("[1]", "bad-json"), ('{"do":"next","do":"next"}', "bad-json"), ("{}", "missing-field"),
    ('{"do":"fly"}', "unknown-do"), ('{"do":"take"}', "missing-field"), ('{"do":"take","case":"xyz"}', "bad-field"),
    ('{"do":"take","number":"12-34"}', "bad-field"), ('{"do":"give-back"}', "missing-field"),
    ('{"do":"give-back","token":"0000010000000001","reason":"class"}', "not-in-hand"),
    ('{"do":"undo","seq":9}', "not-found"), ('{"do":"undo"}', "missing-field"), ('{"do":"look"}', "missing-field"),
    ('{"do":"note"}', "missing-field"), ("x" * 70000, "too-long")],
    ids=lambda v: v[:24])
def test_what_is_wrong_is_said_and_nothing_is_changed(rig, line, code):
    c = rig.caller(rig.enrolled("w01"))
    c.raw(line)
    error = c.hear("error")
    assert error["code"] == code
    assert any("\u4e00" <= ch <= "\u9fff" for ch in error["text"])
    assert c.close() == 0
    assert rig.records() == []


def test_a_wrong_record_names_its_field(rig):
    c = rig.caller(rig.enrolled("w01"))
    rig.task_case()
    c.say(do="next")
    task = c.hear("task")
    for wrong in (dict(outcome="No Answer"), dict(outcome="x" * 25), dict(token="12"), dict(token="f" * 16),
                  dict(case="00"), dict(number=9), dict(number="abc"), dict(seconds=-1), dict(ticks=["price"]),
                  dict(concerns=["x"] * 13), dict(next_step={"at": "tomorrow"}), dict(decide_by="soon"),
                  dict(note="x" * 4001), dict(evidence=["00"]), dict(then="go"), dict(id="7"), dict(nots="x"),
                  dict(again=True, then="next")):
        c.say(**record(task, **wrong))
        error = c.hear("error")
        assert error["code"] in ("bad-field", "unknown-field"), (wrong, error)
        assert error["do"] == "record"
    for missing in ("outcome", "case", "token"):
        what = record(task)
        del what[missing]
        c.say(**what)
        assert c.hear("error")["code"] == "missing-field"
    c.say(**record(task, concerns=["a" * 24] * 12, evidence=["00" * 32] * 8))
    assert c.hear("error")["code"] == "too-big"
    c.say(**record(task, outcome="some-new-code"))  # the law's matter, not ours
    assert c.hear("stored")["seq"] == 1


def test_notes_numbers_reveals_and_undo(rig):
    c = rig.caller(rig.enrolled("w01"))
    case = rig.task_case()
    c.say(do="next")
    task = c.hear("task")
    c.say(do="note", case=task["case"], note="母亲在医院上班")
    assert c.hear("accepted") == {"seq": 1, "verdict": "effective"}
    c.say(do="number", case=task["case"], token=task["token"], digits="19900000009", kind="mother", source="self",
          again=True)
    assert c.hear("accepted") == {"seq": 2, "verdict": "effective"}
    c.say(do="reveal", case=task["case"], reason="identity")
    assert c.hear("revealed") == {"case": task["case"], "id_no": "511300200801010022"}
    c.say(**record(task, then="stay"))
    assert c.hear("accepted")["seq"] == 3
    assert c.hear("accepted") == {"seq": 4, "verdict": "effective"}
    assert rig.lane("triage") == {case}
    for _ in range(2):
        c.say(do="undo", seq=4)
        assert c.hear("stored")["seq"] == 5
    assert c.hear("accepted") == {"seq": 5, "verdict": "effective"}
    heads = [hfp.read_header(hfp.read_frame(f[b"r"])[1]["header"]) for _, f in rig.redis.xrange("hf:{c1}:log")
             if f[b"e"].startswith(b"record ")]
    assert [h["kind"] for h in heads] == ["NOTE", "NUMBER", "REVEAL", "ATTEMPT", "CORRECTION"]
    assert heads[1]["fields"]["number"] == hfp.number_id(case + case, "19900000009")
    assert heads[4]["fields"] == {"ref_ob": bytes.fromhex(rig.ob_of(c.dir)), "ref_seq": 4}


def test_take_by_number_and_held_by_another(rig):
    ann, bob = rig.caller(rig.enrolled("ann")), rig.caller(rig.enrolled("bob"))
    case = rig.task_case(owner="ann", lane="own:ann:due", digits=("19900000001",))
    ann.say(do="take", number="19900000001")
    task = ann.hear("task")
    assert (task["case"], task["pulled"]) == (case.hex(), False)
    bob.say(do="take", case=task["case"])
    assert bob.hear("none")["reason"] in ("held", "denied")
    ann.say(do="take", number="19900009999")
    assert ann.hear("none")["reason"] == "not-found"
    ann.say(do="give-back", token=task["token"], reason="class")
    assert ann.hear("lease") == {"case": task["case"], "token": task["token"], "state": "given-back"}
    assert rig.lane("own:ann:due") == {case}


def test_looking(rig):
    c = rig.caller(rig.enrolled("w01"))
    case = rig.task_case(owner="w01", lane="own:w01:due", digits=("19900000001",))
    c.say(do="look", what="own")
    seen = c.hear("seen")
    assert (seen["code"], seen["rows"][0]["case"], seen["rows"][0]["name"]) == ("ok", case.hex(), "林晓雨")
    assert "numbers" not in seen["rows"][0] and seen["rows"][0]["why"] == "new"
    c.say(do="look", what="me")
    assert c.hear("seen")["rows"][0]["person"] == "w01"
    c.say(do="look", what="case", case=case.hex())
    assert c.hear("seen")["rows"][0]["numbers"][0]["digits"] == "19900000001"
    c.say(do="look", what="number", number="19900000001")
    assert c.hear("seen")["rows"][0]["case"] == case.hex()
    c.say(do="look", what="weather")
    assert c.hear("seen")["code"] == "not-found"
    c.say(do="note", case=case.hex(), note="从列表里写的")  # its key came with the list
    assert c.hear("accepted")["verdict"] == "effective"


def test_a_waiting_next_is_answered_when_a_case_comes(rig):
    c = rig.caller(rig.enrolled("w01"))
    c.say(do="next")
    assert c.hear("none")["reason"] == "empty"
    case = rig.task_case()
    assert c.hear("task")["case"] == case.hex()


def test_a_lease_outlives_a_long_call(rig):
    c = rig.caller(rig.enrolled("w01"))
    case = rig.task_case()
    c.say(do="next")
    task = c.hear("task")
    end = time.monotonic() + 2 * (rig.lease_ms + rig.guard_ms) / 1000
    wait_for("twice the lease has passed", lambda: time.monotonic() > end)
    assert rig.lane("pool") == set()
    c.say(**record(task, then="stay"))
    assert c.hear("accepted")["verdict"] == "effective"
    assert rig.lane("triage") == {case}


def test_without_a_broker_records_are_stored_and_the_lease_is_told_to_be_over(rig):
    c = rig.caller(rig.enrolled("w01"))
    rig.task_case()
    c.say(do="next")
    task = c.hear("task")
    rig.kill("broker0")
    assert c.hear("lease") == {"case": task["case"], "token": task["token"], "state": "expired"}
    wait_for("it says offline", lambda: {"link": {"state": "offline"}} in c.all)
    c.say(**record(task, then="stay"))
    assert c.hear("stored")["seq"] == 1
    rig.start_broker()
    assert c.hear("accepted", limit=20) == {"seq": 1, "verdict": "effective"}
    assert c.all[-2:] != [] and {"link": {"state": "online"}} in c.all


def test_the_end_of_input_waits_for_what_is_outstanding(rig):
    d = rig.enrolled("w01")
    rig.task_case()
    out = subprocess.run([BIN / "hf-caller", "--lines", "--agent", d], input='{"do":"next"}', text=True,
                         capture_output=True, env=rig.env(), timeout=20, check=True).stdout
    task = json.loads(out.splitlines()[-1])["task"]
    out = subprocess.run([BIN / "hf-caller", "--lines", "--agent", d], input=json.dumps(record(task, note="x")) + "\n",
                         text=True, capture_output=True, env=rig.env(), timeout=20, check=True).stdout
    said = [json.loads(line) for line in out.splitlines()]
    assert {"accepted": {"seq": 1, "verdict": "effective"}} in said
    rig.kill("broker0")
    start = time.monotonic()
    r = subprocess.run([BIN / "hf-caller", "--lines", "--agent", d, "--linger", "300"],
                       input='{"do":"note","case":"%s","note":"x"}' % task["case"], text=True, capture_output=True,
                       env=rig.env(), timeout=20, check=True)
    assert '"stored"' in r.stdout and '"accepted"' not in r.stdout
    assert time.monotonic() - start < 5


def test_persons_and_pins(rig, tmp_path):
    d = rig.enrolled("w01", pin="246810")
    (tmp_path / "right").write_text("246810\n")
    (tmp_path / "wrong").write_text("135790\n")

    def run(*args):
        return subprocess.run([BIN / "hf-caller", "--lines", "--agent", d, *args], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, env=rig.env(), timeout=20, check=False)

    assert run("--pin-file", tmp_path / "right").returncode == 0
    assert run("--pin-file", tmp_path / "wrong").returncode == 77
    assert run().returncode == 77
    assert run("--person", "w02").returncode == 66
    assert run("--pin-file", tmp_path / "none").returncode == 66
    assert run("--no-such").returncode == 64
    assert "246810" not in run("--pin-file", tmp_path / "wrong").stderr
    r = subprocess.run([BIN / "hf-caller", "--lines", "--agent", tmp_path], capture_output=True, text=True,
                       stdin=subprocess.DEVNULL, env=rig.env(), timeout=20, check=False)
    assert r.returncode == 66
    assert subprocess.run([BIN / "hf-caller", "--lines"], capture_output=True, check=False).returncode == 64
    assert b"--agent" in subprocess.run([BIN / "hf-caller", "--help"], capture_output=True, check=True).stdout


def test_two_processes_do_not_share_an_outbox(rig):
    d = rig.enrolled("w01")
    c = rig.caller(d)
    c.say(do="next")
    c.hear("none")
    r = subprocess.run([BIN / "hf-caller", "--lines", "--agent", d], stdin=subprocess.DEVNULL, capture_output=True,
                       env=rig.env(), timeout=20, check=False)
    assert r.returncode == 75
    shutil.rmtree(d / "persons")
    assert os.listdir(d / "outbox")


def test_an_act_is_a_record_of_ones_own(rig):
    d = rig.enrolled("w01")
    c = rig.caller(d)
    c.say(do="act", kind="signoff", fields={"n": 3}, id="0190a0b0-0000-7000-8000-0000000000a1")
    stored = c.hear("stored")
    assert c.hear("accepted") == {"seq": stored["seq"], "verdict": "effective"}
    c.say(do="act", kind="signoff", fields={"n": 3}, id="0190a0b0-0000-7000-8000-0000000000a1")
    assert c.hear("stored")["seq"] == stored["seq"]  # twice is once
    c.say(do="act", kind="pause", fields={"reason": "x", "open": False})
    assert c.hear("error")["code"] == "denied"
    assert [v for _, _, v in rig.records()] == [0]
