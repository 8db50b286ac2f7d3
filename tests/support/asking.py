"""What the self-tests share: one request to a fake, an example state, a test case, waiting."""
from __future__ import annotations

import http.client
import json
import time
import unittest
from pathlib import Path

from fake_github import FakeGitHub

REPO = 'octo-org/app'
ROOT = f'/repos/{REPO}'
DISPATCH = f'{ROOT}/actions/workflows/backup.yml/dispatches'
RUNS = f'{ROOT}/actions/workflows/backup.yml/runs'
TOKEN = 'ghp_test'


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers = response.status, response.headers
        self.text = response.read().decode()

    @property
    def json(self):
        return json.loads(self.text)


def ask(url: str, method: str, path: str, body: object = None, token: str | None = TOKEN,
        timeout: float = 10, **headers: str) -> Answer:
    """One request on a connection of its own."""
    host = url.split('//')[1]
    sent = {'User-Agent': 'test', 'Content-Type': 'application/json'}
    if token is not None:
        sent['Authorization'] = f'Bearer {token}'
    sent.update({name.replace('_', '-'): value for name, value in headers.items()})
    connection = http.client.HTTPConnection(host, timeout=timeout)
    try:
        data = body if isinstance(body, (str, type(None))) else json.dumps(body)
        connection.request(method, path, data, {k: v for k, v in sent.items() if v})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def wait_until(condition, what: str, timeout: float = 10):
    """Poll something that offers nothing to wait for."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f'waited {timeout} s for {what}')
        time.sleep(0.01)
    return value


def example(**options) -> FakeGitHub:
    options.setdefault('clock', 'manual')
    fake = FakeGitHub(**options)
    fake.add_repo(REPO, branches=['main', 'release/1', 'old'], tags=['v1'])
    workflow = fake.add_workflow(REPO, 'backup.yml', 'Backup', run_name='Backup ${{ inputs.mark }}',
                                 inputs={'mark': {'default': '-'},
                                         'level': {'options': ['full', 'quick']}})
    workflow.on_branch('old', dispatch=False)
    fake.add_token(TOKEN)
    return fake


class FakeTest(unittest.TestCase):
    """One fake with a manual clock for each test."""

    def setUp(self) -> None:
        self.fake = self.enter(example())

    def enter(self, context):
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def ask(self, method: str, path: str, body: object = None, **options) -> Answer:
        return ask(self.fake.url, method, path, body, **options)

    def refused(self, status: int, message: str, answer: Answer) -> None:
        self.assertEqual((status, message), (answer.status, answer.json['message']))
        self.assertEqual(str(status), answer.json['status'])
        self.assertIn('docs.github.com', answer.json['documentation_url'])


def wait_until_gone(pid: int) -> None:
    """The process has ended; a zombie that somebody else must reap counts as ended."""
    def ended() -> bool:
        try:
            return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] == 'Z'
        except (FileNotFoundError, ProcessLookupError):
            return True

    wait_until(ended, f'the end of process {pid}')
