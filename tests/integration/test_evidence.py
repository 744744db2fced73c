"""A withdrawal with its papers: the photo goes sealed and in pieces from the caller's machine into the archive, is named
by the record, and is opened again with the case's key alone."""
import hashlib
import os
import subprocess

import pytest

from stack import BIN, wait_for
from test_main_path import Lines, stack  # noqa: F401 (the fixture)

JPEG = b"\xff\xd8\xff\xe0" + os.urandom(300000)


@pytest.fixture(scope="module")
def case(stack):
    """A case in p01's hands, and p01's lines."""
    (stack.dir / "recorder.conf").write_text("archive_same_device = true\n")
    stack.kill("hf-recorder")
    stack.daemon("hf-recorder")
    subprocess.run([str(BIN / "hf-sample"), "--rows", "30", "--seed", "3", "--format", "csv", "--out",
                    str(stack.dir / "roster.csv")], check=True)
    stack.ctl("roster", "import", stack.dir / "roster.csv")
    for person, roles in (("p01", "caller"), ("lea", "caller,leader"), ("dan", "data")):
        stack.ctl("person", "set", person, "--roles", roles, *(("--team", "t1") if person != "dan" else ()),
                  "--qualified", "yes")
        stack.ctl("agent", "enrol", "--person", person, "--out", stack.dir / person)
    stack.ctl("person", "set", "sue", "--roles", "supervisor", "--qualified", "yes")
    stack.ctl("--as", "admin", "agent", "enrol", "--person", "sue", "--out", stack.dir / "ctl" / "c1")
    stack.ctl("--as", "admin", "stage", "open", "2")
    stack.ctl("--as", "admin", "pass", "open", "1", "--until", "2026-03-09 20:00")
    stack.ctl("--as", "admin", "release", "--all", "--seed", "5")
    c = Lines(stack, stack.dir / "p01")
    c.say(do="next")
    task = c.hear("task", "error")["task"]
    yield c, task
    c.close()


def say_record(c, **what):
    c.say(**what)
    said = c.hear("stored", "error")
    assert "stored" in said, said
    return said["stored"]["seq"]


def test_what_is_no_picture_or_no_case_of_ours_is_refused(stack, case):
    c, task = case
    (stack.dir / "a.txt").write_text("no picture")
    for file, ref, code in ((stack.dir / "a.txt", task["case"], "bad-evidence"), (stack.dir / "none", task["case"], "no-file"),
                            (stack.dir / "a.txt", "00" * 16, "no-key")):
        c.say(do="evidence", case=ref, file=str(file))
        assert c.hear("evidence", "error")["error"]["code"] == code
    c.say(do="paper", case=task["case"])
    assert c.hear("stored", "error")["error"]["code"] == "missing-field"


def test_papers_with_a_photo_and_two_signatures_end_in_withdrawn(stack, case):
    c, task = case
    (stack.dir / "photo.jpg").write_bytes(JPEG)
    say_record(c, do="record", case=task["case"], token=task["token"], outcome="withdraw-asked", channel="phone",
               number=1, seconds=60, spoke="self", then="stay")
    c.say(do="evidence", case=task["case"], file=str(stack.dir / "photo.jpg"))
    e = c.hear("evidence", "error")["evidence"]
    assert (e["case"], e["size"], e["type"]) == (task["case"], len(JPEG), "jpg")
    seq = say_record(c, do="paper", case=task["case"], items=63, evidence=[e["hash"]])
    assert c.hear("evidence-sent")["evidence-sent"]["hash"] == e["hash"]
    kept = stack.dir / "archive" / "evidence" / "c1" / e["hash"]
    wait_for("the archive has it", kept.exists)
    assert hashlib.blake2b(kept.read_bytes(), digest_size=32).hexdigest() == e["hash"]
    assert JPEG[4:1000] not in kept.read_bytes(), "it is sealed"
    for person in ("lea", "dan"):
        signer = Lines(stack, stack.dir / person)
        say_record(signer, do="paper", case=task["case"], items=63, what="signed")
        assert signer.hear("accepted")["accepted"]["verdict"] == "effective"
        signer.close()
    no = task["no"]
    wait_for("withdrawn", lambda: "已办结" in stack.ctl("case", "show", no).stdout)
    for i in range(300):             # a segment is full sooner than its half minute
        c.say(do="note", note="字" * 1300, case=task["case"])
    while c.hear("released")["released"]["upto"] < seq:
        pass
    assert not list((stack.dir / "p01" / "evidence").iterdir()), "the agent forgets what is released"


def test_the_photo_is_shown_to_who_may_see_it_and_that_is_recorded(stack, case):
    _, task = case
    out = stack.dir / "seen"
    listed = stack.ctl("--as", "sue", "case", "evidence", task["no"]).stdout
    assert "1" in listed and "p01" in listed
    stack.ctl("--as", "sue", "case", "evidence", task["no"], "--out", out, "--purpose", "核对退档材料")
    files = list(out.iterdir())
    assert len(files) == 1 and files[0].suffix == ".jpg" and files[0].read_bytes() == JPEG
    wait_for("REVEAL is in the ledger", lambda: stack.sql(
        "SELECT count(*) FROM hf.ledger WHERE kind = 25 AND person = 'sue'")[0][0] == "1")
