"""The archive and RELEASED: only what lies in signed segments may be forgotten, and every change is noticed."""
import hashlib
import os
import random
import subprocess

import pytest

from recorder_rig import BIN, Rig, verify_receipt, wait_for


@pytest.fixture(scope="module")
def servers():
    with Rig() as r:
        yield r


@pytest.fixture
def rig(servers):
    servers.reset()
    subprocess.run(["rm", "-rf", servers.dir / "archive"], check=True)
    (servers.dir / "recorder.conf").write_text("archive_same_device = true\n")
    return servers


BIG = bytes(60000)  # 18 of them fill a segment


def released(rig, agent):
    return int(rig.redis.hget("hf:{c1}:ob:" + agent.ob.hex(), "released") or 0)


def say_big(rig, agent, n):
    for _ in range(n):
        rig.queue(agent.say(body=BIG))


def verify(rig, *more):
    return subprocess.run([BIN / "hf-recorder", "verify", *more, rig.dir / "archive"], capture_output=True, text=True,
                          env=rig.env(), timeout=30)


def test_what_is_archived_is_released_with_a_signed_receipt_and_verifies(rig):
    agent = rig.agent()
    rig.recorder()
    say_big(rig, agent, 20)
    wait_for("RELEASED", lambda: released(rig, agent) > 0)
    upto = released(rig, agent)
    assert 1 <= upto <= 20
    m = verify_receipt(rig, rig.redis.hget("hf:{c1}:ob:" + agent.ob.hex(), "receipt2"))
    assert (m["level"], m["ob"], m["upto"]) == (2, agent.ob, upto)
    r = verify(rig)
    assert r.returncode == 0 and f"{upto} records" in r.stdout, r.stdout + r.stderr
    # with nothing but the public key
    r = subprocess.run([BIN / "hf-recorder", "verify", "--key", rig.dir / "secrets" / "recorder.pub",
                        rig.dir / "archive"], capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    assert r.returncode == 0, r.stdout + r.stderr
    assert rig.ctl("verify", rig.dir / "archive").returncode == 0
    # somebody alters one record's body
    segment = next((rig.dir / "archive" / "records" / "c1").glob("*.seg"))
    data = bytearray(segment.read_bytes())
    data[data.index(BIG) + 30000] ^= 1
    segment.chmod(0o600)
    segment.write_bytes(data)
    assert rig.ctl("verify", rig.dir / "archive", check=False).returncode == 1
    r = verify(rig)
    assert r.returncode == 1 and "record 1 of outbox " + agent.ob.hex() in r.stdout, r.stdout + r.stderr


def test_killed_and_started_again_it_goes_on_where_the_archive_ends(rig):
    agent = rig.agent()
    rig.recorder()
    say_big(rig, agent, 20)
    wait_for("RELEASED", lambda: released(rig, agent) > 0)
    rig.kill("hf-recorder")
    before = released(rig, agent)
    # a crash after the segment, before the word
    rig.redis.hdel("hf:{c1}:ob:" + agent.ob.hex(), "released")
    rig.recorder()
    wait_for("said again", lambda: released(rig, agent) == before)
    say_big(rig, agent, 20)
    wait_for("RELEASED goes on", lambda: released(rig, agent) > before)
    r = verify(rig)
    assert r.returncode == 0 and "2 segments" in r.stdout, r.stdout + r.stderr


def test_released_waits_for_the_evidence_that_a_record_names(rig):
    agent = rig.agent()
    rig.recorder()
    photo = os.urandom(150000)
    digest = hashlib.blake2b(photo, digest_size=32).digest()
    rig.queue(agent.say())
    rig.queue(agent.say(fields=((13, [digest]),)))
    say_big(rig, agent, 40)
    wait_for("the record before is released", lambda: released(rig, agent) == 1)
    rig.kill("hf-recorder")
    rig.recorder()
    say_big(rig, agent, 20)
    wait_for("a segment behind it is sealed", lambda: len(list((rig.dir / "archive/records/c1").glob("*.seg"))) >= 3)
    assert released(rig, agent) == 1
    for at in range(0, len(photo), 65536):
        got = rig.queue(("blob", digest, len(photo), at, photo[at:at + 65536], 1 << 30))[0]
        assert got == [b"ok", str(min(at + 65536, len(photo))).encode()], got
    wait_for("the rest is released", lambda: released(rig, agent) > 40)
    kept = rig.dir / "archive" / "evidence" / "c1" / digest.hex()
    assert kept.read_bytes() == photo and not rig.redis.exists(f"hf:{{c1}}:blob:{digest.hex()}")
    assert rig.queue(("blob", digest, len(photo), 0, b"", 0))[0] == [b"ok", str(len(photo)).encode()]
    r = verify(rig)
    assert r.returncode == 0 and "1 files good, 0 not there" in r.stdout, r.stdout
    kept.chmod(0o600)
    kept.write_bytes(photo[:-1] + bytes([photo[-1] ^ 1]))
    r = verify(rig)
    assert r.returncode == 1 and "its evidence was altered" in r.stdout, r.stdout


def test_evidence_that_is_not_what_its_hash_says_begins_anew(rig):
    rig.agent()
    rig.recorder()
    wrong = os.urandom(32)
    assert rig.queue(("blob", wrong, 5, 0, b"12345", 1 << 30))[0] == [b"ok", b"5"]
    wait_for("it is dropped", lambda: rig.queue(("blob", wrong, 5, 0, b"", 1 << 30))[0] == [b"ok", b"0"])


def test_the_newest_answers_outlive_released(rig):
    """An agent that was cut off as it recorded asks again when all has long been in the archive."""
    (rig.dir / "recorder.conf").write_text("archive_same_device = true\narchive_wait = 1\n")
    agent = rig.agent()
    said = [agent.say() for _ in range(100)]
    first = [rig.queue(entry)[0] for entry in said]
    assert {r[0] for r in first} == {b"ok"}
    rig.recorder()
    wait_for("RELEASED", lambda: released(rig, agent) == 100, 60)
    again = [rig.queue(entry)[0] for entry in said]
    assert again[36:] == first[36:]
    assert again[:36] == [[b"no", b"gap", b"101"]] * 36


def test_on_the_same_device_it_needs_to_be_told(rig):
    (rig.dir / "recorder.conf").unlink()
    agent = rig.agent()
    rig.recorder()
    say_big(rig, agent, 20)
    rig.wait_settled(agent)
    rig.wait_logged("archive_same_device")
    assert released(rig, agent) == 0


@pytest.mark.skipif(os.getuid() != 0, reason="mounts a small disk")
def test_a_full_disk_stops_released_and_not_settled(rig):
    small = rig.dir / "archive"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=777", "tmpfs", small], check=True)
    try:
        agent = rig.agent()
        rig.recorder()
        say_big(rig, agent, 20)
        rig.wait_settled(agent)
        rig.wait_logged("archive.stopped")
        assert released(rig, agent) == 0
        subprocess.run(["mount", "-o", "remount,size=16m", small], check=True)
        wait_for("RELEASED", lambda: released(rig, agent) > 0)
        assert verify(rig).returncode == 0
        rig.kill("hf-recorder")
    finally:
        subprocess.run(["umount", "-l", small], check=True)


def edit(rng, data):
    """One change to a segment's bytes; never the same bytes again."""
    at, size = rng.randrange(len(data)), rng.choice((1, 2, 8, 64))
    how = rng.choice(("bit", "bytes", "zero", "cut", "out", "in", "twice"))
    out = bytearray(data)
    if how == "bit":
        out[at] ^= 1 << rng.randrange(8)
    elif how == "bytes":
        out[at:at + size] = rng.randbytes(len(out[at:at + size]))
    elif how == "zero":
        out[at:at + size] = bytes(len(out[at:at + size]))
    elif how == "cut":
        del out[at:]
    elif how == "out":
        del out[at:at + size]
    elif how == "in":
        out[at:at] = rng.randbytes(size)
    else:
        out[at:at] = out[at:at + size]
    return how, bytes(out) if out != data else bytes(data) + b"\0"


def test_each_of_many_random_edits_of_the_archive_is_noticed(rig):
    """HF_EDITS edits (100), each alone, in any segment; HF_SEED others."""
    rng = random.Random(int(os.environ.get("HF_SEED", "1")))
    agent = rig.agent()
    rig.recorder()
    segments = []
    for n in (1, 2, 3):
        for _ in range(3):
            rig.queue(agent.say(body=rng.randbytes(400)))
        say_big(rig, agent, 18)
        wait_for("a segment", lambda n=n: len(list((rig.dir / "archive/records/c1").glob("*.seg"))) >= n)
    rig.kill("hf-recorder")
    segments = sorted((rig.dir / "archive" / "records" / "c1").glob("*.seg"))
    assert verify(rig).returncode == 0
    unnoticed, edits = [], int(os.environ.get("HF_EDITS", "100"))
    for i in range(edits):
        segment = rng.choice(segments)
        right = segment.read_bytes()
        how, wrong = edit(rng, right)
        segment.chmod(0o600)
        segment.write_bytes(wrong)
        r = verify(rig)
        if r.returncode != 1:
            unnoticed.append((i, segment.name, how, r.returncode, r.stdout, r.stderr))
        segment.write_bytes(right)
    assert verify(rig).returncode == 0
    print(f"{edits - len(unnoticed)} of {edits} edits noticed")
    assert not unnoticed
