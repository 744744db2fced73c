"""Browsers of hf-caller --office: what each is told, and what it may do."""
import http.client
import json
import queue
import re
import signal
import socket
import threading
import time

from caller_rig import CallerRig

LIMIT = 40.0
PIN = "482913"
WRONG = "000000"


class Stream:
    """One event stream; what comes is read by a thread, and taken in order."""

    def __init__(self, port, cookie):
        self.q, self.ids, self.raw = queue.Queue(), [], []
        self.conn = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
        self.conn.request("GET", "/api/events", headers={"Cookie": f"hf_session={cookie}"})
        self.sock = self.conn.sock
        self.answer = self.conn.getresponse()
        assert self.answer.status == 200 and self.answer.getheader("Content-Type") == "text/event-stream"
        self.sock.settimeout(None)  # a stream may be silent as long as it likes; until() has the limits
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        event = {}
        try:
            for line in self.answer:
                self.raw.append(line)
                key, _, value = line.decode().rstrip("\n").partition(": ")
                if key == "" and event.get("event"):
                    self.ids.append(int(event["id"]))
                    self.q.put((event["event"], json.loads(event["data"])))
                    event = {}
                elif key in ("id", "event", "data"):
                    event[key] = value
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass
        self.q.put(None)

    def until(self, what, found):
        """The first (event, object) for which found() is true."""
        end, seen = time.monotonic() + LIMIT, []
        while True:
            try:
                got = self.q.get(timeout=max(end - time.monotonic(), 0.001))
            except queue.Empty:
                raise AssertionError(f"no {what}; came {seen[-6:]}") from None
            assert got is not None, f"the stream ended before {what}; came {seen[-6:]}"
            if found(*got):
                return got[1]
            seen.append(got)

    def line(self, kind):
        return self.until(kind, lambda event, o: event == "line" and kind in o)[kind]

    def status(self, **wanted):
        return self.until(f"status {wanted}", lambda event, o: event == "status" and
                          all(o[k] == v for k, v in wanted.items()))

    def ended(self):
        """Whether it ended, with what came before."""
        end = time.monotonic() + LIMIT
        while self.q.get(timeout=max(end - time.monotonic(), 0.001)) is not None:
            pass
        return True

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(LIMIT)
        self.answer.close()
        self.conn.close()
        self.sock.close()


class Browser:
    """One browser: its cookie and its CSRF token."""

    def __init__(self, office, person=None, pin=PIN):
        self.office, self.cookie, self.csrf, self.streams = office, None, None, []
        if person is not None:
            status, said = self.login(person, pin)
            assert status == 200, said
            self.me = said

    def ask(self, method, path, body=None, headers=None, csrf=True, cookie=True, raw=None):
        conn = http.client.HTTPConnection("127.0.0.1", self.office.port, timeout=LIMIT)
        h = {"Content-Type": "application/json"} if method == "POST" else {}
        if cookie and self.cookie:
            h["Cookie"] = f"hf_session={self.cookie}"
        if csrf and self.csrf and method == "POST":
            h["X-HF-CSRF"] = self.csrf
        h.update(headers or {})
        data = raw if raw is not None else json.dumps(body) if body is not None else None
        conn.request(method, path, data, h)
        r = conn.getresponse()
        text = r.read()
        self.headers = dict(r.getheaders())
        conn.close()
        kind = r.getheader("Content-Type") or ""
        return r.status, json.loads(text) if kind.startswith("application/json") else text.decode()

    def login(self, person, pin):
        status, said = self.ask("POST", "/api/login", {"person": person, "pin": pin})
        if status == 200:
            self.set_cookie = self.headers["Set-Cookie"]
            self.cookie = self.set_cookie.split(";")[0].partition("=")[2]
            self.csrf = said["csrf"]
        return status, said

    def do(self, **what):
        return self.ask("POST", "/api/do", what)

    def events(self):
        s = Stream(self.office.port, self.cookie)
        self.streams.append(s)
        return s

    def close(self):
        for s in self.streams:
            s.close()


class Office(CallerRig):
    def __init__(self, **how):
        super().__init__(**how)
        self.browsers, self.port, self.n, self.office, self.more_env = [], None, 0, None, {}
        (self.dir / "agents").mkdir()

    def hire(self, name, pin=PIN, **how):
        return self.enrolled(name, pin=pin, where=f"agents/{name}", **how)

    def serve(self, *args):
        self.n += 1
        self.office = f"office{self.n}"
        p = self.daemon(self.office, "--office", "--agents", self.dir / "agents", "--listen", "127.0.0.1:0",
                        "--linger", "0", *args, program="hf-caller", **self.more_env)
        self.port = int(re.search(r"event=start port=(\d+)", self.log(self.office)).group(1))
        return p

    def browser(self, *who):
        b = Browser(self, *who)
        self.browsers.append(b)
        return b

    def close(self):
        """An office that still runs must end well: with streams open, and seats taken."""
        p = self.procs.get(self.office)
        try:
            if p is not None and p.poll() is None:
                assert self.kill(self.office, signal.SIGTERM) == 0, self.log(self.office)
        finally:
            for b in self.browsers:
                b.close()
            super().close()
