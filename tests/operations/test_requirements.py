"""tests/REQUIREMENTS.md: every requirement once, every test that it names in the tree."""
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COUNTS = {"D": range(1, 6), "R": range(1, 12), "S": range(0, 3), "A": range(1, 6), "C": range(1, 9), "W": range(1, 5),
          "U": range(1, 4), "Q": range(1, 22)}
ROWS = [[cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in (ROOT / "tests/REQUIREMENTS.md").read_text().splitlines() if re.match(r"\| [A-Z]\d+ \|", line)]
NAMED = sorted({(row[0], name) for row in ROWS for name in re.findall(r"`([^`]+)`", row[2])})


def test_every_requirement_stands_there_once():
    assert [r[0] for r in ROWS] == [f"{letter}{n}" for letter, ns in COUNTS.items() for n in ns]


def test_each_has_a_test_or_says_why_it_has_none():
    for row in ROWS:
        assert len(row) == 3 and row[1], row
        assert re.search(r"`[^`]+::[^`]+`", row[2]) or re.match(r"none: .{10,}", row[2]), row


@pytest.mark.parametrize("requirement,name", NAMED)
def test_the_test_that_shows_it_exists(requirement, name):
    path, _, function = name.partition("::")
    text = (ROOT / path).read_text()
    wanted = r"^def %s\(" if path.endswith(".py") else r"^%s\(void \*\*"
    assert re.search(wanted % re.escape(function), text, re.M), f"{requirement}: {name}"
    if path.endswith(".c"):  # and it runs
        assert re.search(r"cmocka_unit_test\w*\(\s*%s\b" % re.escape(function), text), f"{requirement}: {name}"
