"""The main job from end to end: dispatch two branches, each run backs up its own database into the
backup repository, an archive is restored and proved equal."""
from __future__ import annotations

import json
import sys
import unittest

from harness import PROGRAM, SCHEMAS, ProgramTest, sample_cluster, unwind_on_sigterm
from asking import wait_until
from fake_github import FakeGitHub
from git_server import GitServer

REPO = 'octo-org/shop'
TRIGGER = 'github_pat_11BBBBBBB0trigger'
PUSH = 'ghs_push0123456789'

# What the backup workflow does on a runner: one command, everything else from the environment.
JOB = '''
import os, sys
os.environ['DATABASE_URL'] = os.environ['DATABASE_URL_' + os.environ['GITHUB_REF_NAME'].upper()]
os.environ['GITHUB_ACTIONS'] = 'true'
os.execv(sys.argv[1], [sys.argv[1], 'backup'])
'''


def setUpModule() -> None:
    unwind_on_sigterm()


class MainJob(ProgramTest):
    def setUp(self) -> None:
        super().setUp()
        self.cluster = sample_cluster()
        self.addCleanup(self.cluster.__exit__, None, None, None)
        for branch in ('main', 'dev'):
            self.cluster.create_db(f'shop_{branch}', SCHEMAS / 'shop.sql')
        self.cluster.psql('shop_dev', 'delete from shop.order_items where order_id % 2 = 0')
        self.git = GitServer(user='x-access-token', password=PUSH)
        self.git.__enter__()
        self.addCleanup(self.git.__exit__, None, None, None)
        self.git.create('backups')

    def fake_github(self) -> FakeGitHub:
        fake = FakeGitHub(run_command=['/usr/bin/env', f'TMPDIR={self.temp}',
                                       f'BACKPROOF_BACKUP_REPO={self.git.url("backups")}',
                                       f'BACKPROOF_BACKUP_TOKEN={PUSH}',
                                       f'DATABASE_URL_MAIN={self.url("shop_main")}',
                                       f'DATABASE_URL_DEV={self.url("shop_dev")}',
                                       sys.executable, '-c', JOB, PROGRAM],
                          run_logs=self.folder / 'runs')
        fake.add_repo(REPO, branches=['main', 'dev'])
        fake.add_workflow(REPO, 'backup.yml')
        fake.add_token(TRIGGER, permissions={REPO: {'actions': 'write', 'metadata': 'read'}})
        return fake

    def url(self, name: str) -> str:
        return self.cluster.url(name, 'postgres')

    def canonical(self, name: str) -> str:
        """Sorted, since an archive has the rows by primary key and an updated table has not."""
        return '\n'.join(sorted(self.cluster.pg_dump(name).splitlines()))

    def test_two_branches_are_dispatched_backed_up_and_restored(self) -> None:
        with self.fake_github() as fake:
            answer = self.dispatch(fake)
            self.assertEqual([('main', 'started'), ('dev', 'started')],
                             [(one['branch'], one['result']) for one in answer['results']])
            wait_until(lambda: all(run.status == 'completed' for run in fake.runs),
                       'the runs to complete', 60)
            for run in fake.runs:
                self.assertEqual('success', run.conclusion,
                                 fake.commands.log_file(run.id).read_text())
        self.env = {'BACKPROOF_BACKUP_REPO': self.git.url('backups'),
                    'BACKPROOF_BACKUP_TOKEN': PUSH}
        for branch in ('main', 'dev'):
            listed = self.run_it('list', '--backup-branch', branch, '--format', 'json').json
            self.assertEqual(1, len(listed['archives']))
            self.assertEqual('manual', listed['archives'][0]['event'])
            self.assertEqual(REPO, listed['archives'][0]['repository'])
            self.cluster.create_db(f'new_{branch}')
            self.run_it('restore', 'latest', '--backup-branch', branch,
                        BACKPROOF_TARGET_URL=self.url(f'new_{branch}'))
            self.assertEqual(self.canonical(f'shop_{branch}'), self.canonical(f'new_{branch}'))
        self.assertNotEqual(self.canonical('new_main'), self.canonical('new_dev'))
        self.git.fsck('backups')

    def dispatch(self, fake: FakeGitHub) -> dict:
        """While it runs, the jobs of the runs it started keep their own temporary files."""
        child = self.start('dispatch', '--repo', REPO, '--branch', 'main', '--branch', 'dev',
                           '--format', 'json', BACKPROOF_POLL_INTERVAL='50ms',
                           WORKFLOW_TRIGGER_TOKEN=TRIGGER, GITHUB_API_URL=fake.url)
        out, err = child.communicate(timeout=60)
        self.assertEqual(0, child.returncode, out + err)
        return json.loads(out)


if __name__ == '__main__':
    unittest.main()
