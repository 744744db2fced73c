"""Pay is computed twice, in C and in SQL, and must agree to the fen."""
import pytest

from pay_rig import compare
from stack import Stack


@pytest.fixture(scope="module")
def stack():
    with Stack(pg=True) as s:
        s.ctl("db", "migrate")
        yield s


def test_ten_thousand_random_rows_agree_in_every_reading(stack):
    got = compare(stack, 10000, 20260301)
    assert got["rows"] >= 10000 and got["paid"] > 3000 and got["bonuses"] > 300
    assert got["differ"] == 0, got["first"]


@pytest.mark.parametrize("column", ["standard", "total", "amount", "bonus"])
def test_one_fen_in_one_row_is_seen(stack, column):
    got = compare(stack, 1000, 7, f"UPDATE r SET {column} = {column} + 1 WHERE ctid = (SELECT min(ctid) FROM r);")
    assert got["differ"] == 1
    assert got["first"][0][column] == got["first"][0][f"s_{column}"] + 1


EXAMPLES = [  # of the plan: registered, admitted, called, minimum, slack, wrong, deduction, readings, fen
    ("30, 30, 30, 0, true, false, false, 0", "", 315000),
    ("95, 96, 96, 0, true, false, false, 0", "", 850250),
    ("47, 50, 50, 0, true, false, false, 0", "", 305500),
    ("118, 125, 125, 0, true, false, false, 0", "", 118 * 6700),
    ("93, 100, 100, 0, true, false, false, 0", ", q2 => 'B'", 558000),
    ("929, 1000, 1000, 0, true, false, false, 0", ", q2 => 'B'", 5109500),
    ("929, 1000, 1000, 0, true, false, false, 0", ", q4 => 'strict93'", 0),
    ("19, 20, 20, 25, true, false, false, 0", "", 114000),
    ("19, 20, 20, 25, true, false, false, 0", ", q6 => 'per_short'", 121000),
    ("19, 20, 20, 25, true, false, false, 0", ", q6 => 'per_called'", 113500),
    ("19, 20, 20, 25, true, false, false, 0", ", q3 => 'auto'", 123500),
    ("28, 29, 29, 0, true, false, true, 20", "", 86800),
    ("28, 29, 29, 0, true, false, true, 20", ", q18 => 'total'", 65100),
    ("27, 29, 29, 0, true, false, true, 33", "", 54722),
    ("20, 29, 29, 30, true, false, false, 0", "", 0),
    ("0, 0, 0, 0, true, false, false, 0", "", 0),
]


@pytest.mark.parametrize("row, readings, fen", EXAMPLES)
def test_the_worked_examples_in_sql(stack, row, readings, fen):
    got = stack.sql(f"SELECT amount FROM hf.pay_of({row}{readings})", user="hf_reconcile")
    assert got == [[str(fen)]]


def test_a_mean_of_thirds_is_exact_in_sql(stack):
    bonus = "SELECT hf.pay_bonus(ARRAY[{}]::bigint[], ARRAY[{}]::bigint[], 'mean')"
    sevens = ", ".join(["7"] * 18)
    assert stack.sql(bonus.format(f"1, 2, {sevens}", f"3, 3, {sevens}")) == [["150000"]]
    sevens = ", ".join(["7"] * 17)
    assert stack.sql(bonus.format(f"1, 2, {sevens}, 999998", f"3, 3, {sevens}, 999999")) == [["100000"]]
    assert stack.sql(bonus.format("0", "0")) == [["0"]]
