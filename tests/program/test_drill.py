"""drill: the newest archive of every branch is proved, and the cost of a disaster told."""
from __future__ import annotations

import re
import unittest

from harness import Cluster, unwind_on_sigterm
from proving import SQL, ProvingTest

cluster: Cluster


def setUpModule() -> None:
    global cluster
    unwind_on_sigterm()
    cluster = Cluster()
    cluster.__enter__()
    unittest.addModuleCleanup(cluster.__exit__, None, None, None)
    ProvingTest.cluster = cluster


class Drill(ProvingTest):
    def setUp(self) -> None:
        super().setUp()
        self.db = self.new_db(SQL)

    def fill(self, *branches: str) -> None:
        for branch in branches:
            self.backup(self.db, '--backup-branch', branch)

    def test_every_branch_is_proved_and_timed(self) -> None:
        self.fill('main', 'feature/x')
        self.git('clone', '-q', '-b', 'main', self.repo, self.folder / 'code')
        self.git('-C', self.folder / 'code', 'checkout', '-q', '--orphan', 'code')
        self.git('-C', self.folder / 'code', 'rm', '-rqf', '.')
        self.git('-C', self.folder / 'code', 'commit', '-q', '--allow-empty', '-m', 'no archive')
        self.git('-C', self.folder / 'code', 'push', '-q', 'origin', 'code')
        page = self.folder / 'summary.md'
        done = self.run_it('drill', '--level', 'L4', '--format', 'json',
                           GITHUB_STEP_SUMMARY=str(page)).json
        self.assertTrue(done['proved'])
        self.assertEqual(['feature/x', 'main'], [one['branch'] for one in done['branches']])
        for one in done['branches']:
            self.assertEqual(('proved', 'L4', 1, 0), (one['result'], one['level'],
                                                      one['good_archives'],
                                                      one['damaged_archives']))
            self.assertGreater(one['rto_ms'], 0)
            self.assertEqual(one['age_ms'], one['rpo_ms'])
            self.assertEqual('L4', self.recorded(branch=one['branch'])['level'])
        self.assertIn('### Restore drill: 2 of 2 branches proved', page.read_text())

    def test_one_failure_does_not_stop_the_others(self) -> None:
        self.fill('broken', 'good')
        self.change(lambda a: a.replace('public/tables/users/data.sql', 'bob', 'bod'), 'broken')
        result = self.run_it('drill', '--level', 'L2', status=8)
        lines = result.out.splitlines()
        self.assertRegex(lines[1], r'^broken +\S+ +- +- +- +- +failed')
        self.assertRegex(lines[2], r'^good +\S+ .* L2 .* proved')
        self.assertIn("1 of 2 branches could not be proved; 'broken': archive ", result.err)
        self.assertIn("'public/tables/users/data.sql' is wrong", result.out)

    def test_the_largest_gap_and_the_age_are_told(self) -> None:
        self.fill('main', 'main', 'main')
        times = ('2024-01-01T00-00-00Z', '2024-01-01T06-00-00Z', '2024-01-03T06-00-00Z')
        clone = self.folder / 'clone'
        self.git('clone', '-q', '-b', 'main', self.repo, clone)
        folders = sorted((clone / 'backups/archive').iterdir()) + list(
            (clone / 'backups/latest').iterdir())
        for folder, time in zip(folders, times):
            old = re.search(r'\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(--\d)?', folder.name)[0]
            text = (folder / 'manifest.json').read_text()
            (folder / 'manifest.json').write_text(text.replace(f'"{old}"', f'"{time}"'))
            folder.rename(folder.parent / folder.name.replace(old, time))
        self.git('-C', clone, 'add', '-A')
        self.git('-C', clone, 'commit', '-q', '-m', 'long ago')
        self.git('-C', clone, 'push', '-q')
        one = self.run_it('drill', '--level', 'L0', '--no-record', '--format',
                          'json').json['branches'][0]
        self.assertEqual(2 * 24 * 3600 * 1000, one['largest_gap_ms'])
        self.assertEqual(2, one['good_archives'])
        self.assertGreater(one['age_ms'], 365 * 24 * 3600 * 1000)
        self.assertEqual(one['age_ms'], one['rpo_ms'])

    def test_branches_that_are_named_must_hold_an_archive(self) -> None:
        self.fill('main')
        self.assertEqual(1, len(self.run_it('drill', '--level', 'L0', '--branch', 'main',
                                            '--format', 'json').json['branches']))
        result = self.run_it('drill', '--level', 'L0', '--branch', 'main', '--branch', 'none',
                             status=4)
        self.assertIn("has no branch 'none'", result.err)

    def test_a_repository_without_an_archive_is_told(self) -> None:
        self.assert_fails(4, 'no branch of the backup repository holds an archive', 'drill')

    def test_a_clone_knows_the_branches_of_its_origin(self) -> None:
        self.fill('main', 'other')
        clone = self.folder / 'clone'
        self.git('clone', '-q', '-b', 'main', self.repo, clone)
        done = self.run_it('drill', '--level', 'L1', '--no-record', '--format', 'json',
                           BACKPROOF_BACKUP_REPO=str(clone)).json
        self.assertEqual(['main', 'other'], [one['branch'] for one in done['branches']])


if __name__ == '__main__':
    unittest.main()
