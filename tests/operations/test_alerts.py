"""deploy/alerts.yml: promtool takes it, each rule names a metric that the dashboard has, and the rules fire when they should."""
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy/alerts.yml"
CASES = {  # alert: (series, values), quiet values
    "HuifangStoreAway": ('hf_dependency_up{dep="redis"}', "0x20", "1x20"),
    "HuifangBrokerAway": ("hf_brokers_up", "0x20", "2x20"),
    "HuifangQueueNotGranting": ("hf_mode", "1x20", "0x20"),
    "HuifangUnaccounted": ("hf_cases_unaccounted", "-1x20", "0x20"),
    "HuifangTriage": ('hf_lane_oldest_due_age_seconds{lane="triage"}', "90x20", "30x20"),
    "HuifangDueLong": ('hf_lane_oldest_due_age_seconds{lane="strike"}', "20000x20", "20x20"),
    "HuifangParked": ('hf_lane_cases{lane="parked"}', "3x20", "0x20"),
    "HuifangQuarantined": ("hf_ledger_quarantined", "1x20", "0x20"),
    "HuifangOutboxFrozen": ("hf_outboxes_frozen", "1x20", "0x20"),
    "HuifangArchiveBehind": ("hf_records_unreleased", "100+10x40", "100x40"),
    "HuifangNightLate": ("hf_night_last_timestamp_seconds", "1x2000", "0x2000"),
    "HuifangNightDifferences": ("hf_night_differences", "2x20", "0x20"),
}


def promtool(*words):
    r = subprocess.run(["promtool", *map(str, words)], text=True, capture_output=True)
    return r.returncode, r.stdout + r.stderr


def test_promtool_takes_the_rules_and_each_metric_exists():
    assert promtool("check", "rules", RULES)[0] == 0
    text, source = RULES.read_text(), (ROOT / "dashboard/print.c").read_text()
    for metric in set(re.findall(r"hf_\w+", text)):
        assert f'"{metric}"' in source or f"{metric}{{" in source, metric
    assert set(re.findall(r"alert: (\w+)", text)) == set(CASES) | {"HuifangDashboardAway"}


@pytest.mark.parametrize("fires", [True, False])
def test_they_fire_when_they_should(tmp_path, fires):
    tests = []
    for alert, (series, wrong, quiet) in CASES.items():
        at = "1700m" if alert == "HuifangNightLate" else "32m" if alert == "HuifangArchiveBehind" else "16m"
        others = "".join(f"      - {{series: '{s}', values: '{v}'}}\n" for s, v in
                         (("hf_build_info", "1x2000"), ("hf_brokers", "2x2000")))
        ask = f"count(ALERTS{{alertname=\"{alert}\",alertstate=\"firing\"}})"
        tests.append(f"  - interval: 1m\n    input_series:\n{others}      - {{series: '{series}', values: '{wrong if fires else quiet}'}}\n"
                     f"    promql_expr_test:\n      - expr: '{ask}'\n        eval_time: {at}\n        exp_samples: "
                     + ("[{labels: '{}', value: 1}]\n" if fires else "[]\n"))
    file = tmp_path / "alerts.test.yml"
    file.write_text(f"rule_files: [{RULES}]\nevaluation_interval: 1m\ntests:\n" + "".join(tests))
    rc, out = promtool("test", "rules", file)
    assert rc == 0, out
