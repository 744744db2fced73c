"""The law of pay in C (pay_rows prints random rows with what it gives) against the law in SQL (0007_pay.sql)."""
import json
import pathlib
import subprocess

from stack import BIN

ROWS = BIN.parent / "tests" / "long" / "pay_rows"
COLUMNS = ("team int, leader int, registered bigint, admitted bigint, called bigint, minimum bigint, slack int, "
           "approved int, wrong int, deduction bigint, q1 text, q2 text, q2_top int, q3 text, q4 text, q6 text, "
           "q7 text, q18 text, standard bigint, total bigint, amount bigint, bonus bigint")
COMPARE = """
WITH team AS (
    SELECT team, hf.pay_bonus(array_agg(registered), array_agg(admitted), min(q7)) AS bonus FROM r GROUP BY team
), said AS (
    SELECT r.*, s.standard AS s_standard, s.total AS s_total, s.amount AS s_amount,
        CASE WHEN leader = 1 THEN hf.pay_cut(team.bonus, wrong = 1, deduction, q18) ELSE 0 END AS s_bonus
    FROM r JOIN team USING (team)
    CROSS JOIN LATERAL hf.pay_of(registered, admitted, called, minimum, slack = 1, approved = 1, wrong = 1, deduction,
        q1, q2, q2_top = 1, q3, q4, q6, q18) s
), differ AS (
    SELECT * FROM said
    WHERE (standard, total, amount, bonus) IS DISTINCT FROM (s_standard, s_total, s_amount, s_bonus)
)
SELECT json_build_object('rows', (SELECT count(*) FROM said), 'paid', (SELECT count(*) FROM said WHERE amount > 0),
    'bonuses', (SELECT count(*) FROM said WHERE bonus > 0), 'differ', (SELECT count(*) FROM differ),
    'first', (SELECT json_agg(d) FROM (SELECT * FROM differ LIMIT 3) d));
"""


def compare(stack, count, seed, spoil=None):
    """{"rows","paid","bonuses","differ","first"}; spoil is SQL that runs on the table r before."""
    rows = pathlib.Path(stack.dir) / "rows.csv"
    with open(rows, "w", encoding="ascii") as out:
        subprocess.run([ROWS, str(count), str(seed)], stdout=out, check=True, timeout=600)
    script = (f"CREATE TEMP TABLE r ({COLUMNS});\n\\copy r from '{rows}' csv\nANALYZE r;\n{spoil or ''}\n{COMPARE}")
    r = subprocess.run(["psql", "-qAt", "-h", stack.dir, "-U", "huifang", "-d", "huifang", "-v", "ON_ERROR_STOP=1"],
                       input=script, check=True, capture_output=True, text=True, timeout=600)
    return json.loads(r.stdout)
