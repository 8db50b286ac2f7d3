"""The HTTP side of the fake GitHub: sockets, request log, faults, control endpoints."""
from __future__ import annotations

import json
import os
import re
import socket
import ssl
import struct
import threading
from dataclasses import asdict, dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from fake_github_call import Answer, Call, error
from fake_github_fault import Fault

if TYPE_CHECKING:
    from fake_github import FakeGitHub

MAX_BODY = 1 << 20
ENTERPRISE_PREFIX = '/api/v3'


@dataclass
class Request:
    """One line of the request log. It never holds a token, only whose it is."""
    number: int
    time: float
    method: str
    path: str                       # as sent, without /api/v3 and without the query
    query: dict[str, str]
    headers: dict[str, str]         # names in lower case
    login: str
    body: object                    # parsed JSON, or the text when it is none
    status: int | None = None       # None: not answered (yet)
    fault: str | None = None

    @property
    def target(self) -> str:
        return self.path + ('?' + '&'.join(f'{k}={v}' for k, v in self.query.items())
                            if self.query else '')


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, fake: 'FakeGitHub', context: ssl.SSLContext | None) -> None:
        super().__init__(('127.0.0.1', 0), Handler)
        self.fake = fake
        self.connections: set[socket.socket] = set()
        self.stopping = threading.Event()
        if context is not None:     # the handshake is left to the connection's own thread
            self.socket = context.wrap_socket(self.socket, server_side=True,
                                              do_handshake_on_connect=False)

    def handle_error(self, request, client_address) -> None:
        """Clients that go away in the middle are what the tests are about; say nothing."""

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()
        for connection in list(self.connections):   # wakes threads that wait for a request
            try:
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            except OSError:
                pass
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = 'HTTP/1.1'
    server_version = 'fake-github'
    sys_version = ''
    disable_nagle_algorithm = True
    wbufsize = -1               # send head and body together

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def log_message(self, *args) -> None:
        """The request log takes the place of lines on stderr."""

    def date_time_string(self, timestamp=None) -> str:
        return formatdate(self.server.fake.clock.now(), usegmt=True)

    # One request

    def handle_any(self) -> None:
        fake = self.server.fake
        path, _, query_text = self.path.partition('?')
        prefix = ''
        if path == ENTERPRISE_PREFIX or path.startswith(ENTERPRISE_PREFIX + '/'):
            prefix, path = ENTERPRISE_PREFIX, path[len(ENTERPRISE_PREFIX):] or '/'
        query = dict(parse_qsl(query_text, keep_blank_values=True))
        if path.startswith('/_fake/'):
            self.send(control(fake, self.command, path, query, self.read_body()))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        with fake.lock:
            fault = fake.faults.take(self.command, path + ('?' + query_text if query_text else ''),
                                     fake.clock.now())
        # The body of a request that is reset unread stays unread, as with a dead server.
        body = b'' if fault is not None and fault.kind == 'reset_before' else self.read_body()
        request = fake.note_request(self.command, path, query, headers, body, fault)
        web = fake.web_url or f"{fake.scheme}://{headers.get('host', fake.address)}"
        call = Call(self.command, path, query, headers, body, web + prefix, web,
                    self.request_id(request.number))
        if fault is not None:
            self.answer_with_fault(fault, call, request)
        else:
            self.reply(self.full_answer(call), call, request)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any

    def full_answer(self, call: Call) -> Answer:
        self.server.fake.tick()
        return self.server.fake.api.answer(call)

    def answer_with_fault(self, fault: Fault, call: Call, request: Request) -> None:
        answer = self.full_answer(call) if fault.handles else fault.answer(
            self.server.fake.clock.now())
        if fault.kind in ('reset_before', 'reset_after_accept'):
            self.server.fake.note_answer(request, None)
            self.reset()
        elif fault.kind in ('hang', 'hang_after_accept'):
            self.hang()
        elif fault.kind in ('error_after_accept', 'garbage'):
            self.reply(fault.answer(self.server.fake.clock.now()), call, request)
        else:
            if fault.kind == 'slow':
                self.server.stopping.wait(fault.seconds)
            self.reply(answer, call, request, cut=fault.kind == 'truncated')

    def reply(self, answer: Answer, call: Call, request: Request, cut: bool = False) -> None:
        answer.headers.setdefault('X-GitHub-Request-Id', call.request_id)
        # Logged before it is sent: a client that has its answer finds it in the log.
        self.server.fake.note_answer(request, answer.status)
        self.send(answer, cut)

    def send(self, answer: Answer, cut: bool = False) -> None:
        body = answer.encoded()
        if answer.status == 204 and not body:
            answer.headers.pop('Content-Type', None)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.body is not None and 'Content-Type' not in answer.headers:
            self.send_header('Content-Type', 'application/json; charset=utf-8')
        if answer.status not in (204, 304):
            self.send_header('Content-Length', str(max(len(body), 2 if cut else 0)))
        if cut or self.server.stopping.is_set():
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body[:len(body) // 2] if cut else body)
        self.wfile.flush()

    def read_body(self) -> bytes:
        if 'chunked' in self.headers.get('Transfer-Encoding', '').lower():
            parts = []
            while (size := int(self.rfile.readline().split(b';')[0], 16)) > 0:
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b''.join(parts)
        length = int(self.headers.get('Content-Length') or 0)
        if length > MAX_BODY:
            raise ValueError('request body too large')
        return self.rfile.read(length)

    # Connections that end badly

    def reset(self) -> None:
        """Close with RST: nothing lingers, and the file descriptor goes at once.

        close() would leave it open while rfile and wfile exist, and the server's own
        shutdown() would send a friendly FIN first.
        """
        self.close_connection = True
        socket.socket.setsockopt(self.connection, socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack('ii', 1, 0))
        os.close(self.connection.detach())

    def hang(self) -> None:
        """Say nothing until the client gives up or stop() shuts the connection down."""
        self.close_connection = True
        try:
            while self.connection.recv(4096):
                pass
        except OSError:
            pass

    @staticmethod
    def request_id(number: int) -> str:
        return f'FA4E:{number:04X}:0000001:0000001:00000000'


def control(fake: 'FakeGitHub', method: str, path: str, query: dict[str, str],
            body: bytes) -> Answer:
    """The control endpoints, for tests that are not written in Python and for the demo."""
    try:
        data = json.loads(body) if body else {}
        if (method, path) == ('POST', '/_fake/advance'):
            fake.advance(float(data['seconds']))
        elif (method, path) == ('POST', '/_fake/fault'):
            fake.fault(**data)
        elif (method, path) == ('POST', '/_fake/plan'):
            fake.set_plan(**data)
        elif (method, path) == ('GET', '/_fake/requests'):
            found = fake.calls(query.get('method', '*'), query.get('path', ''))
            return Answer(200, [asdict(request) for request in found])
        elif (method, path) == ('GET', '/_fake/runs'):
            return Answer(200, fake.run_summaries())
        else:
            return error(404, 'no such control endpoint')
    except (KeyError, TypeError, ValueError, re.error) as problem:
        return error(400, f'{type(problem).__name__}: {problem}')
    return Answer(204)
