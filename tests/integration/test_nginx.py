"""The office behind a real nginx with deploy/nginx/huifang.conf: TLS 1.3, the cookie for TLS only, streams that come at once."""
import http.client
import json
import re
import socket
import ssl
import subprocess

import pytest
from caller_rig import wait_for
from office_rig import LIMIT, PIN, Office
from stack import ROOT


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Nginx:
    """The shipped configuration on ports and paths of our own."""

    def __init__(self, rig, office_port):
        d = rig.dir / "nginx"
        d.mkdir()
        self.tls, self.plain = free_port(), free_port()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout",
                        d / "key.pem", "-out", d / "cert.pem"], check=True, capture_output=True)
        conf = (ROOT / "deploy/nginx/huifang.conf").read_text()
        for was, is_now in ((r"listen 443 ", f"listen 127.0.0.1:{self.tls} "), (r"listen 80;", f"listen 127.0.0.1:{self.plain};"),
                            (r"/etc/nginx/huifang\.pem", str(d / "cert.pem")), (r"/etc/nginx/huifang\.key", str(d / "key.pem")),
                            (r"127\.0\.0\.1:8380", f"127.0.0.1:{office_port}")):
            conf, n = re.subn(was, is_now, conf)
            assert n > 0, was
        temp = "".join(f"{kind}_temp_path {d}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (d / "nginx.conf").write_text(f"daemon off; master_process off; pid {d}/pid; error_log {d}/error.log;\nevents {{}}\n"
                                      f"http {{ access_log off;\n{temp}{conf}}}\n")
        argv = ["/usr/sbin/nginx", "-p", d, "-e", d / "error.log", "-c", d / "nginx.conf"]
        subprocess.run([*argv, "-t"], check=True, capture_output=True)
        self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.context = ssl.create_default_context(cafile=str(d / "cert.pem"))
        self.context.check_hostname = False
        wait_for("nginx listens", self.listens, LIMIT)

    def listens(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.tls)) == 0

    def ask(self, method, path, body=None, cookie=None):
        conn = http.client.HTTPSConnection("127.0.0.1", self.tls, timeout=LIMIT, context=self.context)
        headers = {"Host": "huifang.example.edu.cn", "Content-Type": "application/json"}
        if cookie:
            headers["Cookie"] = cookie
        conn.request(method, path, body and json.dumps(body), headers)
        return conn, conn.getresponse()

    def close(self):
        self.process.terminate()
        self.process.wait(LIMIT)


@pytest.fixture(name="rig")
def _rig():
    r = Office()
    try:
        yield r
    finally:
        r.close()


def test_a_person_logs_in_and_hears_through_nginx(rig):
    rig.hire("w01", roles="caller", team="t1")
    rig.serve("--behind-tls")
    nginx = Nginx(rig, rig.port)
    try:
        assert nginx.context.wrap_socket(socket.create_connection(("127.0.0.1", nginx.tls))).version() == "TLSv1.3"
        conn, answer = nginx.ask("GET", "/")
        assert answer.status == 200 and "max-age" in answer.getheader("Strict-Transport-Security")
        assert "default-src" in answer.getheader("Content-Security-Policy")
        conn.close()
        conn, answer = nginx.ask("POST", "/api/login", {"person": "w01", "pin": PIN})
        assert answer.status == 200, answer.read()
        cookie = answer.getheader("Set-Cookie")
        assert "; Secure" in cookie and "HttpOnly" in cookie
        conn.close()
        conn, answer = nginx.ask("GET", "/api/events", cookie=cookie.split(";")[0])
        assert answer.getheader("Content-Type") == "text/event-stream"
        for line in answer:  # comes while the stream is open, or this waits in vain
            if line.startswith(b"data: ") and b'"link":"up"' in line:
                break
        conn.close()
        plain = http.client.HTTPConnection("127.0.0.1", nginx.plain, timeout=LIMIT)
        plain.request("GET", "/", headers={"Host": "huifang.example.edu.cn"})
        assert (r := plain.getresponse()).status == 301 and r.getheader("Location").startswith("https://")
        plain.close()
    finally:
        nginx.close()
