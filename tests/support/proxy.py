"""A proxy for tests: it opens tunnels (CONNECT), to whatever it is told a name stands for.

    with Proxy(names={'db.test': '127.0.0.1'}, login='user:password') as proxy:
        ... the program uses proxy.url ...
        proxy.asked                     # ['CONNECT db.test:5432', ...]

refuse=403 refuses every tunnel. tls=True makes it an https:// proxy; clients find its certificate in
ca_file. Requests for http:// addresses are passed on as well. SocksProxy is the same as a SOCKS5 server
(RFC 1928, RFC 1929): its refuse is a reply, such as 2, "not allowed".
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
from socketserver import StreamRequestHandler
from urllib.parse import urlsplit

from tls import make_certificate


class Proxy(ThreadingHTTPServer):
    daemon_threads = True
    handler: type[StreamRequestHandler]         # set below

    def __init__(self, names: dict[str, str] | None = None, login: str = '', refuse: int = 0,
                 tls: bool = False) -> None:
        super().__init__(('127.0.0.1', 0), self.handler)
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

    def connect(self, host: str, port: int) -> socket.socket:
        return socket.create_connection((self.names.get(host, host), port), 10)

    def lead(self, client: socket.socket, server: socket.socket) -> None:
        """Pass on what either end sends, until one of them ends."""
        with self._lock:
            self.open_tunnels += 1
        try:
            with server:
                pass_on(client, server)
        finally:
            with self._lock:
                self.open_tunnels -= 1


def pass_on(client: socket.socket, server: socket.socket) -> None:
    ends = {server: client, client: server}
    while True:
        # TLS may have taken more from the wire than was read.
        left = getattr(client, 'pending', lambda: 0)()
        for end in [client] if left else select.select(list(ends), [], [])[0]:
            data = end.recv(65536)
            if not data:
                return
            ends[end].sendall(data)


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
            server = self.server.connect(host, int(port))
        except OSError:
            self.refuse(502)
            return
        self.wfile.write(b'HTTP/1.1 200 Connection established\r\n\r\n')
        self.wfile.flush()
        self.server.lead(self.connection, server)

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


Proxy.handler = Forwarder


class Socks(StreamRequestHandler):
    server: 'SocksProxy'
    wbufsize = -1

    def take(self, count: int) -> bytes:
        data = self.rfile.read(count)
        if len(data) < count:
            raise ConnectionError('the client went away')
        return data

    def take_text(self) -> str:
        return self.take(self.take(1)[0]).decode()

    def say(self, *values: int) -> None:
        self.wfile.write(bytes(values))
        self.wfile.flush()

    def may_pass(self) -> bool:
        """The greeting: version, the ways to log in that the client knows; 2 is user and password."""
        wanted = 2 if self.server.login else 0
        version, count = self.take(2)
        if version != 5 or wanted not in self.take(count):
            self.say(5, 0xff)
            return False
        self.say(5, wanted)
        if not wanted:
            return True
        self.take(1)
        right = f'{self.take_text()}:{self.take_text()}' == self.server.login
        self.say(1, 0 if right else 1)
        return right

    def handle(self) -> None:
        if not self.may_pass():
            return
        kind = self.take(4)[3]          # version, command, 0, the kind of the address
        host = (self.take_text() if kind == 3 else
                socket.inet_ntop(*(socket.AF_INET, self.take(4)) if kind == 1 else
                                 (socket.AF_INET6, self.take(16))))
        port = int.from_bytes(self.take(2), 'big')
        self.server.note(f'CONNECT {host}:{port}', [])
        reply = self.server.refuse
        if not reply:
            try:
                server = self.server.connect(host, port)
            except OSError:
                reply = 5               # refused
        self.say(5, reply, 0, 1, 0, 0, 0, 0, 0, 0)
        if not reply:
            self.server.lead(self.connection, server)


class SocksProxy(Proxy):
    handler = Socks

    @property
    def url(self) -> str:
        return f'socks5h://{self.address}'
