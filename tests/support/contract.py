"""Checks requests and answers against GitHub's own description of its API.

    with FakeGitHub() as fake, ContractProxy(fake) as proxy:
        ... the program talks to proxy.url ...
        proxy.assert_clean()

Prism (npm) stands between the program and the fake and validates both directions. A wrong request
never reaches the fake; a wrong answer never reaches the program. In front of Prism a small
forwarder of our own keeps what Prism said, so that the test need not ask the program.

The description is tests/data/github-openapi.json. Statuses it does not list (401 or 422 of a
dispatch, for example) are only warnings. Scripted faults do not belong here: Prism turns a
reset into a 500 of its own. Nor do files asked for with application/vnd.github.raw+json: Prism
reads every answer of a type that ends in +json as JSON, and the text of a file is none.
"""
from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from npm_tools import tools
from processes import end, free_port, spawn

if TYPE_CHECKING:
    from fake_github import FakeGitHub

HERE = Path(__file__).resolve().parent
DESCRIPTION = HERE.parent / 'data' / 'github-openapi.json'
HOP_BY_HOP = ('connection', 'keep-alive', 'transfer-encoding', 'content-length', 'host')


@dataclass
class Violation:
    """What Prism refused. `details` holds Prism's own words: where, and what is wrong."""
    method: str
    target: str
    title: str
    details: list[str]

    def __str__(self) -> str:
        return '\n  '.join([f'{self.method} {self.target}: {self.title}', *self.details])


def install_prism() -> Path:
    """Prism's entry point."""
    return tools() / '@stoplight/prism-cli/dist/index.js'


class ContractProxy:
    def __init__(self, fake: 'FakeGitHub', description: Path = DESCRIPTION) -> None:
        self.fake, self.description = fake, description
        self.violations: list[Violation] = []
        self.warnings: list[Violation] = []
        self.exchanges = 0
        self.log: list[str] = []            # Prism's own log
        self._prism: subprocess.Popen | None = None
        self._reader: threading.Thread | None = None
        self._front: Front | None = None
        self._web_url = fake.web_url

    # Life

    def __enter__(self) -> 'ContractProxy':
        entry = install_prism()
        for _ in range(5):
            port = free_port()
            if self._start_prism(entry, port):
                break
        else:
            raise RuntimeError('Prism does not start:\n' + '\n'.join(self.log))
        self._front = Front(self, port)
        threading.Thread(target=self._front.serve_forever, kwargs={'poll_interval': 0.05},
                         daemon=True).start()
        # Links in answers must lead back through the proxy, or the next page is not checked.
        self.fake.web_url = self.url
        return self

    def __exit__(self, *exc) -> None:
        self.fake.web_url = self._web_url
        if self._front is not None:
            self._front.shutdown()
            self._front.server_close()
        self._stop_prism()

    def _start_prism(self, entry: Path, port: int) -> bool:
        node = shutil.which('node')
        if node is None:
            raise FileNotFoundError('node is not installed')
        self._prism = spawn([node, str(entry), 'proxy', '--errors', '-h', '127.0.0.1', '-p',
                             str(port), str(self.description), self.fake.url], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors='replace')
        answered = threading.Event()
        self._reader = threading.Thread(target=self._read_log, args=(self._prism, answered))
        self._reader.start()
        answered.wait(60)
        ready = any('Prism is listening' in line for line in self.log)
        if not ready:
            self._stop_prism()
        return ready

    def _read_log(self, prism: subprocess.Popen, answered: threading.Event) -> None:
        assert prism.stdout is not None
        for line in prism.stdout:
            self.log.append(line.rstrip())
            if 'Prism is listening' in line:
                answered.set()
        answered.set()      # it ended

    def _stop_prism(self) -> None:
        if self._prism is not None:
            end(self._prism)
            assert self._reader is not None and self._prism.stdout is not None
            self._reader.join()
            self._prism.stdout.close()
            self._prism = None

    # Use

    @property
    def url(self) -> str:
        assert self._front is not None, 'the proxy is not running'
        return f'http://127.0.0.1:{self._front.server_address[1]}'

    def assert_clean(self, at_least: int = 1) -> None:
        """There was traffic, and all of it was as described."""
        if self.exchanges < at_least:
            raise AssertionError(f'only {self.exchanges} exchanges, wanted {at_least}')
        if self.violations:
            raise AssertionError('not as GitHub describes its API:\n'
                                 + '\n'.join(map(str, self.violations)))
        complaints = [line for line in self.log if re.search('✖|error ', line)]
        if complaints:
            raise AssertionError("in Prism's log:\n" + '\n'.join(complaints))

    def note(self, method: str, target: str, headers: http.client.HTTPMessage,
             body: bytes) -> None:
        """Keep what an answer says about the contract."""
        self.exchanges += 1
        errors, warnings = [], []
        listed = headers.get('sl-violations', '')
        for item in json.loads(listed[listed.find('['):]) if '[' in listed else []:
            text = f"{'.'.join(map(str, item['location']))}: {item['message']}"
            (errors if item['severity'] == 'Error' else warnings).append(text)
        if headers.get_content_type() == 'application/problem+json':
            problem = json.loads(body)
            for item in problem.get('validation', []):
                text = f"{'.'.join(map(str, item['location']))}: {item['message']}"
                if text not in errors:
                    errors.append(text)
            self.violations.append(Violation(method, target, problem['title'], errors))
        elif errors:
            self.violations.append(Violation(method, target, 'wrong answer', errors))
        if warnings:
            self.warnings.append(Violation(method, target, 'warning', warnings))


class Front(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, proxy: ContractProxy, prism_port: int) -> None:
        super().__init__(('127.0.0.1', 0), Forwarder)
        self.proxy, self.prism_port = proxy, prism_port


class Forwarder(BaseHTTPRequestHandler):
    """Passes each request on to Prism and each answer back, and notes the answer."""
    server: Front
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *args) -> None:
        """A test wants no lines on stderr."""

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        upstream = http.client.HTTPConnection('127.0.0.1', self.server.prism_port, timeout=30)
        try:
            headers = {name: value for name, value in self.headers.items()
                       if name.lower() not in HOP_BY_HOP}
            upstream.request(self.command, self.path, body or None, headers)
            answer = upstream.getresponse()
            content = answer.read()
        finally:
            upstream.close()
        self.server.proxy.note(self.command, self.path, answer.headers, content)
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header('Content-Length', str(len(content)))
        self.send_header('Connection', 'close')     # no idle thread is left at the end
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = forward
