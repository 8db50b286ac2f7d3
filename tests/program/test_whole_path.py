"""A repository prepared by init: its two workflows, run as a runner does, back up both branches,
and each archive restores."""
from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

import yaml

from harness import OF_A_RUNNER, ROOT, SCHEMAS, sample_cluster, unwind_on_sigterm
from asking import wait_until
from dispatching import PERMISSIONS, REPO, TOKEN
from fake_github import FakeGitHub
from git_server import GitServer
from run_action import ActionRun, Ran
from test_action import ActionTest
from test_init import BACKUP, NAMES, SCHEDULED, git, triggers

BRANCHES = ['main', 'dev']
PUSH = 'ghs_push0123456789'
DISPATCHED = {'event_name': 'workflow_dispatch', 'ref_name': 'main'}
ON_SCHEDULE = {'event_name': 'schedule', 'ref_name': 'main'}

# Planted in a copy of a written file: what is replaced, by what, and words of the complaint.
FOR_LINT = (
    (BACKUP, '      mark:', '      mrak:', 'property "mark" is not defined'),
    (BACKUP, 'type: choice', 'type: choise', 'but got "choise"'),
    (BACKUP, 'secrets.DATABASE_URL', 'secret.DATABASE_URL', 'undefined variable "secret"'),
    (BACKUP, 'ea165f8d65b6e75b540449e92b4886f43607fa02', 'v4', 'is not pinned'),
    (BACKUP, 'free -m', 'echo "${{ inputs.mark }}"', 'an expression in a script'),
    (BACKUP, 'jobs:', 'jbos:', 'unexpected key "jbos"'),
    (SCHEDULED, "'16 8", "'61 8", 'invalid CRON'),
    (SCHEDULED, 'inputs.until', 'inputs.untli', 'property "untli" is not defined'),
    (SCHEDULED, 'steps.dispatch.outputs', 'steps.dispatched.outputs',
     'property "dispatched" is not defined'),
    (SCHEDULED, 'id: dispatch', 'di: dispatch', 'unexpected key "di"'),
)
FOR_CHECK = (
    ('  workflow_dispatch:', '  workflow_call:',
     "'backup.yml' on branch 'main' has no workflow_dispatch trigger"),
    ('      mark:', '      mrak:', "'mark', which gets the mark, is not declared"),
    (' ${{ inputs.mark }}', '', 'does not show the mark in its run-name'),
    ('[manual, schedule,', '[manual,',
     "'event' must be one of manual, push, pr, standalone, not 'schedule'"),
)
# In the scheduled workflow: how its step then ends, and what it says.
FOR_DISPATCH = (
    ('marker-input: mark', 'marker-input: mrak', 1, "'mrak', which gets the mark, is not declared"),
    ("workflow: 'backup.yml'", "workflow: 'backups.yml'", 4, "no workflow 'backups.yml'"),
    ('["main", "dev"]\'\n    outputs', '["gone"]\'\n    outputs', 4, "no branch 'gone'"),
    ('{"event":"schedule"}', '{"event":"nightly"}', 1, "not 'nightly'"),
    ('secrets.WORKFLOW_TRIGGER_TOKEN', 'secrets.TRIGGER_TOKEN', 3, 'there is no trigger token'),
)


def setUpModule() -> None:
    unwind_on_sigterm()
    for name in [name for name in os.environ if name.startswith(OF_A_RUNNER)]:
        del os.environ[name]        # the fake's runs would inherit what it does not set


def replaced(text: str, old: str, new: str) -> str:
    assert old in text, old
    return text.replace(old, new, 1)


