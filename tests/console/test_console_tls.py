"""Behind a TLS proxy that is really one: which cookie is set, what browsers are told, whose address is counted.

The proxy of the tests does what `deploy/nginx-console.conf` does, which was tried by hand with nginx.
"""

from __future__ import annotations

import http.client
import re
import socket
import socketserver
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
import uvicorn
from console_cases import PASSWORD, House

from scheduler.console.server import behind_proxies

CERTIFICATE = Path(__file__).parents[1] / "notifications" / "data" / "peer-for-tests-only.pem"
NAME = "console.hospital.example"
ELSEWHERE = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"  # a browser's address


class _Terminator(socketserver.ThreadingTCPServer):
    """Takes TLS, says where each request came from, and hands it on in plain HTTP."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, behind: int) -> None:
        self.behind = behind
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(CERTIFICATE)
        super().__init__(("127.0.0.1", 0), _Connection)


class _Connection(socketserver.BaseRequestHandler):
    server: _Terminator

    def handle(self) -> None:
        with self.server.context.wrap_socket(self.request, server_side=True) as browser:
            asked = b""
            while b"\r\n\r\n" not in asked:
                asked += browser.recv(65536)
            head, _, rest = asked.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            while length is not None and len(rest) < int(length[1]):
                rest += browser.recv(65536)
            lines = [
                one
                for one in head.split(b"\r\n")
                if not one.lower().startswith((b"x-forwarded", b"connection"))
            ]
            address = self.client_address[0].encode()
            lines += [b"X-Forwarded-For: " + address, b"X-Forwarded-Proto: https", b"Connection: close"]
            with socket.create_connection(("127.0.0.1", self.server.behind)) as console:
                console.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + rest)
                while piece := console.recv(65536):
                    browser.sendall(piece)
            with suppress(OSError):
                browser.unwrap()


@contextmanager
def _served(house: House) -> Iterator[int]:
    """The console on a port of this machine, as `mpa-monitor web` serves it."""
    assert house.app is not None
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()  # whoever comes before it is up waits
        app = behind_proxies(house.app, house.settings.console)
        config = uvicorn.Config(app, log_config=None, lifespan="off", access_log=False, proxy_headers=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        try:
            yield door.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)


@dataclass
class Behind:
    """The console's own port, and that of the proxy before it."""

    house: House
    plain: int
    secure: int

    def ask(self, path: str, form: dict[str, str] | None = None, **headers: str) -> http.client.HTTPResponse:
        """What a browser at another address gets by way of the proxy, whose certificate it checks."""
        trusting = ssl.create_default_context(cafile=str(CERTIFICATE))
        trusting.check_hostname = False  # the certificate of the tests is for another name
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.secure, context=trusting, source_address=(ELSEWHERE, 0), timeout=20
        )
        return _answer(connection, path, form, headers)

    def ask_directly(
        self, path: str, form: dict[str, str] | None = None, **headers: str
    ) -> http.client.HTTPResponse:
        """What somebody gets who goes past the proxy, from an address that is none of a proxy."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.plain, source_address=(ELSEWHERE, 0), timeout=20
        )
        return _answer(connection, path, form, headers)


def _answer(
    connection: http.client.HTTPConnection, path: str, form: dict[str, str] | None, headers: dict[str, str]
) -> http.client.HTTPResponse:
    with closing(connection):
        every = {"Host": NAME, "Sec-Fetch-Site": "same-origin", **headers}
        if form is not None:
            every["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("POST" if form is not None else "GET", path, urlencode(form or {}), every)
        answer = connection.getresponse()
        answer.read()
        return answer


@pytest.fixture
def behind(house: House) -> Iterator[Behind]:
    """The console as set up for a proxy on this machine."""
    house.account()
    made = house.with_console(url=f"https://{NAME}", trusted_proxies=["127.0.0.1"])
    with _served(made) as plain, _Terminator(plain) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield Behind(made, plain, proxy.server_address[1])
        finally:
            proxy.shutdown()
            thread.join(20)


def _addresses(behind: Behind) -> list[str]:
    return [row.detail["address"] for row in behind.house.audited("sign_in_failed")]


def test_a_sign_in_through_the_proxy_is_kept_in_a_cookie_of_this_host_only(behind: Behind) -> None:
    signed_in = behind.ask("/login", {"account": "marie", "password": PASSWORD})
    assert (signed_in.status, signed_in.getheader("location")) == (303, "/")
    cookie = signed_in.getheader("set-cookie") or ""
    name, *marks = cookie.split("; ")
    assert name.startswith("__Host-mpa=") and set(marks) == {
        "HttpOnly",
        "Path=/",
        "SameSite=strict",
        "Secure",
    }
    assert signed_in.getheader("strict-transport-security") == "max-age=31536000"
    assert behind.ask("/", Cookie=name).status == 200
    assert behind.ask("/", Cookie=name.replace("__Host-mpa", "mpa-loopback")).status == 303


def test_the_address_of_the_browser_is_counted_and_not_what_it_says(behind: Behind) -> None:
    wrong = {"account": "marie", "password": "wrong"}
    forged = {"X-Forwarded-For": "203.0.113.66"}
    assert [behind.ask("/login", wrong, **forged).status for _ in range(6)] == [401] * 5 + [429]
    assert _addresses(behind) == [ELSEWHERE] * 5


@pytest.mark.skipif(ELSEWHERE == "127.0.0.1", reason="this machine has one loopback address")
def test_past_the_proxy_nothing_is_believed(behind: Behind) -> None:
    forged = {"X-Forwarded-For": "203.0.113.66", "X-Forwarded-Proto": "https"}
    assert behind.ask_directly("/login", **forged).status == 400  # plain HTTP is not the console's address
    local = {**forged, "Host": f"127.0.0.1:{behind.plain}"}
    answer = behind.ask_directly("/login", {"account": "marie", "password": "wrong"}, **local)
    assert answer.status == 401 and answer.getheader("strict-transport-security") is None
    assert _addresses(behind) == [ELSEWHERE]


def test_a_form_from_another_host_is_refused_behind_the_proxy_too(behind: Behind) -> None:
    form = {"account": "marie", "password": PASSWORD}
    assert behind.ask("/login", form, **{"Sec-Fetch-Site": "cross-site"}).status == 403
    assert behind.ask("/login", Host="evil.example").status == 400
