"""A proxy for tests: it opens tunnels (CONNECT), to whatever it is told a name stands for.

    with Proxy(names={'db.test': '127.0.0.1'}, login='user:password') as proxy:
        ... the program uses proxy.url ...
        proxy.asked                     # ['CONNECT db.test:5432', ...]

refuse=403 refuses every tunnel. tls=True makes it an https:// proxy; clients find its certificate in
ca_file. Requests for http:// addresses are passed on as well.
"""
from __future__ import annotations

import base64
import select
import socket
import ssl
import tempfile
import threading
from contextlib import suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tls import make_certificate


class Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, names: dict[str, str] | None = None, login: str = '', refuse: int = 0,
                 tls: bool = False) -> None:
        super().__init__(('127.0.0.1', 0), Forwarder)
        self.names, self.login, self.refuse, self.tls = names or {}, login, refuse, tls
        self.asked: list[str] = []
        self.headers: list[str] = []
        self.open_tunnels = 0
        self._lock = threading.Lock()
        self._folder: tempfile.TemporaryDirectory | None = None
        self.ca_file: Path | None = None
        if tls:
            self._folder = tempfile.TemporaryDirectory(prefix='bp-proxy-')
            self.ca_file, key = make_certificate(Path(self._folder.name))
            self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._context.load_cert_chain(self.ca_file, key)

    @property
    def address(self) -> str:
        return f'127.0.0.1:{self.server_address[1]}'

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://{self.address}"

    @property
    def url_with_login(self) -> str:
        return self.url.replace('://', f'://{self.login}@')

    def __enter__(self) -> 'Proxy':
        threading.Thread(target=self.serve_forever, kwargs={'poll_interval': 0.05},
                         daemon=True).start()
        return self

    def __exit__(self, *exc) -> None:
        self.shutdown()
        self.server_close()
        if self._folder is not None:
            self._folder.cleanup()

    def finish_request(self, request, client_address) -> None:
        with suppress(OSError):         # a client that went away
            if self.tls:
                with self._context.wrap_socket(request, server_side=True) as wrapped:
                    super().finish_request(wrapped, client_address)
            else:
                super().finish_request(request, client_address)

    def note(self, line: str, headers: list[str]) -> None:
        with self._lock:
            self.asked.append(line)
            self.headers.extend(headers)

    def count(self, change: int) -> None:
        with self._lock:
            self.open_tunnels += change


class Forwarder(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = 'HTTP/1.1'
    wbufsize = -1

    def log_message(self, *args) -> None:
        """A test wants no lines on stderr."""

    def may_pass(self) -> bool:
        self.server.note(f'{self.command} {self.path}',
                         [str(value) for value in self.headers.values()])
        wanted = 'Basic ' + base64.b64encode(self.server.login.encode()).decode()
        if self.server.login and self.headers.get('Proxy-Authorization') != wanted:
            self.refuse(407)
        elif self.server.refuse:
            self.refuse(self.server.refuse)
        else:
            return True
        return False

    def refuse(self, status: int) -> None:
        self.send_response(status)
        if status == 407:
            self.send_header('Proxy-Authenticate', 'Basic realm="proxy"')
        self.send_header('Content-Length', '0')
        self.end_headers()

    def do_CONNECT(self) -> None:
        if not self.may_pass():
            return
        self.close_connection = True
        host, _, port = self.path.rpartition(':')
        try:
            server = socket.create_connection((self.server.names.get(host, host), int(port)), 10)
        except OSError:
            self.refuse(502)
            return
        self.server.count(1)
        try:
            with server:
                self.wfile.write(b'HTTP/1.1 200 Connection established\r\n\r\n')
                self.wfile.flush()
                self.pass_on(server)
        finally:
            self.server.count(-1)

    def pass_on(self, server: socket.socket) -> None:
        ends = {server: self.connection, self.connection: server}
        while True:
            # TLS may have taken more from the wire than was read.
            left = getattr(self.connection, 'pending', lambda: 0)()
            for end in [self.connection] if left else select.select(list(ends), [], [])[0]:
                data = end.recv(65536)
                if not data:
                    return
                ends[end].sendall(data)

    def forward(self) -> None:
        if not self.may_pass():
            return
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        server = HTTPConnection(url.hostname, url.port, timeout=10)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in
                       ('proxy-connection', 'proxy-authorization', 'connection', 'content-length')}
            target = url.path + (f'?{url.query}' if url.query else '')
            server.request(self.command, target, body or None, headers)
            answer = server.getresponse()
            content = answer.read()
        finally:
            server.close()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in ('connection', 'content-length', 'transfer-encoding'):
                self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = forward
