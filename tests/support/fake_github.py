#!/usr/bin/python3
"""A stateful fake of the parts of GitHub's REST API that dispatch workflows and follow runs.

In a test:

    with FakeGitHub(clock='manual') as fake:
        fake.add_repo('octo-org/app', branches=['main', 'release/1'])
        fake.add_workflow('octo-org/app', 'backup.yml')
        fake.add_token('ghp_test', permissions=...)
        fake.fault('reset_after_accept', method='POST', path_regex='/dispatches$')
        ... a program talks to fake.url ...
        assert len(fake.calls('POST', '/dispatches$')) == 1

As a program, for a demo or a test in another language:

    fake_github.py --state FILE.json --port-file FILE [--log FILE] [--run-command CMD]

The state file holds the arguments of State ("clock", "now", "advance_per_request",
"run_details", ...) and, all optional:

    {"clock": "real",
     "repositories": {"octo-org/app": {"branches": ["main"], "workflows": [{"file": "backup.yml",
        "inputs": {"reason": {"required": true}},
        "on_branch": {"old": {"dispatch": false}, "bare": {"missing": true}}}]}},
     "tokens": {"ghp_test": {"login": "octocat", "scopes": ["repo"]}},
     "plans": [{"branch": "main", "start_after": 1, "finish_after": 3}],
     "faults": [{"kind": "status", "status": 502, "path_regex": "/runs", "times": 2}]}

While it runs, /_fake/advance, /_fake/fault, /_fake/plan (POST) and /_fake/requests, /_fake/runs
(GET) control it.
"""
from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import signal
import ssl
import sys
import tempfile
import threading
from dataclasses import asdict
from pathlib import Path

from fake_github_api import Api
from fake_github_command import CommandRunner
from fake_github_fault import Fault, Faults
from fake_github_http import Request, Server
from fake_github_model import Run, iso
from fake_github_state import State
from tls import make_certificate

STATE_OPTIONS = ('clock', 'now', 'advance_per_request', 'run_details', 'api_versions',
                 'retired_versions', 'max_inputs', 'concurrency_api', 'list_order', 'seed', 'skew')


