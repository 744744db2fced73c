"""Rung 1 through the college's gateway, against a small HTTP server that fails, is slow, answers rubbish, refuses:
one key a message, one record, nothing told that the message is not, and the owner's phone when it does not work."""
import http.server
import json
import ssl
import subprocess
import threading

import pytest

from router_rig import MONDAY, Rig, at
from stack import BIN, wait_for

LATE = 30


class Gateway:
    """Each POST takes the next of `answers`, the last one for ever: (status, text), or an event that it waits for."""

    def __init__(self, *answers, tls=None):
        self.answers, self.posts, self.lock = list(answers), [], threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    outer.posts.append((dict(self.headers), json.loads(body)))
                    answer = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                if isinstance(answer, threading.Event):
                    answer.wait(LATE)
                    answer = (200, '{"accepted": true}')
                try:
                    self.send_response(answer[0])
                    self.send_header("Content-Length", str(len(answer[1].encode())))
                    self.end_headers()
                    self.wfile.write(answer[1].encode())
                except OSError:
                    pass  # the other side went

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        scheme = "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self.server.server_address[1]}/messages"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def conf(rig, **more):
    keys = {"gateway_timeout": 20000, "gateway_again": 100, **more}
    (rig.dir / "router.conf").write_text("".join(
        f'{k} = {v}\n' if isinstance(v, int) else f'{k} = "{v}"\n' for k, v in keys.items()))


@pytest.fixture()
def rig():
    with Rig() as r:
        r.gateways = []
        (r.dir / "secrets" / "gateway").write_text("a-secret-word\n")
        yield r
        for g in r.gateways:
            g.close()


def begin(rig, *answers, tls=None, **more):
    """A router with this gateway, and ann's case in hand."""
    gateway = Gateway(*answers, tls=tls)
    rig.gateways.append(gateway)
    conf(rig, gateway_sms=gateway.url, **more)
    rig.start()
    rig.ready()
    rig.person("ann")
    rig.roster(1, numbers=2)
    rig.say("STAGE", fields={"n": 2, "open": 1})
    rig.say("PASS", fields={"n": 1, "open": 1, "until": at("6 21:00")})
    rig.say("RELEASE", fields={"count": 0, "seed": 7})
    wait_for("released", lambda: rig.lane_size("pool") == 1)
    rig.clock(MONDAY)
    return gateway, wait_for("a case", lambda: isinstance(x := rig.next("ann"), tuple) and x)


def told(rig):
    return [h["fields"] for _, h in rig.records("MESSAGE")]


def test_one_message_by_one_key_whatever_the_gateway_does(rig):
    slow = threading.Event()
    gateway, lease = begin(rig, (500, "oops"), (200, "<html>welcome</html>"), (200, "{}"), slow,
                           (202, '{"accepted": true, "id": "7"}'), gateway_timeout=2500)
    case = lease[0]
    rig.attempt("ann", lease, "no-answer")
    said, = wait_for("the record", lambda: told(rig), LATE)
    slow.set()
    assert (said["rung"], said["verdict"], said["count"], said["channel"]) == (1, "sent", 5, "sms")
    assert said["number"] == rig.number(case)
    posts = list(gateway.posts)
    assert len(posts) == 5
    assert len({h["Idempotency-Key"] for h, _ in posts}) == 1
    digits = f"1990000{(list(rig.case_keys).index(case) + 1) * 10:04d}"  # the one that was dialled
    for headers, body in posts:
        assert headers["Authorization"] == "Bearer a-secret-word"
        assert sorted(body) == ["text", "to"] and body["to"] == digits and body["text"].startswith("样本同学你好")
    assert "{" not in posts[0][1]["text"]
    # Nothing of it is in a log, and there is no second one, not of another attempt either.
    text = (rig.logs / "hf-router.log").read_text()
    assert digits not in text and "样本" not in text and "a-secret-word" not in text and gateway.url not in text
    rig.clock(MONDAY + 3 * 3_600_000)
    lease = wait_for("the case again", lambda: isinstance(x := rig.next("ann"), tuple) and x, LATE)
    rig.attempt("ann", lease, "no-answer", number=rig.number(case, 1))
    rig.placed(case, "own:ann:retry")
    rig.kill("hf-router")
    rig.start()
    rig.ready()
    assert len(told(rig)) == 1 and len(gateway.posts) == 5


