"""Schema and views by pgTAP, in a database of their own: each file of tests/pgtap is one transaction that is rolled back."""
import pathlib
import re
import subprocess

import pytest

from stack import Stack

FILES = sorted((pathlib.Path(__file__).resolve().parents[1] / "pgtap").glob("*.sql"))


@pytest.fixture(scope="module")
def stack():
    with Stack(pg=True) as s:
        s.ctl("db", "migrate")
        yield s


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_pgtap(stack, file):
    r = subprocess.run(["psql", "-qAtX", "-F", "\n", "-h", stack.dir, "-U", "huifang", "-d", "huifang", "-v", "ON_ERROR_STOP=1", "-f", file],
                       capture_output=True, text=True, timeout=120, check=False)
    lines = [line for line in r.stdout.splitlines() if line]
    bad = [line for line in lines if line.startswith(("not ok", "#"))]
    good = [line for line in lines if line.startswith("ok ")]
    assert r.returncode == 0 and not bad, "\n".join(bad) + r.stderr
    plan = [int(m.group(1)) for m in (re.fullmatch(r"1\.\.(\d+)", line) for line in lines) if m]
    assert plan == [len(good)] and len(good) > 50, (plan, len(good))
