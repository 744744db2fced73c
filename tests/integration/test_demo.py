"""`make demo` in a short form: the same story, the same kills, the same promises, fewer applicants."""
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMIT_S = 200


def test_every_promise_holds_while_everything_is_killed(tmp_path):
    env = {**os.environ, "HF_DEMO_DIR": str(tmp_path / "demo"), "ONCE": "1", "QUICK": "1", "ROWS": "150",
           "CALLERS": "16"}
    env.pop("HF_HOME", None)
    r = subprocess.run([ROOT / "deploy" / "demo", "up"], env=env, capture_output=True, text=True, timeout=LIMIT_S,
                       stdin=subprocess.DEVNULL, check=False)
    assert r.returncode == 0, r.stdout[-3000:] + r.stderr[-3000:]
    told = json.loads(r.stdout.strip().split("\n")[-1])
    assert told["ok"] and told["failed"] == []
    assert told["stored"] == told["accepted"] == told["ledger"] > 150
    assert len(told["killed"]) == 7
    assert told["funnel"]["called"] == 150 and told["funnel"]["registered"] > 100
    assert told["funnel"]["through_strike"] > 0
