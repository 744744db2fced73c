"""hf-caller --office: many persons' browsers on one process, over HTTP, against real brokers and Redis."""
import os
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest
from caller_rig import wait_for
from office_rig import LIMIT, PIN, WRONG, Office
from stack import BIN, ROOT


@pytest.fixture(name="rig")
def _rig():
    r = Office()
    try:
        yield r
    finally:
        r.close()


def record(task, **more):
    return dict(dict(do="record", case=task["case"], token=task["token"], outcome="no-answer", channel="phone",
                     number=1, seconds=35), **more)


def test_a_case_is_taken_recorded_and_settled_in_two_tabs(rig):
    d = rig.hire("w01", roles="caller", team="t1")
    case = rig.task_case(due=1)
    rig.serve()
    b = rig.browser("w01")
    wait_for("the broker's word on the person", lambda: b.ask("GET", "/api/me")[1]["person"] == {
        "id": "w01", "name": "", "role": "caller", "roles": ["caller"], "team": "t1"}, LIMIT)
    assert b.me["lock_after_s"] == 1800 and abs(b.me["now"] - time.time() * 1000) < 3_600_000
    assert "HttpOnly" in b.set_cookie and "SameSite=Strict" in b.set_cookie and "Secure" not in b.set_cookie
    first, second = b.events(), b.events()
    assert first.status(link="up")["inhand"] == []
    assert b.do(do="next") == (202, {})
    task = first.line("task")
    assert second.line("task") == task and task["case"] == case.hex() and task["name"] == "林晓雨"
    assert first.status(inhand=[task["case"]])["stored"] == 0
    third = b.events()  # as a page that is loaded again
    assert third.line("task")["token"] == task["token"]
    status, said = b.do(**record(task, note="没人接, 晚上再打"))
    assert (status, said["stored"]["seq"]) == (200, 1)
    for s in (first, second, third):
        assert s.line("stored") == said["stored"]
        assert s.line("accepted") == {"seq": 1, "verdict": "effective"}
    assert first.status(inhand=[], accepted=1, settled=0)["stored"] == 1
    ob = rig.ob_of(d)
    h = rig.redis.hget("hf:{c1}:ob:" + ob, "h")
    rig.settle(ob, (1, h), 1)
    assert first.line("settled") == {"upto": 1}
    first.status(settled=1)
    rig.settle(ob, (1, h), 2)
    first.status(released=1)
    assert first.ids == sorted(first.ids)
    assert "林晓雨" not in rig.log(rig.office) and "1990000" not in rig.log(rig.office)
    assert "w01" not in rig.log(rig.office)


def test_a_wrong_pin_and_a_wrong_person_look_the_same(rig):
    rig.hire("w01")
    rig.hire("w02", active=0)
    rig.hire("w03", pin=None)
    rig.hire("w04")
    rig.serve()
    b = rig.browser()
    wrong = (401, {"error": {"code": "pin", "text": "工号或口令不对"}})
    assert b.login("w01", WRONG) == wrong
    assert b.login("stranger", PIN) == wrong
    wait_for("enrolled, but not active any more", lambda: b.login("w02", PIN)[0] == 403, LIMIT)
    assert b.login("w03", "")[1]["error"]["code"] == "no-pin"
    assert b.ask("GET", "/api/me")[0] == 401
    for body in ({}, {"person": "w01"}, {"person": 1, "pin": PIN}, {"person": "../w01", "pin": PIN},
                 {"person": "w01", "pin": "9" * 64}, [], "w01"):
        assert b.ask("POST", "/api/login", body)[0] == 400, body
    assert b.ask("POST", "/api/login", raw="{")[0] == 400
    for person in ("w01", "stranger"):
        assert [b.login(person, WRONG)[0] for _ in range(6)] == [401] * 4 + [429] * 2
    status, said = b.login("w01", PIN)
    assert (status, said["error"]["code"]) == (429, "wait") and 0 < said["error"]["retry_s"] <= 300
    assert b.login("w04", PIN)[0] == 200


