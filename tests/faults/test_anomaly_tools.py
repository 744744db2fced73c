"""The Nth call of one kind fails, once, inside a program that runs to its end: it says so and leaves nothing half done,
or its result is the one that it always has.

`make test` takes the first N of each kind; HF_ANOMALY=1 (tests/long/anomaly) every N until the program makes no such
call any more, malloc the first 200 and then twice as many each time. What stdio writes (DBF, the inside of a spreadsheet)
is not among the calls that fail here; a spreadsheet that is written without memory for a format has other bytes, which is
not looked at; an invented DBF is not written under another name first."""
import os
import subprocess

import pytest

from faults import CALLS, ROOT, Order
from stack import BIN

ALL = os.environ.get("HF_ANOMALY", "0") != "0"
PAY = "person,team,leader,admitted,registered,minimum,wrong_withdrawal,deduction_percent\r\np01,t1,0,29,27,20,0,0\r\n"
TODAY = ("--today", "2026-11-23")
# what is run, and the file that it makes ({} is the directory)
TOOLS = {
    "sample-csv": (["hf-sample", "--rows", "9", "--seed", "3", *TODAY, "--out", "{}/out.csv"], "out.csv"),
    "sample-dbf": (["hf-sample", "--rows", "9", "--seed", "3", *TODAY, "--out", "{}/out.dbf"], "out.dbf"),
    "sample-xlsx": (["hf-sample", "--rows", "9", "--seed", "3", *TODAY, "--out", "{}/out.xlsx"], "out.xlsx"),
    "import-csv": (["hf-import", *TODAY, "--errors", "{}/out.xlsx", "roster", "{}/in.csv"], "out.xlsx"),
    "import-dbf": (["hf-import", *TODAY, "roster", "{}/in.dbf"], None),
    "import-xlsx": (["hf-import", *TODAY, "roster", "{}/in.xlsx"], None),
    "what-if": (["hfctl", "--json", "pay", "what-if", "{}/pay.csv"], None),
}


@pytest.fixture(name="files", scope="module")
def _files(tmp_path_factory):
    home = tmp_path_factory.mktemp("anomaly")
    for form in ("csv", "dbf", "xlsx"):
        subprocess.run([BIN / "hf-sample", "--warts", "--rows", "60", "--seed", "3", *TODAY, "--out", home / f"in.{form}"],
                       check=True)
    (home / "pay.csv").write_text(PAY)
    return home


class Tool:
    def __init__(self, name, home):
        argv, self.makes = TOOLS[name]
        self.argv = [str(BIN / argv[0]), *(a.replace("{}", str(home)) for a in argv[1:])]
        self.made = home / self.makes if self.makes else None
        self.order = Order(home / "order")
        self.env = {"PATH": os.environ["PATH"], "HOME": str(home), "TZ": "Asia/Shanghai",
                    "LD_PRELOAD": str(ROOT / "build/tests/faults/fail_nth.so"), "HF_FAIL_FILE": str(home / "order")}
        self.want = self.run()
        assert self.want[0] in (0, 1), self.want

    def run(self):
        if self.made:
            self.made.unlink(missing_ok=True)
        r = subprocess.run(self.argv, env=self.env, capture_output=True, check=False, timeout=300)
        made = self.made.read_bytes() if self.made and self.made.exists() else None
        return r.returncode, r.stdout, made, r.stderr

    def fails(self, kind, n):
        """Whether it came to the Nth call; what came of it is judged here."""
        self.order.give(kind, n)
        code, said, made, why = self.run()
        hit = self.order.hits() > 0
        self.order.give(kind, 0)
        at = f"{kind} {n}: exit {code}, {why[-300:]!r}"
        if code == self.want[0]:
            assert said == self.want[1], at
            assert self.same(made), at
        else:
            assert hit and code != 0 and (why or said or code < 0), at  # below 0: it died at once
            assert made is None or self.same(made) or self.makes == "out.dbf", at
        return hit

    def same(self, made):
        """A spreadsheet is a zip with the time of day in it: there the length must do."""
        want = self.want[2]
        return made == want or (self.makes == "out.xlsx" and made and want and abs(len(made) - len(want)) < 16)


def numbers(kind):
    n = 1
    while n <= (1 << 20 if ALL else 6):
        yield n
        n = n * 2 if kind == "malloc" and n >= 200 else n + 1


@pytest.mark.parametrize("name", TOOLS)
def test_a_call_that_fails_leaves_nothing_half_done(files, name):
    tool, said = Tool(name, files), []
    for kind in CALLS:
        if name == "sample-xlsx" and kind == "malloc":
            continue
        hits, last, missed = 0, 0, 0
        for n in numbers(kind):
            if tool.fails(kind, n):
                hits, last, missed = hits + 1, n, 0
            else:
                missed += 1
            if missed == 2:
                break
        said.append(f"{kind} {hits} (up to {last})")
    print(f"\n{name}: " + ", ".join(said))
    assert any(not s.startswith("malloc") and " 0 (" not in s for s in said)


def test_a_program_that_hides_its_failure_is_seen(tmp_path):
    """The judge itself: exit 0 with half a result."""
    half = tmp_path / "half"
    half.write_text("#!/bin/sh\n[ -e \"$HOME/again\" ] && echo half || echo whole\ntouch \"$HOME/again\"\n")
    half.chmod(0o755)
    tool = Tool.__new__(Tool)
    tool.argv, tool.made, tool.makes = [str(half)], None, None
    tool.order, tool.env = Order(tmp_path / "order"), {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    tool.want = tool.run()
    with pytest.raises(AssertionError):
        tool.fails("write", 1)
