"""backup --verify: the archive that was just pushed, proved in the same run."""
from __future__ import annotations

import json
import re
import subprocess
import unittest

from backing_up import TOKEN, BackupTest
from harness import SCHEMAS, Cluster, sample_cluster, unwind_on_sigterm
from git_server import GitServer

cluster: Cluster
server: GitServer


def setUpModule() -> None:
    global cluster, server
    unwind_on_sigterm()
    cluster = sample_cluster()
    unittest.addModuleCleanup(cluster.__exit__, None, None, None)
    server = GitServer(user='x-access-token', password=TOKEN)
    server.__enter__()
    unittest.addModuleCleanup(server.__exit__, None, None, None)
    cluster.create_db('shop', SCHEMAS / 'shop.sql')


class Bed(BackupTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.cluster, cls.server = cluster, server

    def setUp(self) -> None:
        super().setUp()
        self.env['DATABASE_URL'] = cluster.url('shop', 'postgres')

    def recorded(self) -> dict:
        """In the newest archive, which lies at two paths."""
        found = self.manifest()['verification']
        names = server.git(self.repo, 'ls-tree', '--name-only', 'main', 'backups/latest/').split()
        latest = json.loads(server.git(self.repo, 'show', f'main:{names[0]}/manifest.json'))
        self.assertEqual(found, latest['verification'])
        return found


class Readable(Bed):
    def test_each_level_is_reached_and_recorded(self) -> None:
        checks = self.folder / 'checks.sql'
        checks.write_text('select count(*) > 0 from shop.orders;\n')
        for level in ('L0', 'L3', 'L5'):
            result = self.run_it('backup', '--verify', level, '--check-sql', str(checks),
                                 '--format', 'json')
            told = json.loads(result.out)
            self.assertEqual(level, told['verification']['level'])
            self.assertEqual(level, self.recorded()['level'])
        listed = self.run_it('list', '--verified', 'yes', '--format', 'json').json['archives']
        self.assertEqual(3, len(listed))

    def test_a_runner_is_told_the_level(self) -> None:
        outputs = self.folder / 'outputs'
        outputs.touch()
        self.run_it('backup', '--verify', 'L2', GITHUB_OUTPUT=str(outputs))
        self.assertRegex(outputs.read_text(), r'(?m)^verified<<(\S+)\nL2\n\1$')

    def test_a_check_that_is_not_true_fails_the_run_and_the_backup_stays(self) -> None:
        checks = self.folder / 'checks.sql'
        checks.write_text('select count(*) > 1000000 from shop.orders;\n')
        self.run_it('backup')
        result = self.run_it('backup', '--verify', 'L5', '--check-sql', str(checks), '--prune',
                             '--keep-last', '1', status=8)
        self.assertRegex(result.err, r'the backup \S+ is pushed, but not proved')
        self.assertEqual('L4', self.recorded()['level'])
        # Nothing goes as long as what is newer is not proved.
        self.assertEqual(2, len(self.run_it('list', '--format', 'json').json['archives']))

    def test_without_a_check_of_ones_own_the_last_level_is_refused_before_anything(self) -> None:
        result = self.run_it('backup', '--verify', 'L5', status=2)
        self.assertIn('--check-sql', result.err)
        self.assertEqual('', self.tip())

    def test_a_dry_run_proves_nothing(self) -> None:
        self.run_it('backup', '--verify', 'L2', '--dry-run')
        self.assertEqual('', self.tip())


class Sealed(Bed):
    """Nobody but this run can open the archive here: the recipient's key is not on this machine."""

    def setUp(self) -> None:
        super().setUp()
        path = self.folder / f'key{BackupTest.serial}.txt'
        subprocess.run(['age-keygen', '-o', path], check=True, capture_output=True)
        self.recipient = re.search('age1[0-9a-z]+', path.read_text())[0]
        self.identity = str(path)

    def back_up(self, *args: str, **env: str) -> dict:
        return json.loads(self.run_it('backup', '--recipient', self.recipient, '--format', 'json',
                                      *args, **env).out)

    def test_is_proved_without_a_key(self) -> None:
        told = self.back_up('--verify', 'L4')
        self.assertEqual('L4', told['verification']['level'])
        self.assertEqual('L4', self.recorded()['level'])

    def test_what_an_earlier_run_sealed_is_proved_as_well(self) -> None:
        key = {'BACKPROOF_CHUNK_KEY': 'ab' * 32}
        self.assertEqual(0, self.back_up('--verify', 'L3', **key)['kept_files'])
        again = self.back_up('--verify', 'L3', **key)
        self.assertGreater(again['kept_files'], 10)
        self.assertEqual('L3', again['verification']['level'])
        # What nobody has opened is not kept by a run that proves: it seals all of it anew.
        self.back_up(**key)
        self.assertEqual(0, self.back_up('--verify', 'L1', **key)['kept_files'])
        self.run_it('verify', '--level', 'L3', '--identity', self.identity)

    def test_the_lowest_level_needs_no_witness(self) -> None:
        self.assertEqual('L0', self.back_up('--verify', 'L0')['verification']['level'])


if __name__ == '__main__':
    unittest.main()
