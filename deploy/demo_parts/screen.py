"""A caller's screen at the end of the demo: one of the callers, with a PIN, over the campaign that has just happened."""
import http.cookiejar
import json
import os
import select
import socket
import subprocess
import time
import urllib.request

PERSON = "p01"


class Screen:
    def __init__(self, root, home, ctl, env):
        (home / "screen").mkdir()
        os.rename(home / "agents" / PERSON, home / "screen" / PERSON)     # its own process has ended
        said = ctl("--json", "person", "reset-pin", "--person", PERSON, "--out", home / "screen" / PERSON)
        self.pin = json.loads(said)["pin"]
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{s.getsockname()[1]}"
        with open(home / "screen.log", "ab") as log:
            self.p = subprocess.Popen([str(root / "build/bin/hf-caller"), "--office", "--agents", str(home / "screen"),
                                       "--listen", self.address], env=env, stdin=subprocess.DEVNULL, stdout=log,
                                      stderr=log, start_new_session=True)
        self.pid_file = home / "screen.pid"
        self.pid_file.write_text(f"{self.p.pid}\n")
        self.browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def ask(self, path, body=None):
        request = urllib.request.Request(f"http://{self.address}{path}", json.dumps(body).encode() if body else None,
                                         {"Content-Type": "application/json"} if body else {})
        return self.browser.open(request, timeout=10).read().decode()

    def works(self):
        """The page comes, the PIN opens it, and the own list has the cases of that person."""
        end = time.monotonic() + 30
        while True:
            try:
                page = self.ask("/")
                self.ask("/api/login", {"person": PERSON, "pin": self.pin})
                return "app.js" in page and len(json.loads(self.ask("/api/own"))["rows"]) > 0
            except OSError:
                if time.monotonic() > end or self.p.poll() is not None:
                    return False
                select.select([], [], [], 0.1)

    def end(self):
        self.p.terminate()
        self.p.wait(20)
        self.pid_file.unlink()