class WrittenTest(ActionTest):
    """The repository, as init leaves it, is what the fake GitHub serves."""

    vault = 'octo-org/vault'
    recipients: tuple[str, ...] = ()

    def serve(self, **options) -> FakeGitHub:
        git(self.folder, 'init', '-q', '-b', 'main')
        git(self.folder, 'remote', 'add', 'origin', f'git@github.com:{REPO}.git')
        said = self.run_it('init', '--branch', 'main', '--branch', 'dev', '--backup-repo',
                           self.vault, '--format', 'json',
                           *[f'--recipient={one}' for one in self.recipients]).json
        self.assertEqual([BACKUP, SCHEDULED], [one['path'] for one in said['files']])
        self.assertEqual(list(NAMES) + ['BACKUP_CHUNK_KEY'] * bool(self.recipients),
                         [one['name'] for one in said['secrets']])
        return super().serve(**options)

    def add_repo(self, fake: FakeGitHub, name: str, **options) -> None:
        fake.add_repo(name, branches=BRANCHES, **options)
        text = (self.folder / BACKUP).read_text()
        file = yaml.safe_load(text)
        inputs = {given: {key: rule[key] for key in ('default', 'options') if key in rule}
                  for given, rule in triggers(file)['workflow_dispatch']['inputs'].items()}
        self.workflow = fake.add_workflow(name, 'backup.yml', file['name'], inputs=inputs,
                                          run_name=file['run-name'], file_text=text)

    def setUp(self) -> None:
        super().setUp()
        self.fill_cache()
        self.secrets = {'WORKFLOW_TRIGGER_TOKEN': TOKEN}

    def scheduled(self, github: dict[str, str], file: str = SCHEDULED, status: int = 0,
                  **inputs: str | bool) -> Ran:
        """The scheduled workflow runs, by itself or because somebody asks for it."""
        self.runs += 1
        run = ActionRun(self.action, self.folder / f'run{self.runs}', {}, self.job, github, {
            'file': str(self.folder / file), 'environments': {}, 'secrets': self.secrets,
            'inputs': {name.replace('_', '-'): value for name, value in inputs.items()}})
        self.addCleanup(run.kill)
        ran = run.finish()
        self.assertEqual(status, ran.status, str(ran))
        return ran

    def check(self, status: int = 0) -> list[dict]:
        """What check finds for the dispatch that the scheduled workflow makes."""
        return self.run_it('check', '--branch', 'main', '--branch', 'dev', '--repo', REPO,
                           '--marker-input', 'mark', '--inputs', '{"event":"schedule"}',
                           '--format', 'json', status=status).json['findings']


class Written(WrittenTest):
    def test_check_finds_nothing_wrong(self) -> None:
        found = self.check()
        self.assertEqual({'ok'}, {one['level'] for one in found}, found)
        for branch in BRANCHES:
            self.assertEqual({'the branch exists', 'its workflow takes this dispatch'}, {
                one['what'] for one in found if one['about'] == f'{REPO}@{branch}'})

    def test_a_dry_run_by_hand_starts_nothing(self) -> None:
        ran = self.scheduled(DISPATCHED, branches='dev', dry_run=True)
        self.assertEqual([('dev', 'dry-run')], [(one['branch'], one['result']) for one in
                                                json.loads(ran.job['results'])])
        self.assertEqual([], self.sent())

    def test_a_run_is_known_by_its_mark_among_others(self) -> None:
        """On a server that does not tell ids, and somebody else dispatches at the same moment."""
        self.fake.run_details = False
        for before in (True, False):
            self.fake.on_dispatch_also(REPO, actor='octocat', before=before, times=2)
        ran = self.scheduled(ON_SCHEDULE)
        self.assert_runs(main=3, dev=3)
        mine = [run for run in self.fake.runs if run.inputs['event'] == 'schedule']
        self.assertEqual(BRANCHES, sorted((run.branch for run in mine), reverse=True))
        self.assertEqual({str(run.id) for run in mine}, set(ran.job['run-ids'].split(',')))

    def test_a_broken_backup_workflow_is_found_before_anything_is_sent(self) -> None:
        text = (self.folder / BACKUP).read_text()
        for old, new, words in FOR_CHECK:
            with self.subTest(words):
                self.workflow.file_text = replaced(text, old, new)
                wrong = [one for one in self.check(status=1) if one['level'] == 'failure']
                self.assertEqual([f'{REPO}@{branch}' for branch in BRANCHES],
                                 sorted((one['about'] for one in wrong), reverse=True))
                self.assertIn(words, ' '.join(one['what'] for one in wrong))
                ran = self.scheduled(ON_SCHEDULE, status=1)
                self.assertIn(words, ran.log)
                self.assertEqual('failure', ran.job['conclusion'])
        self.assertEqual([], self.sent())

    def test_a_broken_scheduled_workflow_is_found_before_anything_is_sent(self) -> None:
        text = (self.folder / SCHEDULED).read_text()
        for number, (old, new, status, words) in enumerate(FOR_DISPATCH):
            with self.subTest(new):
                file = f'broken-{number}.yml'
                (self.folder / file).write_text(replaced(text, old, new))
                ran = self.scheduled(ON_SCHEDULE, file, status)
                self.assertRegex(ran.log, '(?m)^::error ')
                self.assertIn(words, ran.log)
        self.assertEqual([], self.sent())

    def test_lint_finds_what_is_planted_and_nothing_else(self) -> None:
        folder = self.folder / 'planted'
        shutil.copytree(self.folder / '.github', folder / '.github')
        for number, (file, old, new, _) in enumerate(FOR_LINT):
            text = replaced((self.folder / file).read_text(), old, new)
            (folder / '.github' / 'workflows' / f'w{number}.yml').write_text(text)
        done = subprocess.run([sys.executable, str(ROOT / 'scripts' / 'lint-actions'), str(folder)],
                              stdin=subprocess.DEVNULL, text=True, timeout=60, check=False,
                              capture_output=True)
        self.assertEqual(1, done.returncode, done.stdout + done.stderr)
        found = done.stdout.splitlines()
        for number, (file, _, new, words) in enumerate(FOR_LINT):
            met = [line for line in found if f'/w{number}.yml:' in line]
            self.assertTrue(any(words in line for line in met), f'{file}, {new}: {met}')
        self.assertEqual([], [line for line in found if line.startswith((BACKUP, SCHEDULED))])


