"""What the tests of dispatch and check share: a fake GitHub with one repository, fast options."""
from __future__ import annotations

import json
import signal
import subprocess

import jsonschema

from harness import ROOT, ProgramTest, Result
from fake_github import FakeGitHub

REPO = 'octo-org/shop'
OTHER = 'octo-org/blog'
BRANCHES = ['main', 'dev', 'release/1.x']
TOKEN = 'github_pat_11AAAAAAA0secretsecretsecret'
FAST = {'BACKPROOF_RETRY_DELAY': '20ms', 'BACKPROOF_POLL_INTERVAL': '20ms',
        'BACKPROOF_SETTLE': '300ms', 'BACKPROOF_APPEAR_TIMEOUT': '10s', 'BACKPROOF_TIMEOUT': '50s',
        # Some machines keep requests to themselves away from every proxy.
        'NO_PROXY': '', 'no_proxy': ''}
SCHEMA = json.loads((ROOT / 'docs' / 'dispatch-results.schema.json').read_text(encoding='utf-8'))
DISPATCHES = '/dispatches$'
CANCELS = '/cancel$'
LOOKS = r'/workflows/[^/]+/runs\?.*event='       # not the one for the runs that exist already
INPUTS = {'level': {'options': ['full', 'fast'], 'default': 'full'}, 'mark': {'default': ''}}
PERMISSIONS = {'actions': 'write', 'contents': 'read', 'metadata': 'read',
               'administration': 'read', 'statuses': 'write'}


def check_schema(answer: dict) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(answer)


class DispatchTest(ProgramTest):
    """One fake for each test; a run starts as soon as it is made, unless a plan says otherwise."""

    options: dict = {}          # of the fake

    def setUp(self) -> None:
        super().setUp()
        self.fake = self.serve(**self.options)
        self.env = {**FAST, 'GITHUB_API_URL': self.fake.url, 'WORKFLOW_TRIGGER_TOKEN': TOKEN}

    def serve(self, **options) -> FakeGitHub:
        fake = FakeGitHub(**options).start()
        self.addCleanup(fake.stop)
        fake.set_plan(start_after=0)
        self.add_repo(fake, REPO)
        fake.add_token(TOKEN, permissions={'*': PERMISSIONS})
        return fake

    def add_repo(self, fake: FakeGitHub, name: str, **options) -> None:
        fake.add_repo(name, branches=BRANCHES, **options)
        fake.add_workflow(name, 'backup.yml', 'Backup', inputs=INPUTS,
                          run_name='Backup ${{ inputs.mark }}')

    # Running

    def words(self, branches: tuple[str, ...], more: tuple[str, ...]) -> list[str]:
        named = [word for branch in branches for word in ('--branch', branch)]
        return ['dispatch', '--repo', REPO, *named, *more]

    def dispatch(self, *branches: str, status: int | None = 0, more: tuple[str, ...] = (),
                 **env: str) -> Result:
        return self.run_it(*self.words(branches, more), status=status, **env)

    def answer(self, *branches: str, status: int | None = 0, more: tuple[str, ...] = (),
               **env: str) -> dict:
        """What it says as JSON, which is as the schema says."""
        answer = self.dispatch(*branches, status=status, more=(*more, '--format', 'json'),
                               **env).json
        check_schema(answer)
        return answer

    def one(self, branch: str = 'main', **options) -> dict:
        """The result of the only branch."""
        return self.answer(branch, **options)['results'][0]

    def fails(self, words: str, branch: str = 'main', **options) -> dict:
        """The branch fails for a reason, with its hint, that holds these words."""
        result = self.one(branch, **options)
        self.assertIn(words, f"{result['reason']}; hint: {result['hint']}")
        return result

    def begin(self, *branches: str, more: tuple[str, ...] = (), **env: str) -> subprocess.Popen:
        child = self.start(*self.words(branches, (*more, '--format', 'json')), **env)
        self.addCleanup(self.kill, child)
        return child

    def kill(self, child: subprocess.Popen) -> None:
        if child.poll() is None:
            child.kill()
            child.communicate()

    def finish(self, child: subprocess.Popen, status: int,
               sig: signal.Signals | None = None) -> tuple[dict, str]:
        """Its JSON and what it said beside it."""
        if sig is not None:
            child.send_signal(sig)
        out, err = child.communicate(timeout=40)
        self.assertEqual(status, child.returncode, out + err)
        self.assert_clean()
        answer = json.loads(out)
        check_schema(answer)
        return answer, err

    # Looking at the server

    def sent(self) -> list:
        return self.fake.calls('POST', DISPATCHES)

    def assert_runs(self, **counts: int) -> None:
        """So many runs of each branch, and none of another."""
        found: dict[str, int] = {}
        for run in self.fake.runs:
            found[run.branch] = found.get(run.branch, 0) + 1
        self.assertEqual(counts, found)
