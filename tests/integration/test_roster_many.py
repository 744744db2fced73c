"""Rosters longer than what is looked up at once: known and new applicants, one file twice, and the line on a terminal."""
import csv
import json
import os
import pty
import subprocess

import pytest

from stack import BIN, Stack, wait_for

ROWS = 700


@pytest.fixture(scope="module")
def stack():
    with Stack(pg=True) as s:
        (s.dir / "recorder.conf").write_text("archive_same_device = true\n")
        s.ctl("db", "migrate")
        for name in ("hf-recorder", "hf-broker", "hf-router"):
            s.daemon(name)
        s.ctl("campaign", "create", "c1")
        yield s


def sample(s, rows):
    out = s.dir / f"{rows}.csv"
    if not out.exists():
        subprocess.run([BIN / "hf-sample", "--rows", str(rows), "--seed", "3", "--format", "csv", "--out", out], check=True)
    return out


def load(s, file, *more):
    said = json.loads(s.ctl("--json", "roster", "import", file, *more).stdout)
    return said["imported"], said["updated"], said["rejected"]


def cases(s):
    return s.redis.hlen("hf:{c1}:cases")


def on_terminal(s, *words):
    """Exit code and what stood on a terminal that is stderr."""
    mine, theirs = pty.openpty()
    p = subprocess.Popen([str(BIN / "hfctl"), *map(str, words)], env=s.env(), stderr=theirs, stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL)
    os.close(theirs)
    said = b""
    while True:
        try:
            piece = os.read(mine, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        said += piece
    os.close(mine)
    return p.wait(60), said.decode()


def test_all_rows_of_a_long_file_become_cases_once(stack):
    file = sample(stack, ROWS)
    assert load(stack, file, "--dry-run") == (ROWS, 0, 0) and cases(stack) == 0
    assert load(stack, file) == (ROWS, 0, 0)
    wait_for("all cases are there", lambda: cases(stack) == ROWS, 60)
    assert load(stack, file) == (0, ROWS, 0)
    assert cases(stack) == ROWS


def test_what_changed_is_sent_to_its_own_case_and_what_is_new_is_added(stack):
    rows = list(csv.reader(open(sample(stack, ROWS), encoding="utf-8-sig")))
    more = list(csv.reader(open(sample(stack, ROWS + 150), encoding="utf-8-sig")))
    assert rows[1:] == more[1:ROWS + 1], "the sample of a seed begins the same"
    where = more[0].index("通知书地址")
    changed = (5, 255, 256, 257, 511, 512, 513, ROWS)
    for i in changed:
        more[i][where] = "南浦省云栖市改过的路9号"
    mixed = stack.dir / "mixed.csv"
    with open(mixed, "w", encoding="utf-8-sig", newline="") as out:
        csv.writer(out).writerows(more)
    before = stack.redis.hgetall("hf:{c1}:tasks")
    assert load(stack, mixed) == (150, ROWS, 0)
    wait_for("the new cases are there", lambda: cases(stack) == ROWS + 150, 60)
    after = stack.redis.hgetall("hf:{c1}:tasks")
    assert sum(after[c] != task for c, task in before.items()) == len(changed)


def test_a_terminal_sees_how_far_it_is_and_a_pipe_does_not(stack):
    file = sample(stack, 5000)
    code, said = on_terminal(stack, "roster", "import", file)
    assert code == 0, said
    assert "检查" in said and "行/秒" in said and "%" in said and "建案 [" in said, said
    assert said.endswith("\r\033[K"), "the line is cleared"
    code, said = on_terminal(stack, "--json", "roster", "import", file)
    assert (code, said) == (0, "")
    assert stack.ctl("roster", "import", file).stderr == ""