class WholePathTest(WrittenTest):
    """Each run that is dispatched runs the written backup workflow, on a real database and a real
    Git server."""

    opening: dict[str, str] = {}    # what opens an archive

    def serve(self, **options) -> FakeGitHub:
        self.cluster = sample_cluster()
        self.addCleanup(self.cluster.__exit__, None, None, None)
        self.git = GitServer(user='x-access-token', password=PUSH)
        self.git.__enter__()
        self.addCleanup(self.git.__exit__, None, None, None)
        self.git.create('vault')
        self.vault = self.git.url('vault')
        self.jobs = self.folder / 'jobs'
        self.jobs.mkdir()
        fake = super().serve(run_command=[sys.executable, __file__, str(self.jobs)],
                             run_logs=self.folder / 'logs', **options)
        fake.add_token(TOKEN, permissions={REPO: PERMISSIONS})
        return fake

    def setUp(self) -> None:
        super().setUp()
        self.cluster.create_db('shop_main', SCHEMAS / 'shop.sql')
        self.secrets.update(DATABASE_URL=self.url('shop_main'), BACKUP_TOKEN=PUSH)
        self.environments: dict[str, dict[str, str]] = {}

    def url(self, name: str) -> str:
        return self.cluster.url(name, 'postgres')

    def canonical(self, name: str) -> str:
        """Sorted, since an archive has the rows by primary key and an updated table has not."""
        return '\n'.join(sorted(self.cluster.pg_dump(name).splitlines()))

    def run_all(self, github: dict[str, str], status: int = 0, conclusion: str = 'success',
                **inputs: str) -> Ran:
        """The scheduled workflow, until every run that it started has ended so."""
        (self.jobs / 'settings.json').write_text(json.dumps({
            'action': str(self.action), 'env': self.job, 'file': str(self.folder / BACKUP),
            'secrets': self.secrets, 'environments': self.environments}))
        ran = self.scheduled(github, status=status, **inputs)
        wait_until(lambda: all(run.status == 'completed' for run in self.fake.runs),
                   'the runs to complete', 60)
        for run in self.fake.runs:
            self.assertEqual(conclusion, run.conclusion, self.log(run.id))
        return ran

    def log(self, run_id: int) -> str:
        return self.fake.commands.log_file(run_id).read_text()

    def assert_two_runs(self, ran: Ran) -> None:
        """One of each branch; the workflow's outputs and each run's name tell of them."""
        self.assert_runs(main=1, dev=1)
        ids = {run.branch: str(run.id) for run in self.fake.runs}
        self.assertEqual(f'{ids["main"]},{ids["dev"]}', ran.job['run-ids'])
        self.assertEqual(('2', '0', 'success'), tuple(
            ran.job[name] for name in ('succeeded', 'failed', 'conclusion')))
        for run in self.fake.runs:
            title = (self.jobs / str(run.id) / 'title').read_text()
            self.assertEqual(f'Backup of {run.branch} {run.inputs["mark"]}', title)
            # The fake fills in only the inputs.
            self.assertEqual(title, run.title.replace('${{ github.ref_name }}', run.branch))
        self.assertEqual(2, len({run.inputs['mark'] for run in self.fake.runs} - {''}))

    def assert_archive(self, branch: str, event: str, source: str) -> None:
        """The branch has one, which was proved, and it restores to what the source is."""
        store = {'backup-repo': self.vault, 'backup-token': PUSH, 'backup-branch': branch}
        listed = json.loads(self.use({'mode': 'list', 'format': 'json', **store}).steps[-1].log)
        self.assertEqual(branch, listed['branch'])
        self.assertEqual([(REPO, event, 'L2')],
                         [(one['repository'], one['event'], one['verification']['level'])
                          for one in listed['archives']])
        self.cluster.create_db(f'new_{branch}')
        self.use({'mode': 'restore', 'archive': 'latest', 'to': self.url(f'new_{branch}'),
                  **self.opening, **store})
        self.assertEqual(self.canonical(source), self.canonical(f'new_{branch}'))

    def assert_no_secrets(self, ran: Ran) -> None:
        said = ran.log + ''.join(step.summary for step in ran.steps) + ''.join(
            self.log(run.id) for run in self.fake.runs)
        for secret in (*self.secrets.values(), self.cluster.password):
            self.assertNotIn(secret, said)

    def assert_nothing_left(self) -> None:
        left = [str(path) for run in self.fake.runs
                for path in (self.jobs / str(run.id) / 'tmp').iterdir()]
        self.assertEqual([], left)
        self.assert_clean()