class FakeGitHub(State):
    """The server. Set it up with State's methods: add_repo, add_workflow, add_token, set_plan.

    clock: 'real', or 'manual' for one that only advance() moves.
    advance_per_request: each GET that saw a run makes it so many seconds older, so that a
        program that polls by its own clock sees progress without anybody waiting.
    run_details: False imitates a server that does not know return_run_details.
    concurrency_api: False imitates one that does not know concurrency groups.
    list_order: 'shuffled' lists runs in an order that depends on `seed` alone, not newest first.
    skew: seconds that a real clock is ahead of this machine's; clock.skew changes it later.
    tls: serve HTTPS with a certificate that clients find in `ca_file`.
    run_command: what every dispatched run executes; the run ends as the command does.
    """

    def __init__(self, *, tls: bool = False, log_file: str | Path | None = None,
                 run_command: list[str] | None = None, run_logs: str | Path | None = None,
                 web_url: str | None = None, **state) -> None:
        super().__init__(**state)
        self.api = Api(self)
        self.faults = Faults()
        self.requests: list[Request] = []
        self.arrived = threading.Condition(self.lock)
        self.web_url = web_url      # when clients reach it through another address
        self.scheme = 'https' if tls else 'http'
        self.ca_file: Path | None = None
        self.commands: CommandRunner | None = None
        self._run_command, self._run_logs = run_command, run_logs
        self._log = open(log_file, 'a', encoding='utf-8') if log_file else None
        self._folder: tempfile.TemporaryDirectory | None = None
        self._server: Server | None = None

    # Life

    def start(self) -> 'FakeGitHub':
        self._folder = tempfile.TemporaryDirectory(prefix='bp-fake-')
        context = None
        if self.scheme == 'https':
            self.ca_file, key = make_certificate(Path(self._folder.name))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.ca_file, key)
        self._server = Server(self, context)
        if self._run_command:
            logs = Path(self._run_logs or Path(self._folder.name) / 'runs')
            self.commands = CommandRunner(self, self._run_command, self.url, logs)
        threading.Thread(target=self._server.serve_forever, kwargs={'poll_interval': 0.05},
                         daemon=True).start()
        return self

    def stop(self) -> None:
        if self.commands is not None:
            self.commands.stop()
        if self._server is not None:
            self._server.stop()
            self._server = None
        if self._log is not None:
            self._log.close()
        if self._folder is not None:
            self._folder.cleanup()

    def __enter__(self) -> 'FakeGitHub':
        return self.start()

    def __exit__(self, *exc) -> None:
        self.stop()

    @property
    def port(self) -> int:
        assert self._server is not None, 'the fake is not running'
        return self._server.server_address[1]

    @property
    def address(self) -> str:
        return f'127.0.0.1:{self.port}'

    @property
    def url(self) -> str:
        """The API address; url + '/api/v3' answers as well."""
        return f'{self.scheme}://{self.address}'

    # Steering

    def advance(self, seconds: float) -> None:
        with self.lock:
            self.clock.advance(seconds)
        self.tick()

    def tick(self) -> None:
        if self.commands is not None:
            self.commands.tick()

    def fault(self, kind: str, **options) -> Fault:
        """Script a fault; kinds and options are those of fake_github_fault.Fault."""
        with self.lock:
            return self.faults.add(Fault(kind, **options))

    # Looking at what happened

    def calls(self, method: str = '*', path_regex: str = '') -> list[Request]:
        """The requests so far whose path?query (decoded) matches."""
        with self.lock:
            return [request for request in self.requests if method in ('*', request.method)
                    and re.search(path_regex, request.target)]

    def wait_for(self, method: str, path_regex: str, count: int = 1,
                 timeout: float = 10) -> list[Request]:
        """Wait until so many matching requests have arrived (answered or not)."""
        with self.arrived:
            if not self.arrived.wait_for(lambda: len(self.calls(method, path_regex)) >= count,
                                         timeout):
                raise TimeoutError(f'{len(self.calls(method, path_regex))} of {count} requests '
                                   f'{method} {path_regex} after {timeout} s')
            return self.calls(method, path_regex)

    def runs_of(self, repo: str, branch: str | None = None) -> list[Run]:
        with self.lock:
            return [run for run in self.runs if run.repo is self.repo(repo)
                    and branch in (None, run.branch)]

    def run_summaries(self) -> list[dict]:
        with self.lock:
            for run in self.runs:
                run.settle(self.clock.now())
            return [{'id': run.id, 'repository': run.repo.full_name, 'branch': run.branch,
                     'workflow': run.workflow.file, 'event': run.event, 'actor': run.actor,
                     'inputs': run.inputs, 'created_at': iso(run.created_at),
                     'status': run.status, 'conclusion': run.conclusion} for run in self.runs]

    def note_request(self, method: str, path: str, query: dict[str, str], headers: dict[str, str],
                     body: bytes, fault: Fault | None) -> Request:
        scheme, _, value = headers.get('authorization', '').partition(' ')
        token = self.tokens.get(value.strip())
        login = token.login if token else 'unknown' if value else 'anonymous'
        shown = dict(headers)
        if 'authorization' in shown:
            shown['authorization'] = f'{scheme} <{login}>'
        text = body.decode('utf-8', 'replace')
        try:
            parsed = json.loads(text) if text else None
        except ValueError:
            parsed = text
        with self.arrived:
            request = Request(len(self.requests) + 1, self.clock.now(), method, path, query, shown,
                              login, parsed, None, fault.kind if fault else None)
            self.requests.append(request)
            self.arrived.notify_all()
        return request

    def note_answer(self, request: Request, status: int | None) -> None:
        with self.arrived:
            request.status = status
            if self._log is not None:
                self._log.write(json.dumps(asdict(request)) + '\n')
                self._log.flush()
            self.arrived.notify_all()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description='A fake of the GitHub REST API.')
    parser.add_argument('--state', required=True, help='JSON file with the state to begin with')
    parser.add_argument('--port-file', required=True, help='where to write the port')
    parser.add_argument('--log', help='append one JSON line per answered request')
    parser.add_argument('--run-command', help='what each dispatched run executes (no shell)')
    parser.add_argument('--run-logs', help='folder for the output of the runs')
    options = parser.parse_args(arguments)
    data = json.loads(Path(options.state).read_text(encoding='utf-8'))
    fake = FakeGitHub(log_file=options.log, run_logs=options.run_logs,
                      run_command=shlex.split(options.run_command or '') or None,
                      **{key: data[key] for key in STATE_OPTIONS if key in data})
    fake.load(data)
    for fault in data.get('faults', []):
        fake.fault(**fault)
    stop = threading.Event()
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, lambda *_: stop.set())
    port_file = Path(options.port_file)
    with fake:
        # Whoever waits for the file must never read half of it.
        part = port_file.with_name(port_file.name + '.part')
        part.write_text(f'{fake.port}\n')
        os.replace(part, port_file)
        try:
            stop.wait()
        finally:
            port_file.unlink(missing_ok=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