def test_an_answer_that_a_crash_swallowed_is_asked_for_again_by_the_same_key(rig):
    held = threading.Event()
    gateway, lease = begin(rig, held, (200, '{"accepted": true}'), gateway_timeout=60000)
    rig.attempt("ann", lease, "powered-off")
    wait_for("the first post", lambda: gateway.posts, LATE)
    rig.kill("hf-router")
    held.set()
    assert told(rig) == []
    rig.start()
    said, = wait_for("the record", lambda: told(rig), LATE)
    assert said["verdict"] == "sent" and len(gateway.posts) == 2
    assert len({h["Idempotency-Key"] for h, _ in gateway.posts}) == 1


@pytest.mark.parametrize("answer,verdict,tries", (
    ((422, '{"accepted": false, "why": "blocked"}'), "refused", 1), ((503, ""), "failed", 3)))
def test_what_it_does_not_take_is_left_to_the_owners_phone(rig, answer, verdict, tries):
    gateway, lease = begin(rig, answer, gateway_tries=3)
    rig.attempt("ann", lease, "no-answer")
    said, = wait_for("the record", lambda: told(rig), LATE)
    assert (said["verdict"], said["count"], len(gateway.posts)) == (verdict, tries, tries)
    rig.kill("hf-router")
    rig.start()
    rig.ready()
    assert len(told(rig)) == 1 and len(gateway.posts) == tries  # it is in the case's memory


def test_nothing_is_sent_outside_the_hours(rig):
    gateway, lease = begin(rig, (200, '{"accepted": true}'))
    rig.clock(at("2 21:40"))
    rig.attempt("ann", lease, "no-answer")
    rig.placed(lease[0], "own:ann:promise", why="other-number")
    seen = len(rig.redis.xrange(rig.key("log")))
    wait_for("the router goes on", lambda: rig.person("bob") is None and len(rig.redis.xrange(rig.key("log"))) > seen)
    assert gateway.posts == [] and told(rig) == []
    rig.clock(at("3 08:40"))
    wait_for("in the morning", lambda: told(rig), LATE)


def test_certificates_are_checked(rig, tmp_path):
    crt, key = tmp_path / "crt.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", crt, "-days", "30",
                    "-subj", "/CN=gateway", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    gateway, lease = begin(rig, (200, '{"accepted": true}'), tls=(str(crt), str(key)))
    rig.attempt("ann", lease, "no-answer")
    wait_for("it is not believed", lambda: "message.silent" in rig.log("hf-router"), LATE)
    assert gateway.posts == [] and told(rig) == []
    rig.kill("hf-router")
    conf(rig, gateway_sms=gateway.url, gateway_ca=str(crt))
    rig.start()
    said, = wait_for("the record", lambda: told(rig), LATE)
    assert said["verdict"] == "sent" and len(gateway.posts) == 1


def test_an_address_in_the_clear_or_on_a_command_line_is_refused(rig):
    for text, words in (('gateway_sms = "http://sms.example/x"\n', "gateway_sms"),
                        ('gateway_im = "http://127.0.0.1@elsewhere.example/"\n', "gateway_im")):
        (rig.dir / "router.conf").write_text(text)
        r = subprocess.run([BIN / "hf-router"], env=rig.env(), capture_output=True, text=True, timeout=LATE)
        assert r.returncode == 78 and words in r.stdout + r.stderr and "example" not in r.stdout + r.stderr
    r = subprocess.run([BIN / "hf-router", "--set", "gateway_sms=https://x.example", "--check-config"], env=rig.env(),
                       capture_output=True, text=True, timeout=LATE)
    assert r.returncode == 78 and "router.conf" in r.stderr
