"""hf-dashboard over real stores: health, metrics that promtool takes, the live stream, problems that come and go."""
import json
import os
import pty
import select
import signal
import socket
import subprocess
import urllib.error
import urllib.request

import pytest

from stack import BIN, Stack, wait_for


BESIDE = "归档与存储在同一块盘上"


class Dash:
    def __init__(self, stack):
        self.stack = stack
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        stack.daemon("hf-dashboard", "--bind", f"127.0.0.1:{self.port}")

    def open(self, path, method="GET"):
        return urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method), timeout=10)

    def text(self, path):
        return self.open(path).read().decode()

    def status(self, path, method="GET"):
        try:
            return self.open(path, method).status
        except urllib.error.HTTPError as e:
            return e.code

    def state(self):
        return json.loads(self.text("/state"))


@pytest.fixture(scope="module")
def stack():
    with Stack(pg=True) as s:
        s.ctl("db", "migrate")
        s.daemon("hf-recorder")
        s.daemon("hf-broker")
        yield s


@pytest.fixture(scope="module")
def dash(stack):
    return Dash(stack)


def test_without_a_campaign_it_says_what_to_do(stack, dash):
    assert dash.status("/livez") == 200 and dash.status("/readyz") == 503
    wait_for("a picture", lambda: dash.state()["problems"])
    assert "campaign create" in dash.state()["problems"][0]["now"]
    stack.ctl("campaign", "create", "c1")
    wait_for("ready", lambda: dash.status("/readyz") == 200)


def test_metrics_are_what_prometheus_takes(dash):
    r = subprocess.run(["promtool", "check", "metrics"], input=dash.text("/metrics"), text=True, capture_output=True)
    assert r.returncode == 0, r.stdout + r.stderr
    assert 'hf_dependency_up{dep="redis"} 1' in dash.text("/metrics")


def test_the_stream_counts_its_pictures(dash):
    r = dash.open("/events")
    ids = []
    while len(ids) < 3:
        line = r.readline().decode()
        if line.startswith("id: "):
            ids.append(int(line[4:]))
    assert ids == [ids[0], ids[0] + 1, ids[0] + 2]


def test_it_only_looks(dash):
    assert dash.status("/state", "POST") == 405 and dash.status("/nothing") == 404
    assert "default-src 'none'" in dash.open("/").headers["Content-Security-Policy"]


def problems(dash):
    """But for the one that a private stack always has."""
    return [p["what"] for p in dash.state()["problems"] if p["what"] != BESIDE]


@pytest.mark.skipif(os.getuid() != 0, reason="mounts a tmpfs")
def test_an_archive_beside_the_stores_is_a_problem_and_said_everywhere(stack, dash):
    wait_for("the problem", lambda: BESIDE in [p["what"] for p in dash.state()["problems"]], 60)
    told = stack.ctl("doctor", check=False)
    assert told.returncode == 1 and [line for line in told.stdout.splitlines() if line.startswith("问题 archive")], told
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=777", "tmpfs", stack.dir / "archive"], check=True)
    try:
        wait_for("it is on another disk", lambda: BESIDE not in [p["what"] for p in dash.state()["problems"]], 60)
        assert "正常 archive" in stack.ctl("doctor", check=False).stdout
    finally:
        subprocess.run(["umount", "-l", stack.dir / "archive"], check=True)
    wait_for("the problem again", lambda: BESIDE in [p["what"] for p in dash.state()["problems"]], 60)


def test_a_case_in_no_lane_is_a_problem(stack, dash):
    for i in (b"A", b"B"):
        stack.fcall("hf1_router", ("create", i * 16, "pool", "1000", "task", "", "-", ""))
    wait_for("two cases", lambda: dash.state()["cases"] == 2)
    assert problems(dash) == []
    stack.redis.zrem("hf:{c1}:lane:pool", b"A" * 16)
    wait_for("the problem", lambda: any("对不上账" in p["what"] for p in dash.state()["problems"]))
    stack.redis.zadd("hf:{c1}:lane:pool", {b"A" * 16: 1000})
    wait_for("no problem", lambda: problems(dash) == [])


def test_the_lanes_of_hundreds_of_people_are_all_there(stack, dash):
    lanes = [f"own:x{n:03}:due" for n in range(300)]
    stack.redis.sadd("hf:{c1}:lanes", *lanes)
    for n, lane in enumerate(lanes):
        stack.redis.zadd("hf:{c1}:lane:" + lane, {n.to_bytes(16, "big"): 5})
    wait_for("all of them", lambda: len([x for x in dash.state()["lanes"] if x["lane"].startswith("own:x")]) == 300)
    stack.redis.srem("hf:{c1}:lanes", *lanes)
    stack.redis.delete(*["hf:{c1}:lane:" + lane for lane in lanes])
    wait_for("none of them", lambda: not [x for x in dash.state()["lanes"] if x["lane"].startswith("own:x")])


def test_top_is_the_same_picture_in_a_terminal(stack, dash):
    conf = stack.dir / "env.conf"
    conf.write_text(conf.read_text().replace('"127.0.0.1:0"', f'"127.0.0.1:{dash.port}"'))
    argv = [str(BIN / "hfctl"), "top"]
    once = stack.ctl("top").stdout
    assert "归档与存储在同一块盘上" in once and "公共池" in once and "对得上" in once
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(argv[0], argv, {**stack.env(), "TERM": "xterm", "LINES": "40", "COLUMNS": "120"})
    seen = b""
    while "公共池".encode() not in seen:
        assert select.select([fd], [], [], 30)[0], seen
        seen += os.read(fd, 4096)
    os.write(fd, b"sq")
    while True:
        try:
            if not os.read(fd, 4096):
                break
        except OSError:          # the terminal's other end is closed
            break
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(fd)


def test_a_broker_that_died_is_said_and_comes_back(stack, dash):
    wait_for("the broker is up", lambda: dash.state()["brokers_up"] == dash.state()["brokers"] == 1)
    stack.kill("hf-broker", signal.SIGKILL)
    wait_for("the problem", lambda: any("broker 连不上" in p["what"] for p in dash.state()["problems"]))
    assert "hf_brokers_up 0" in dash.text("/metrics")
    stack.daemon("hf-broker")
    wait_for("no problem", lambda: problems(dash) == [])


def test_a_store_that_is_away_is_said_and_comes_back(stack, dash):
    stack.kill("redis", signal.SIGKILL)
    wait_for("Redis is away", lambda: not dash.state()["redis"] and dash.status("/readyz") == 503)
    assert dash.status("/livez") == 200
    wait_for("it is the first problem", lambda: dash.state()["problems"][0]["what"] == "Redis 连不上", 60)
    stack.spawn("redis", ["redis-server", stack.dir / "redis.conf"])
    wait_for("Redis is back", lambda: dash.state()["redis"])
    stack.kill("postgres", signal.SIGQUIT)
    wait_for("PostgreSQL is away", lambda: not dash.state()["ledger"]["up"])
    stack.start_pg()
    wait_for("PostgreSQL is back", lambda: dash.state()["ledger"]["up"])