def test_a_right_pin_forgets_the_wrong_ones(rig):
    rig.hire("w01")
    rig.serve()
    b = rig.browser()
    for _ in range(2):
        assert [b.login("w01", WRONG)[0] for _ in range(4)] == [401] * 4
        assert b.login("w01", PIN)[0] == 200


def test_many_tries_at_once_gain_nothing(rig):
    rig.hire("w01")
    rig.serve()
    got = []
    threads = [threading.Thread(target=lambda: got.append(rig.browser().login("w01", WRONG)[0])) for _ in range(30)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(LIMIT)
    assert sorted(set(got)) == [401, 429] and got.count(401) == 5 and len(got) == 30


def test_nothing_is_done_without_cookie_and_token(rig):
    rig.hire("w01")
    rig.hire("w02")
    case = rig.task_case()
    rig.serve()
    b, other = rig.browser("w01"), rig.browser("w02")
    s = b.events()
    b.do(do="next")
    task = s.line("task")
    note = {"do": "note", "case": task["case"], "note": "x"}
    for wrong, status in ((dict(csrf=False), 403), (dict(headers={"X-HF-CSRF": "0" * 64}), 403),
                          (dict(headers={"X-HF-CSRF": other.csrf}), 403), (dict(cookie=False), 401),
                          (dict(headers={"Cookie": "hf_session=" + "0" * 64}), 401),
                          (dict(headers={"Cookie": f"hf_session={b.cookie[:-1]}"}), 401),
                          (dict(headers={"Content-Type": "text/plain"}), 415),
                          (dict(headers={"Sec-Fetch-Site": "cross-site"}), 403)):
        assert b.ask("POST", "/api/do", note, **wrong)[0] == status, wrong
    assert b.ask("POST", "/api/do", raw="x" * 70000)[0] == 413
    for raw in ("{", "[1]", '{"do":"next","do":"next"}', "\0", '{"do":"fly"}', "", " "):
        status, said = b.ask("POST", "/api/do", raw=raw)
        assert (status, said["error"]["code"]) == (200, "unknown-do" if "fly" in raw else "bad-json"), raw
    assert b.ask("GET", "/api/do")[0] == 404 and b.ask("POST", "/api/me", {})[0] == 404
    assert b.ask("GET", "/api/events", cookie=False)[0] == 401
    assert b.ask("GET", "/../etc/passwd")[0] in (400, 404) and b.ask("GET", "/.x.js")[0] == 404
    # a photo: nobody's body is taken before it is known whose it is
    for wrong, status in ((dict(csrf=False), 403), (dict(cookie=False), 401),
                          (dict(headers={"Sec-Fetch-Site": "cross-site"}), 403)):
        with socket.create_connection(("127.0.0.1", rig.port), timeout=LIMIT) as sock:
            head = {"Host": "x", "Content-Length": "10000000", "Cookie": f"hf_session={b.cookie}", "X-HF-CSRF": b.csrf}
            head.update(wrong.get("headers", {}))
            for key, name in (("csrf", "X-HF-CSRF"), ("cookie", "Cookie")):
                if key in wrong:
                    del head[name]
            sock.sendall(f"POST /api/evidence?case={task['case']} HTTP/1.1\r\n".encode() +
                         "".join(f"{k}: {v}\r\n" for k, v in head.items()).encode() + b"\r\n")
            assert sock.recv(100).startswith(f"HTTP/1.1 {status}".encode()), wrong
    png = b"\x89PNG\r\n\x1a\n" + bytes(100000)
    status, said = b.ask("POST", f"/api/evidence?case={task['case']}", raw=png, headers={"Content-Type": "image/png"})
    assert (status, said["evidence"]["size"]) == (200, len(png))
    status, said = other.ask("POST", f"/api/evidence?case={task['case']}", raw=png, headers={"Content-Type": "image/png"})
    assert said["error"]["code"] == "no-key"
    assert b.do(do="evidence", case=task["case"], file="/etc/hostname")[1]["error"]["code"] == "unknown-do"
    # another person's case: not shown, not taken, nothing of it written
    o = other.events()
    assert other.do(do="reveal", case=task["case"], reason="identity")[1]["error"]["code"] == "no-key"
    assert other.do(**dict(note))[1]["error"]["code"] == "no-key"
    assert other.do(do="give-back", token=task["token"])[1]["error"]["code"] == "not-in-hand"
    other.do(do="take", case=task["case"])
    assert o.line("none")["reason"] in ("held", "denied")
    other.do(do="look", what="case", case=task["case"])
    assert o.line("seen")["code"] == "denied"
    assert rig.records() == [] and case.hex() == task["case"]
    assert "林晓雨" not in b"".join(o.raw).decode()


def test_logging_out_gives_back_and_ends_the_streams(rig):
    rig.hire("w01")
    case = rig.task_case()
    rig.serve()
    b, elsewhere = rig.browser("w01"), rig.browser("w01")
    s, e = b.events(), elsewhere.events()
    b.do(do="next")
    s.line("task")
    assert b.ask("POST", "/api/logout", {})[0] == 200 and "Max-Age=0" in b.headers["Set-Cookie"]
    assert s.ended() and b.ask("GET", "/api/me")[0] == 401 and b.do(do="next")[0] == 401
    assert rig.lane("pool") == set()  # the other browser has it still
    assert elsewhere.ask("GET", "/api/me")[0] == 200
    elsewhere.ask("POST", "/api/logout", {})
    assert e.ended()
    wait_for("the case is in the pool again", lambda: rig.lane("pool") == {case}, LIMIT)
    again = rig.browser("w01")
    a = again.events()
    again.do(do="next")
    assert a.line("task")["case"] == case.hex()


def test_the_key_of_drafts_is_handed_out_after_the_login(rig):
    d = rig.hire("w01", roles="caller", team="t1")
    rig.hire("w02", roles="caller", team="t1")
    rig.serve()
    nobody = rig.browser()
    assert nobody.ask("GET", "/api/draft-key")[0] == 401
    first = rig.browser("w01").ask("GET", "/api/draft-key")[1]["key"]
    assert len(bytes.fromhex(first)) == 32 and rig.browser("w02").ask("GET", "/api/draft-key")[1]["key"] != first
    assert (d / "draft.key").stat().st_mode & 0o777 == 0o600
    assert rig.browser("w01").ask("GET", "/api/draft-key")[1]["key"] == first
    rig.kill(rig.office, signal.SIGKILL)
    rig.serve()
    b = rig.browser("w01")
    assert b.ask("GET", "/api/draft-key")[1]["key"] == first and first not in rig.log(rig.office)
    (d / "draft.key").write_text("torn")
    status, said = b.ask("GET", "/api/draft-key")
    assert status == 503 and said["error"]["code"] == "no-disk"


def test_a_browser_that_asks_for_nothing_is_locked(rig):
    rig.hire("w01")
    case = rig.task_case()
    rig.serve("--lock", "1")

    def takes_it():
        """Each request within a second of the one before, or all of it again."""
        try:
            b = rig.browser("w01")
            s = b.events()
            b.do(do="next")
            s.line("task")
        except AssertionError:
            return None
        return b, s

    b, s = wait_for("the case is taken", takes_it, LIMIT)
    wait_for("what a page asks by itself keeps nobody in", lambda: 401 in [
        b.ask("GET", path)[0] for path in ("/api/own", "/api/list/own", "/api/report/my-pay", "/api/reports")], LIMIT)
    assert s.ended()
    assert b.ask("GET", "/api/me")[0] == 401
    wait_for("after as long again the case goes back", lambda: rig.lane("pool") == {case}, LIMIT)


def test_work_goes_on_while_the_broker_is_away(rig):
    rig.hire("w01")
    rig.task_case()
    rig.serve()
    b = rig.browser("w01")
    s = b.events()
    b.do(do="next")
    task = s.line("task")
    rig.kill("broker0")
    s.status(link="down")
    status, said = b.do(**record(task, then="stay", id="0190a0b0-0000-7000-8000-000000000001"))
    assert (status, said["stored"]["seq"]) == (200, 1)
    s.status(stored=1, accepted=0)
    assert b.ask("GET", "/api/own")[1]["error"]["code"] == "unavailable"
    rig.kill(rig.office)
    assert s.ended()
    # the next one lets people in without the broker's word, and at its end waits for what is stored
    office = rig.serve("--linger", "60000")
    assert b.ask("GET", "/api/me")[0] == 401
    b = rig.browser("w01")
    assert b.me["person"] == {"id": "w01", "name": ""}
    s = b.events()
    assert s.status(link="down", stored=1, accepted=0)["inhand"] == []
    office.send_signal(signal.SIGTERM)
    wait_for("no command is taken any more", lambda: b.do(do="next")[0] == 503, LIMIT)
    assert office.poll() is None
    rig.start_broker(0)
    assert office.wait(LIMIT) == 0 and s.ended()
    assert [r[1:] for r in rig.records()] == [(1, 0)]
    rig.serve()
    b = rig.browser("w01")
    assert b.events().status(link="up", accepted=1)["inhand"] == []
    status, said = b.do(**record(task, then="stay", id="0190a0b0-0000-7000-8000-000000000001"))
    assert (status, said["stored"]["seq"]) == (200, 1)
    assert len(rig.records()) == 1


def test_a_case_in_hand_outlives_the_office(rig):
    rig.hire("w01")
    rig.task_case()
    rig.serve()
    b = rig.browser("w01")
    s = b.events()
    b.do(do="next")
    task = s.line("task")
    rig.kill(rig.office)
    rig.serve()
    b = rig.browser("w01")
    s = b.events()
    again = s.line("task")
    assert {k: again[k] for k in ("case", "token", "name", "numbers")} == \
        {k: task[k] for k in ("case", "token", "name", "numbers")}
    assert b.do(**record(task, note="断电前打过"))[0] == 200
    assert s.line("accepted")["verdict"] == "effective"


def descriptors(process):
    try:
        return len(os.listdir(f"/proc/{process.pid}/fd"))
    except PermissionError:
        pytest.skip("the office hides its descriptors from its own user; root may count them")


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat") as f:
        after = f.read().rpartition(")")[2].split()
    return (int(after[11]) + int(after[12])) / os.sysconf("SC_CLK_TCK")


def bare_stream(browser):
    """A stream whose reader reads no further than its first status."""
    sock = socket.create_connection(("127.0.0.1", browser.office.port), timeout=LIMIT)
    sock.sendall(f"GET /api/events HTTP/1.1\r\nHost: x\r\nCookie: hf_session={browser.cookie}\r\n\r\n".encode())
    came = b""
    while b"event: status" not in came:
        came += sock.recv(65536)
    return sock


def test_a_directory_that_is_in_use_or_damaged_is_that_persons_alone(rig):
    one, two = rig.hire("w01"), rig.hire("w02")
    (rig.dir / "pin").write_text(PIN)
    lines = rig.caller(one, "--pin-file", rig.dir / "pin")
    lines.say(do="next")
    assert lines.hear("none")["reason"] == "empty"
    rig.serve()
    b = rig.browser("w02")
    status, said = b.login("w01", PIN)
    assert (status, said["error"]["code"]) == (503, "busy")
    lines.close()
    assert b.login("w01", PIN)[0] == 200
    rig.kill(rig.office)
    (segment,) = (two / "outbox").glob("*.seg")
    segment.write_bytes(b"damaged" + segment.read_bytes()[7:])
    rig.serve()
    b = rig.browser("w02")
    error = b.events().line("error")
    assert error["code"] == "outbox-quarantined" and "outbox.quarantined" in rig.log(rig.office)


def test_streams_that_vanish_leave_nothing_behind(rig):
    people = [f"w{n:02}" for n in range(6)]
    for p in people:
        rig.hire(p)
    office = rig.serve()
    browsers = [rig.browser(p) for p in people]
    for b in browsers:
        wait_for("the broker is reached", lambda b=b: "role" in b.ask("GET", "/api/me")[1]["person"], LIMIT)
    before = descriptors(office)
    streams = [bare_stream(b) for b in browsers for _ in range(8)]
    assert descriptors(office) >= before + 40  # 48, and the connections of before have gone
    for n, s in enumerate(streams):
        if n % 2:  # without a word: a reset instead of an end
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    wait_for("all descriptors are given back", lambda: descriptors(office) <= before, LIMIT)
    first = browsers[0].events()
    first.status()
    used = cpu_seconds(office)
    wait_for("a heartbeat", lambda: b":\n" in first.raw, LIMIT)
    # nothing spins on what is gone: between two heartbeats the office has next to nothing to do
    assert cpu_seconds(office) - used < 1.0
    more = [browsers[0].events() for _ in range(8)]
    assert first.ended()  # the ninth makes the first one go
    more[-1].status()
    assert browsers[0].do(do="next") == (202, {})
    assert more[-1].line("none")["reason"] == "empty"


def test_own_cases_and_the_words_of_the_policy(rig):
    rig.hire("w01")
    mine = rig.task_case(lane="own:w01:due", owner="w01", due=1795518000000)
    rig.serve()
    b = rig.browser("w01")
    status, said = b.ask("GET", "/api/own")
    assert status == 200 and said["asof"].endswith("+08:00")
    assert said["rows"] == [{"case": mine.hex(), "name": "林晓雨", "no": "2611350199000012", "major": "护理",
                             "class": "due", "class_text": "到点", "due": "2026-11-24T19:00:00+08:00",
                             "lane": "own:w01:due", "version": 1, "why": "new"}]
    status, said = b.ask("GET", "/api/campaign")
    assert (status, said["title"]) == (200, "c1")
    outcome = {o["code"]: o for o in said["outcomes"]}
    assert outcome["no-answer"]["text"] == "没人接" and not outcome["no-answer"]["final"]
    assert outcome["confirmed"]["final"] and outcome["confirmed"]["needs"] == ["ticks", "script", "spoke"]
    assert {"n": 4, "text": "查同校考生", "who": "本人"} in said["rungs"]
    assert said["script"]["version"] == "v1" and len(said["script"]["text"]) == 7  # no stage yet: all of them
    assert {"code": "fees", "text": "学费"} in said["concerns"]


def test_pages_are_served_with_safe_headers(rig):
    share = rig.dir / "share" / "office"
    share.mkdir(parents=True)
    rig.hire("w01")
    rig.more_env["HF_SHARE"] = rig.dir / "share"
    rig.serve()
    b = rig.browser()
    status, page = b.ask("GET", "/")
    assert status == 200 and "页面还没有装上" in page and b.ask("GET", "/app.js")[0] == 404
    rig.kill(rig.office)
    (share / "index.html").write_text("<!doctype html><title>回访</title>")
    (share / "app.js").write_text("'use strict';")
    rig.serve("--policy", ROOT / "deploy" / "policy" / "default.policy", "--behind-tls")
    assert b.ask("GET", "/") == (200, "<!doctype html><title>回访</title>")
    assert b.headers["Cache-Control"] == "no-cache" and b.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in b.headers["Content-Security-Policy"]
    assert b.headers["Referrer-Policy"] == "no-referrer"
    assert b.ask("GET", "/app.js")[0] == 200 and b.headers["Content-Type"].startswith("text/javascript")
    assert b.ask("GET", "/app.css")[0] == 404
    b.login("w01", PIN)
    assert b.set_cookie.endswith("; Secure")


def test_it_listens_on_this_machine_only(rig):
    for address in ("0.0.0.0:8380", "10.1.2.3:8380", "127.0.0.1", "localhost:8380", "128.0.0.1:1"):
        r = subprocess.run([str(BIN / "hf-caller"), "--office", "--agents", str(rig.dir / "agents"), "--listen", address],
                           env=rig.env(), capture_output=True, text=True, timeout=LIMIT, check=False)
        assert r.returncode == 64 and "--behind-tls" in r.stderr, address
    r = subprocess.run([str(BIN / "hf-caller"), "--office", "--agents", str(rig.dir / "nowhere")], env=rig.env(),
                       capture_output=True, text=True, timeout=LIMIT, check=False)
    assert r.returncode in (66, 74) and "nowhere" in r.stderr