class WholePath(WholePathTest):
    def test_a_schedule_backs_up_both_branches_and_each_archive_restores(self) -> None:
        ran = self.run_all(ON_SCHEDULE)
        self.assert_two_runs(ran)
        for branch in BRANCHES:
            self.assert_archive(branch, 'schedule', 'shop_main')
        self.git.fsck('vault')
        self.assert_no_secrets(ran)
        self.assert_nothing_left()

    def test_each_environment_has_a_database_of_its_own(self) -> None:
        """The line that docs/setup.md adds; started by hand, and waited for."""
        path = self.folder / BACKUP
        path.write_text(replaced(path.read_text(), '    steps:\n',
                                 '    environment: ${{ github.ref_name }}\n    steps:\n'))
        self.workflow.file_text = path.read_text()
        self.cluster.create_db('shop_dev', SCHEMAS / 'shop.sql')
        self.cluster.psql('shop_dev', 'delete from shop.order_items where order_id % 2 = 0')
        self.environments = {branch: {'DATABASE_URL': self.url(f'shop_{branch}')}
                             for branch in BRANCHES}
        del self.secrets['DATABASE_URL']
        ran = self.run_all(DISPATCHED, until='finished')
        self.assertEqual({'finished'}, {one['result'] for one in json.loads(ran.job['results'])})
        self.assert_two_runs(ran)
        for branch in BRANCHES:
            self.assert_archive(branch, 'manual', f'shop_{branch}')
        self.assertNotEqual(self.canonical('new_main'), self.canonical('new_dev'))
        self.assert_nothing_left()

    def test_a_backup_that_fails_is_a_failure_of_who_waits_for_it(self) -> None:
        self.secrets['BACKUP_TOKEN'] = 'ghs_wrong'
        ran = self.run_all(DISPATCHED, 1, 'failure', until='finished')
        self.assert_runs(main=1, dev=1)
        self.assertEqual(('0', '2', 'failure'), tuple(
            ran.job[name] for name in ('succeeded', 'failed', 'conclusion')))
        for run in self.fake.runs:
            self.assertIn('::error ', self.log(run.id))
            self.assertNotIn('ghs_wrong', self.log(run.id))
        self.assertEqual('', self.git.git('vault', 'for-each-ref'))
        self.assert_nothing_left()


class SealedPath(WholePathTest):
    def setUp(self) -> None:
        made = subprocess.run(['age-keygen'], check=True, capture_output=True, text=True).stdout
        self.recipients = tuple(re.findall('age1[0-9a-z]+', made))
        super().setUp()
        key = self.folder / 'key.txt'
        key.write_text(made)
        key.chmod(0o600)
        self.opening = {'identity': str(key)}
        self.secrets['BACKUP_CHUNK_KEY'] = 'cd' * 32

    def test_a_sealed_archive_is_proved_where_nobody_has_a_key_and_restores_with_it(self) -> None:
        ran = self.run_all(ON_SCHEDULE)
        self.assert_two_runs(ran)
        self.assert_archive('main', 'schedule', 'shop_main')
        self.assertNotIn('orders', self.git.git('vault', 'ls-tree', '-r', '--name-only', 'main'))
        self.assert_no_secrets(ran)
        self.assert_nothing_left()


def run_job(jobs: Path) -> int:
    """What a runner does with a dispatched run; the fake GitHub starts this."""
    settings = json.loads((jobs / 'settings.json').read_text())
    given = {name: value for name, value in os.environ.items() if name.startswith('GITHUB_')}
    folder = jobs / given['GITHUB_RUN_ID']
    (folder / 'tmp').mkdir(parents=True)
    ran = ActionRun(
        Path(settings['action']), folder / 'job', {},
        {**settings['env'], **given, 'TMPDIR': str(folder / 'tmp'),
         'RUNNER_TEMP': str(folder / 'tmp')},
        {name.removeprefix('GITHUB_').lower(): value for name, value in given.items()},
        {'file': settings['file'], 'inputs': json.loads(os.environ['FAKE_RUN_INPUTS']),
         'secrets': settings['secrets'], 'environments': settings['environments']}).finish()
    print(ran)
    (folder / 'title').write_text(ran.title)
    return 0 if ran.status == 0 else 1


if __name__ == '__main__':
    if len(sys.argv) == 2 and Path(sys.argv[1]).is_dir():
        unwind_on_sigterm()
        sys.exit(run_job(Path(sys.argv[1])))
    unittest.main()
