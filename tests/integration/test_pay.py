"""hfctl pay what-if as finance would use it: no server, a sheet in, every figure explained."""
import json
import os
import pathlib
import subprocess

BIN = pathlib.Path(os.environ["HF_BIN"])
HEADER = "person,team,leader,admitted,registered,minimum,wrong_withdrawal,deduction_percent"


def what_if(tmp_path, *rows, header=HEADER, encoding="utf-8", flags=("--json",)):
    sheet = tmp_path / "sheet.csv"
    sheet.write_bytes("\r\n".join([header, *rows, ""]).encode(encoding))
    r = subprocess.run([BIN / "hfctl", *flags, "pay", "what-if", sheet], capture_output=True, text=True,
                       env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}, check=False)
    return r


def rows_of(r):
    assert r.returncode == 0, r.stderr
    return {x["person"]: x for x in json.loads(r.stdout)["rows"]}


def test_the_contract_example_needs_no_server(tmp_path):
    row = rows_of(what_if(tmp_path, "p01,t1,0,29,27,20,0,0"))["p01"]
    assert {k: row[k] for k in row if k != "explain"} == {
        "person": "p01", "rate": "93.103", "standard": "60.50", "pay": "1633.50", "leader_bonus": "0.00"}
    assert any("93.103" in line for line in row["explain"])
    assert row["explain"][-1] == "再多报到 1 人 = +536.50 元"


def test_what_one_more_brings_and_how_many_bring_something(tmp_path):
    got = rows_of(what_if(tmp_path, "a,t1,0,29,26,0,0,0", "b,t2,0,29,29,0,0,0", "c,t3,0,29,20,0,0,0"))
    assert got["a"]["explain"][-1] == "再多报到 1 人 = +1633.50 元"
    assert not any("再多报到" in line for line in got["b"]["explain"])  # all have
    assert got["c"]["explain"][-1] == "再多报到 1 人还不加钱；再多 7 人 = +1633.50 元"


def test_every_reading_that_gives_another_figure_is_said(tmp_path):
    row = rows_of(what_if(tmp_path, "p,t,0,20,19,25,0,0,"))["p"]  # example 16
    said = [line for line in row["explain"] if line.startswith("另一种读法")]
    assert row["pay"] == "1140.00" and said == [
        "另一种读法（Q1：各档都含本数）：1235.00 元", "另一种读法（Q3：不看工作量都加发）：1235.00 元",
        "另一种读法（Q6：每少打一人减 5 元）：1210.00 元", "另一种读法（Q6：每打过一人减 5 元）：1135.00 元"]
    row = rows_of(what_if(tmp_path, "p,t,0,29,28,0,1,20"))["p"]  # example 19
    assert row["pay"] == "868.00" and "另一种读法（Q18：按原来的总额扣）：651.00 元" in row["explain"]


def test_cuts_reach_pay_and_bonus(tmp_path):
    got = rows_of(what_if(tmp_path, "p01,t1,1,30,29,0,0,20", "p02,t2,1,29,28,0,1,0", "p03,t3,0,29,27,0,1,33"))
    assert (got["p01"]["pay"], got["p01"]["leader_bonus"]) == ("1809.60", "1200.00")  # 96.667 %: target reached
    assert (got["p02"]["pay"], got["p02"]["leader_bonus"]) == ("1085.00", "750.00")
    assert got["p03"]["pay"] == "547.22"


def test_team_is_pooled_and_both_readings_are_said(tmp_path):
    got = rows_of(what_if(tmp_path, "a,t1,1,50,44,0,0,0", *(f"b{i},t1,0,10,10,0,0,0" for i in range(5))))
    assert got["a"]["leader_bonus"] == "1000.00"
    assert any("Q7" in line and "1500.00" in line for line in got["a"]["explain"])


def test_optional_columns_and_their_defaults(tmp_path):
    header = HEADER + ",called,slack"
    got = rows_of(what_if(tmp_path, "a,t,0,20,19,25,0,0,27,", "b,t,0,20,19,25,0,0,,0", "c,t,0,20,19,25,0,0,,",
                          "d,t,0,29,20,25,0,0,,1", header=header))
    assert [got[p]["pay"] for p in "abcd"] == ["1330.00", "1330.00", "1140.00", "0.00"]


def test_nobody_admitted_is_no_division(tmp_path):
    row = rows_of(what_if(tmp_path, "p01,t1,1,0,0,0,0,0"))["p01"]
    assert row["rate"] is None and row["pay"] == "0.00" and row["leader_bonus"] == "0.00"


def test_excel_writes_gb18030_and_a_byte_order_mark(tmp_path):
    for encoding in ("gb18030", "utf-8-sig"):
        got = rows_of(what_if(tmp_path, "张三,一组,0,100,98,0,0,0", encoding=encoding))
        assert got["张三"]["pay"] == "8330.00"


def test_columns_in_any_order(tmp_path):
    got = rows_of(what_if(tmp_path, "0,0,96,95,0,0,t1,p1",
                          header="deduction_percent,minimum,admitted,registered,wrong_withdrawal,leader,team,person"))
    assert (got["p1"]["rate"], got["p1"]["pay"]) == ("98.958", "8502.50")


def test_bad_rows_are_all_named_and_nothing_is_computed(tmp_path):
    r = what_if(tmp_path, "p01,t1,0,29,27,0,0,0", "p02,t1,2,29,30,-1,0,101", "p01,t1,0,1.5,1,0,0,0")
    assert r.returncode == 65
    out = json.loads(r.stdout)
    assert out["rows"] == []
    assert {(e["row"], e["column"], e["code"]) for e in out["errors"]} == {
        (3, "leader", "bad-flag"), (3, "registered", "bad-count"), (3, "minimum", "bad-count"),
        (3, "deduction_percent", "bad-percent"), (4, "person", "duplicate-key"), (4, "admitted", "bad-count")}
    assert "第 3 行“leader”" in r.stderr


def test_a_missing_column_and_a_missing_file(tmp_path):
    r = what_if(tmp_path, "p01,t1", header="person,team")
    assert r.returncode == 65 and "admitted" in r.stderr
    r = subprocess.run([BIN / "hfctl", "pay", "what-if", tmp_path / "none.csv"], capture_output=True, text=True,
                       check=False)
    assert r.returncode == 66


def test_for_people_with_reasons(tmp_path):
    r = what_if(tmp_path, "p01,t1,0,29,27,20,0,0", flags=())
    assert r.returncode == 0 and "1633.50" in r.stdout and "÷" not in r.stdout


def test_a_misspelt_column_is_said_and_not_used(tmp_path):
    r = what_if(tmp_path, "p01,t1,0,20,19,25,0,0,0", header=HEADER + ",slak")
    assert rows_of(r)["p01"]["pay"] == "1140.00" and set(json.loads(r.stdout)) == {"rows"}
    assert r.stderr.count("\n") == 1 and "slak" in r.stderr
    assert what_if(tmp_path, "p01,t1,0,20,19,25,0,0,0", header=HEADER + ",slack").stderr == ""
