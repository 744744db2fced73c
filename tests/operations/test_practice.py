"""deploy/practice: the evening before, in an installation of its own that knows nothing of the real one."""
import http.cookiejar
import json
import os
import re
import select
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("HF_BIN", REPO / "build" / "bin")).resolve()
LIMIT = 60.0


def practice(verb, *args, home, **env):
    return subprocess.run([REPO / "deploy" / "practice", verb, *args, home], capture_output=True, text=True, timeout=180,
                          check=False, stdin=subprocess.DEVNULL, env={**os.environ, "HF_BIN": str(BIN), **env})


@pytest.fixture(name="home")
def _home():
    home = Path(tempfile.mkdtemp(prefix="hf-practice-"))
    try:
        yield home
    finally:
        practice("down", home=home)


def test_two_people_practise_and_the_real_one_is_not_looked_at(home, tmp_path):
    (tmp_path / "env.conf").write_text("the real one: whoever reads this fails\n")
    # HF_HOME and HF_CAMPAIGN of the real campaign are in the environment, as they are on the evening before.
    made = practice("up", "--callers", "2", "--listen", "127.0.0.1:0", home=home, HF_HOME=str(tmp_path),
                    HF_CAMPAIGN="real")
    assert made.returncode == 0, made.stdout + made.stderr
    address, pin = re.search(r"ready: (\S+)", made.stderr).group(1), re.search(r"口令 (\d+)", made.stderr).group(1)
    assert [f.name for f in tmp_path.iterdir()] == ["env.conf"]
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def ask(path, body=None, csrf=""):
        request = urllib.request.Request(address + path, json.dumps(body).encode() if body else None,
                                         {"Content-Type": "application/json", "X-HF-CSRF": csrf})
        return json.loads(browser.open(request, timeout=30).read())

    me = ask("/api/login", {"person": "p02", "pin": pin})
    end = time.monotonic() + LIMIT
    while ask("/api/campaign").get("title") != "practice" and time.monotonic() < end:
        select.select([], [], [], 0.1)
    assert ask("/api/campaign")["title"] == "practice"
    ask("/api/do", {"do": "next"}, me["csrf"])
    for line in browser.open(address + "/api/events", timeout=LIMIT):
        if line.startswith(b"data: ") and b'"task"' in line:
            task = json.loads(line[6:])["task"]
            break
    assert re.fullmatch(r"1990000\d{4}|0\d{9,11}", task["numbers"][0]["digits"]), "an invented number"
    pool = subprocess.run([BIN / "hfctl", "--json", "queue", "ls"], env={**os.environ, "HF_HOME": str(home)},
                          capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(pool.stdout)["cases"] == 20, pool.stdout
    pid = int((home / "office.pid").read_text())
    assert practice("down", home=home).returncode == 0
    assert not home.exists() and not Path(f"/proc/{pid}").exists()


def test_what_is_no_practice_is_not_touched(tmp_path):
    (tmp_path / "env.conf").write_text("")
    for verb in ("up", "down"):
        done = practice(verb, home=tmp_path)
        assert done.returncode == 73 and "nothing was touched" in done.stderr
    assert [f.name for f in tmp_path.iterdir()] == ["env.conf"]
