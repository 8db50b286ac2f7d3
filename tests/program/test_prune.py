"""prune, keep and backup --prune on a real PostgreSQL and real Git servers: what goes, what stays,
and that nothing else is ever lost."""
from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from unittest import mock

from backing_up import TOKEN, BackupTest, clean_env, digests
from git_server import GitServer
from harness import Cluster, unwind_on_sigterm
from ssh_server import SshServer
import many_archives

SQL = '''
create table users (id int primary key, email text, note text);
insert into users select g, 'u' || g || '@x', 'as it was' from generate_series(1, 50) g;
create table large (id int primary key, filler text);
insert into large select g, string_agg(md5((8 * g + i)::text), '')
from generate_series(1, 2000) g, generate_series(1, 8) i group by g;
'''
CHANGE = '''
update users set note = md5(random()::text) where id % 10 = 0;
insert into users select max(id) + 1, 'new@x', null from users;
update large set filler = (select string_agg(md5(random()::text || large.id || i), '')
                           from generate_series(1, 8) i);
'''
PROTECTED = '''error: GH006: Protected branch update failed for refs/heads/main.
error: Cannot force-push to this branch'''


def setUpModule() -> None:
    unwind_on_sigterm()
    BackupTest.cluster = Cluster()
    BackupTest.cluster.__enter__()
    unittest.addModuleCleanup(BackupTest.cluster.__exit__, None, None, None)
    BackupTest.server = GitServer(user='x-access-token', password=TOKEN)
    BackupTest.server.__enter__()
    unittest.addModuleCleanup(BackupTest.server.__exit__, None, None, None)


class PruneTest(BackupTest):
    def git(self, *words: str) -> str:
        return self.server.git(self.repo, *words)

    def fill(self, count: int, step: timedelta = timedelta(hours=7), tables: int = 3) -> None:
        """The branch with so many archives."""
        with mock.patch.object(many_archives, 'STEP', step):
            many_archives.make(self.server.path(self.repo), count, tables, changes=1)

    def ids(self) -> list[str]:
        """Newest first."""
        return [one['id'] for one in self.run_it(
            'list', '--limit', '1000', '--format', 'json').json['archives']]

    def folders(self, commit: str = 'main') -> dict[str, str]:
        """The path of each archive at a commit, and its tree."""
        found = {}
        for place in ('archive', 'latest'):
            for line in self.git('ls-tree', commit, f'backups/{place}/').splitlines():
                info, _, path = line.partition('\t')
                found[path] = info.split()[2]
        return found

    def tree(self, commit: str = 'main') -> str:
        return self.git('rev-parse', f'{commit}^{{tree}}').strip()

    def message(self) -> str:
        return self.git('log', '-1', '--format=%B', 'main')

    def prune(self, *args: str, **env: str) -> dict:
        return self.run_it('prune', *args, '--format', 'json', **env).json

    @contextmanager
    def work(self) -> Iterator[Path]:
        """A person's clone; what was changed in it is pushed at the end."""
        folder = self.folder / f'clone{len(list(self.folder.iterdir()))}'

        def git(*words: str) -> None:
            subprocess.run(['git', '-c', 'user.name=x', '-c', 'user.email=x@y', *words], check=True,
                           env=clean_env(GIT_CONFIG_GLOBAL='/dev/null'), capture_output=True)

        git('clone', '-q', str(self.server.path(self.repo)), str(folder))
        yield folder
        git('-C', str(folder), 'add', '-A')
        git('-C', str(folder), 'commit', '-qm', 'by hand')
        git('-C', str(folder), 'push', '-q')

    def clone_bytes(self) -> int:
        """What a fresh clone over the wire takes."""
        folder = self.folder / f'fresh{len(list(self.folder.iterdir()))}'
        subprocess.run(['git', 'clone', '-q', '--bare', '-c', 'fetch.unpackLimit=1', '-c',
                        'transfer.unpackLimit=1', self.server.url(self.repo, with_auth=True),
                        str(folder)], check=True, capture_output=True,
                       env=clean_env(GIT_CONFIG_GLOBAL='/dev/null'))
        said = subprocess.run(['git', '-C', str(folder), 'count-objects', '-v'], check=True,
                              capture_output=True, text=True).stdout
        return 1024 * sum(int(line.split()[1]) for line in said.splitlines()
                          if line.startswith(('size:', 'size-pack:')))


class Rules(PruneTest):
    """A branch with an archive every seven hours, from 2024-01-01 to 2024-01-18T05."""

    def setUp(self) -> None:
        super().setUp()
        self.fill(60)

    def kept(self, *rules: str) -> list[str]:
        before = self.tip()
        plan = self.prune('--dry-run', *rules)
        self.assertEqual(before, self.tip())
        self.assertEqual((True, ''), (plan['dry_run'], plan['commit']))
        kept = [one['id'] for one in plan['archives'] if one['kept']]
        self.assertEqual((60, len(kept), 60 - len(kept)),
                         (len(plan['archives']), plan['kept'], plan['removed']))
        return kept

    def test_each_keeps_what_it_says(self) -> None:
        ids = self.ids()
        days = ['18T05', '17T22', '16T18', '15T21', '14T17', '13T20', '12T23']
        for rules, wanted in (
                (('--keep-last', '3'), ids[:3]),
                (('--keep-last', '1000000'), ids),
                (('--keep-within', '35h'), ids[:6]),
                (('--keep-within', '400d'), ids),
                ((), ids),
                (('--keep-hourly', '4'), ids[:4]),
                (('--keep-daily', '7'), days),
                (('--keep-weekly', '2'), ['18T05', '14T17']),
                (('--keep-weekly', '9'), ['18T05', '14T17', '07T17']),
                (('--keep-monthly', '9'), ids[:1]),
                (('--keep-yearly', '9'), ids[:1]),
                (('--keep-daily', '2', '--keep-weekly', '3', '--keep-last', '0'),
                 ['18T05', '17T22', '14T17', '07T17'])):
            with self.subTest(rules=rules):
                kept = self.kept(*rules)
                self.assertEqual(len(wanted), len(kept))
                for want, got in zip(wanted, kept):
                    self.assertIn(want, got)

    def test_explain_tells_why(self) -> None:
        said = self.run_it('prune', '--keep-daily', '1', '--keep-weekly', '2', '--dry-run',
                           '--explain').out.splitlines()
        self.assertRegex(said[0], r'^ARCHIVE +PLAN +WHY$')
        self.assertRegex(said[1], r'^2024-01-18T05-00-00Z +kept +newest, daily 2024-01-18, weekly '
                                  r'2024-W03$')
        self.assertRegex(said[2], r'^2024-01-17T22-00-00Z +goes +no rule keeps it$')
        self.assertEqual('would have removed 58 of 60 archives, kept 2', said[61])

    def test_that_keep_nothing_or_are_none_remove_nothing(self) -> None:
        before = self.tip()
        for words, rules, env in (
                ('--keep-last 0 would keep nothing', ['--keep-last', '0'], {}),
                ('would keep nothing', [], {'BACKPROOF_KEEP_LAST': '0'}),
                ('--squash needs a rule', ['--squash'], {}),
                ("'-1' is not a whole number", ['--keep-last', '-1'], {}),
                ("'7d' is not a whole number", ['--keep-daily', '7d'], {}),
                ("BACKPROOF_KEEP_DAILY: 'x' is not", [], {'BACKPROOF_KEEP_DAILY': 'x'}),
                ("'30' is not a duration", ['--keep-within', '30'], {}),
                ('does not know what to do with', ['2024-01-01T00-00-00Z'], {}),
                ('no option --keep-dayly; hint: did you mean --keep-daily?', ['--keep-dayly', '7'], {})):
            with self.subTest(words=words):
                self.assert_fails(2, words, 'prune', *rules, **env)
        self.assert_fails(4, "no branch 'other'; hint: --backup-branch names it", 'prune',
                          '--keep-last', '1', '--backup-branch', 'other')
        self.assert_untouched(before)

    def test_of_the_environment_count_too(self) -> None:
        self.assertEqual(3, self.prune(BACKPROOF_KEEP_LAST='3', BACKPROOF_KEEP_DAILY='')['kept'])
        self.assertEqual(self.ids(), self.ids()[:3])


class Branch(PruneTest):
    """What becomes of the branch."""

    def test_only_what_no_rule_keeps_leaves_it(self) -> None:
        self.fill(20)
        with self.work() as clone:
            (clone / 'README.md').write_text('ours\n')
            for place in ('archive/notes', 'archive/2024-13-45T99-00-00Z--a--b--c', 'latest/x'):
                (clone / 'backups' / place).mkdir()
                (clone / 'backups' / place / 'file').write_text('ours\n')
        before, old = self.folders(), self.tip()
        plan = self.prune('--keep-last', '4')
        self.assertEqual(plan['commit'], self.tip())
        self.assertEqual(old, self.git('rev-parse', 'main^').strip())
        gone = {one['id'] for one in plan['archives'] if not one['kept']}
        self.assertEqual(16, len(gone))
        self.assertEqual({path: tree for path, tree in before.items()
                          if path.split('/')[2][:20] not in gone}, self.folders())
        changed = self.git('diff', '--name-status', old, 'main').splitlines()
        self.assertEqual({'D'}, {line[0] for line in changed})
        self.assertEqual({'archive'}, {line.split('\t')[1].split('/')[1] for line in changed})
        self.assertIn('prune: removed 16 of 20 archives\n\nKept: 4\nPolicy: last 4\nRemoved: ',
                      self.message())
        self.server.fsck(self.repo)
        # Once more: there is nothing to do.
        said = self.run_it('prune', '--keep-last', '4')
        self.assertIn('nothing to remove: all 4 archives are kept', said.out)
        self.assertEqual(plan['commit'], self.tip())

    def test_others_are_not_touched(self) -> None:
        self.fill(5)
        self.git('branch', 'dev', 'main')
        self.git('tag', 'v1', 'main~1')
        refs = self.git('for-each-ref').splitlines()
        self.prune('--keep-last', '1', '--squash')
        self.assertEqual(set(refs) - set(self.git('for-each-ref').splitlines()),
                         {line for line in refs if line.endswith('\trefs/heads/main')})
        self.assertEqual(len(refs), len(self.git('for-each-ref').splitlines()))

    def test_without_an_archive_nothing_happens(self) -> None:
        self.fill(1)
        with self.work() as clone:
            subprocess.run(['rm', '-r', str(clone / 'backups')], check=True)
            (clone / 'README.md').write_text('ours\n')
        before = self.tip()
        for more in ((), ('--squash',)):
            plan = self.prune('--keep-last', '1', *more)
            self.assertEqual((0, 0, False), (plan['kept'], plan['removed'], plan['squashed']))
        self.assertEqual(before, self.tip())

    def test_the_size_of_the_branch_is_told_on(self) -> None:
        db = self.new_db(SQL)
        self.run_it('backup', DATABASE_URL=self.url(db))
        told = next(line for line in self.message().splitlines() if line.startswith('Store: '))
        self.run_it('keep', 'latest', '--reason', 'Store: 1 bytes, 1 at 2024-01-01T00-00-00Z')
        self.assertIn(f'\n{told}\n', self.message())
        self.cluster.psql(db, CHANGE)
        grown = self.run_it('backup', '--format', 'json', DATABASE_URL=self.url(db)).json
        self.assertGreater(grown['store_bytes'], int(told.split()[1]))
        # A person's commit tells nothing, so the count begins anew and says so.
        with self.work() as clone:
            (clone / 'README.md').write_text('ours\n')
        self.run_it('keep', 'latest', '--undo', status=0)
        self.assertNotIn('Store:', self.message())
        self.cluster.psql(db, CHANGE)
        self.run_it('backup', DATABASE_URL=self.url(db))
        self.assertRegex(self.message(), r'\nStore: at least \d+ bytes, ')
        freed = self.prune('--keep-last', '1', '--squash')
        said = next(line for line in self.message().splitlines() if line.startswith('Store: '))
        self.assertNotIn('at least', said)
        self.assertAlmostEqual(freed['bytes_after'], int(said.split()[1]),
                               delta=freed['bytes_after'] // 2 + 65536)


class Marks(PruneTest):
    def setUp(self) -> None:
        super().setUp()
        self.fill(12)

    def test_keep_what_they_name_until_they_are_taken_away(self) -> None:
        old = self.ids()[9]
        self.assertIn(f'would mark {old}', self.run_it('keep', old, '--dry-run').out)
        self.assertNotIn('backups/keep', self.git('ls-tree', '-r', '--name-only', 'main'))
        marked = self.run_it('keep', old, '--reason', 'before the migration', '--format',
                             'json').json
        self.assertEqual((old, True, 'before the migration', True, self.tip()), (
            marked['id'], marked['marked'], marked['reason'], marked['changed'], marked['commit']))
        plan = self.prune('--keep-last', '2', '--squash')
        self.assertEqual([*self.ids()], [one['id'] for one in plan['archives'] if one['kept']])
        self.assertIn('marked: before the migration', plan['archives'][9]['reasons'])
        self.assertEqual(f'{old} is marked already: before the migration\n',
                         self.run_it('keep', old[:19]).out)
        self.run_it('keep', old, '--undo')
        self.assertEqual(1, self.prune('--keep-last', '2')['removed'])
        self.assertNotIn(old, self.ids())
        self.assert_fails(4, f"no archive '{old}'", 'keep', old)

    def test_may_be_written_by_hand(self) -> None:
        ids = self.ids()
        with self.work() as clone:
            folder = next((clone / 'backups/archive').glob(f'{ids[7]}*')).name
            (clone / 'backups/keep').write_bytes(
                f'\ufeff# ours\r\n{ids[5]}\twhy not\r\n\r\n  {folder}\r\n'.encode())
        self.run_it('keep', ids[9], '--reason', 'third')
        self.prune('--keep-last', '1')
        self.assertEqual([ids[0], ids[5], ids[7], ids[9]], self.ids())
        self.assertTrue(self.git('show', 'main:backups/keep').startswith(
            f'\ufeff# ours\n{ids[5]}\twhy not\n'))

    def test_that_cannot_be_read_stop_everything(self) -> None:
        ids = self.ids()
        for text in (f'{ids[5]}\n2024-01-0\n', f'{ids[5]}, ours\n', f'{ids[5]}\n\0\n',
                     f'- {ids[5]}\n'):
            with self.work() as clone:
                (clone / 'backups/keep').write_text(text)
            before = self.tip()
            self.assert_fails(2, 'of backups/keep', 'prune', '--keep-last', '1')
            self.assertEqual(before, self.tip())
        self.assert_fails(2, 'of backups/keep', 'prune', '--keep-last', '1', '--squash')
        self.assert_fails(2, 'of backups/keep', 'keep', ids[3])
        self.assert_untouched(before)
        with self.work() as clone:
            (clone / 'backups/keep').unlink()
            (clone / 'backups/keep').mkdir()
            (clone / 'backups/keep' / ids[5]).write_text('a folder of marks')
        self.assert_fails(1, "'backups/keep' in the branch 'main' is not a file", 'prune',
                          '--keep-last', '1')

    def test_of_nothing_are_told(self) -> None:
        with self.work() as clone:
            (clone / 'backups/keep').write_text('2020-01-01T00-00-00Z  long ago\n')
        said = self.run_it('prune', '--keep-last', '11')
        self.assertIn('backups/keep marks 2020-01-01T00-00-00Z, which is not in the branch',
                      said.err)
        self.assertEqual(11, len(self.ids()))


class WithBackups(PruneTest):
    """Archives of a real database."""

    def back_up(self, *args: str, status: int = 0) -> dict:
        self.cluster.psql(self.db, CHANGE)
        self.states.append(digests(self.cluster, self.db))
        said = self.run_it('backup', '--format', 'json', *args, status=status,
                           DATABASE_URL=self.url(self.db))
        return said.json if said.out else {}

    def setUp(self) -> None:
        super().setUp()
        self.states: list[dict[str, str]] = []
        self.db = self.new_db(SQL)

    def assert_restores(self, archive: str, state: dict[str, str]) -> None:
        target = self.new_db()
        self.run_it('restore', archive, BACKPROOF_TARGET_URL=self.url(target))
        self.assertEqual(state, digests(self.cluster, target))

    def test_a_squash_frees_what_it_says_and_keeps_the_rest_whole(self) -> None:
        made = [self.back_up()['id'] for _ in range(5)]
        self.run_it('keep', made[1], '--reason', 'ours')
        with self.work() as clone:
            (clone / 'README.md').write_text('ours\n')
            (clone / 'backups/archive/notes').mkdir()
            (clone / 'backups/archive/notes/file').write_text('ours\n')
        self.git('branch', 'twin', 'main')
        plain = self.prune('--keep-last', '2', '--backup-branch', 'twin')
        trees = self.folders('twin')
        self.assertEqual(3, plain['kept'])
        self.git('branch', '-D', 'twin')
        before = self.clone_bytes()
        done = self.prune('--keep-last', '2', '--squash')
        after = self.clone_bytes()

        self.assertEqual(done['commit'], self.tip())
        self.assertEqual(trees, self.folders())
        self.assertEqual(self.git('rev-parse', f'{plain["commit"]}^{{tree}}').strip(), self.tree())
        self.assertAlmostEqual(before, done['bytes_before'], delta=before // 20 + 8192)
        self.assertAlmostEqual(after, done['bytes_after'], delta=after // 20 + 8192)
        self.assertLess(after, before * 3 // 4)
        self.server.fsck(self.repo)
        self.assertEqual(['refs/heads/main'],
                         self.git('for-each-ref', '--format=%(refname)').split())
        # One commit for each, at its time, oldest first; people see what changed between them.
        self.assertEqual([made[1], made[3], made[4]], [
            line.split()[1] for line in
            self.git('log', '--reverse', '--format=%s', 'main').splitlines()])
        self.assertEqual([f'{one[:10]}T{one[11:13]}:{one[14:16]}:{one[17:]}'.replace('Z', '')[:19]
                          for one in (made[1], made[3], made[4])],
                         [line[:19] for line in self.git(
                             'log', '--reverse', '--format=%cd', '--date=format:%Y-%m-%dT%H:%M:%S',
                             'main').splitlines()])
        shown = self.git('log', '-p', '--format=%H', 'main', '--', 'backups/current')
        self.assertEqual(3, shown.count('diff --git a/backups/current/public/tables/users/data.sql'))
        self.assertIn('-10\tu10@x', shown)
        for number in (1, 3, 4):
            self.assert_restores(made[number], self.states[number])

        # The next backup goes on from there, and sends what changed alone.
        last = self.back_up()
        self.assertEqual([last['id'], made[4], made[3], made[1]], self.ids())
        self.assert_restores('latest', self.states[-1])
        self.server.fsck(self.repo)

    def test_a_backup_that_works_prunes_and_one_that_fails_does_not(self) -> None:
        made = [self.back_up()['id'] for _ in range(3)]
        before = self.tip()
        self.assert_fails(4, 'does not exist', 'backup', '--prune', '--keep-last', '1',
                          DATABASE_URL=self.url('no_such_database'))
        self.assert_untouched(before)
        planned = self.back_up('--prune', '--keep-last', '2', '--dry-run')
        self.assertEqual(before, self.tip())
        self.assertEqual([True, True, False, False],
                         [one['kept'] for one in planned['prune']['archives']])
        self.assertEqual([planned['id'], *reversed(made)],
                         [one['id'] for one in planned['prune']['archives']])
        self.assertEqual('', planned['prune']['commit'])
        done = self.back_up('--prune', '--keep-last', '2')
        self.assertEqual(done['prune']['commit'], self.tip())
        self.assertEqual(done['commit'], self.git('rev-parse', 'main^').strip())
        self.assertEqual([done['id'], made[2]], self.ids())
        squashed = self.back_up('--prune', '--keep-last', '1', '--squash')
        self.assertEqual([squashed['id']], self.ids())
        self.assertEqual(1, self.commits())
        self.assert_restores('latest', self.states[-1])
        self.assert_fails(2, '--keep-last has no meaning for a backup that removes nothing; hint: '
                          'add --prune', 'backup', '--keep-last', '1')
        off = self.run_it('backup', '--format', 'json', DATABASE_URL=self.url(self.db),
                          BACKPROOF_PRUNE='false', BACKPROOF_KEEP_LAST='1').json
        self.assertNotIn('prune', off)
        self.assertEqual(2, len(self.ids()))

    def test_a_backup_is_safe_when_pruning_fails(self) -> None:
        made = [self.back_up()['id'] for _ in range(2)]
        self.server.install_hook(self.repo, 'update', '''
            git log -1 --format=%s "$3" | grep -q ^prune || exit 0
            echo 'remote: no removals here' >&2; exit 1''')
        said = self.run_it('backup', '--prune', '--keep-last', '1', '--format', 'json', status=1,
                           DATABASE_URL=self.url(self.db))
        ids = self.ids()
        self.assertEqual(made[::-1], ids[1:])
        self.assertEqual(ids[0], said.json['id'])
        self.assertIn('hook declined', said.json['prune']['error'])
        self.assertIn(f'the backup {ids[0]} is safe, but old archives were not removed', said.err)
        self.server.fsck(self.repo)

    def test_backups_beside_squashes_lose_nothing(self) -> None:
        made = [self.back_up()['id'] for _ in range(2)]
        other = self.new_db('create table t as select 1 as one')
        for number in range(3):
            squash = self.start('prune', '--keep-last', '100', '--squash')
            backup = self.start('backup', '--format', 'json', DATABASE_URL=self.url(other))
            out, err = backup.communicate(timeout=60)
            self.finish(squash, 0)
            self.assertEqual(0, backup.returncode, err)
            made.append(json.loads(out)['id'])
            self.assertEqual(sorted(made), sorted(self.ids()), f'round {number}: {err}')
        self.server.fsck(self.repo)
        self.assert_restores(made[1], self.states[1])


class Servers(PruneTest):
    """Refusals, races, damage, kills."""

    def test_an_archive_that_came_meanwhile_stays(self) -> None:
        for more in ((), ('--squash',)):
            with self.subTest(more=more):
                self.use_new_repo()
                self.fill(6)
                with self.work() as clone:
                    subprocess.run(['cp', '-r', str(clone / 'backups/current'), str(
                        clone / 'backups/archive/2024-01-03T00-00-00Z--o-r--push--1234567')],
                        check=True)
                came = self.tip()
                self.git('branch', 'came', 'main')
                self.git('update-ref', 'refs/heads/main', 'main~1')
                self.server.install_hook(self.repo, 'update', f'''
                    rm "$0"; git update-ref refs/heads/main {came}''')
                done = self.prune('--keep-last', '2', *more)
                self.assertIn('2024-01-03T00-00-00Z', self.ids())
                self.assertEqual(2, len(self.ids()))
                self.assertEqual((7, 2), (len(done['archives']), done['kept']))
                if not more:
                    self.assertEqual(came, self.git('rev-parse', 'main^').strip())
                self.server.fsck(self.repo)

    def test_a_branch_that_may_not_be_rewritten_stays(self) -> None:
        self.fill(5)
        before = self.tip()
        self.git('config', 'receive.denyNonFastForwards', 'true')
        self.assert_fails(1, 'hint: the server lets nobody rewrite a branch: set '
                          'receive.denyNonFastForwards to false', 'prune', '--keep-last', '1',
                          '--squash')
        self.assert_untouched(before)
        self.git('config', 'receive.denyNonFastForwards', 'false')
        self.server.install_hook(self.repo, 'update', f"cat >&2 <<'END'\n{PROTECTED}\nEND\nexit 1")
        said = self.assert_fails(1, 'Cannot force-push', 'prune', '--keep-last', '1', '--squash')
        self.assertIn('force push', said.err.partition('hint: ')[2])
        self.assert_untouched(before)

    def damage(self, path: str) -> str:
        """The server loses this file of the branch; its content's id."""
        pack = self.server.path(self.repo) / 'objects/pack'
        lost = self.git('rev-parse', f'main:{path}').strip()
        self.git('repack', '-adq')
        for old in [*pack.glob('*.pack')]:
            moved = old.rename(self.folder / old.name)
            for rest in pack.glob(f'{old.stem}.*'):
                rest.unlink()
            with moved.open('rb') as stream:
                self.server._git('-C', str(self.server.path(self.repo)), 'unpack-objects', '-q',
                                 stdin=stream)
        (pack.parent / lost[:2] / lost[2:]).unlink()
        return lost

    def test_a_squash_refuses_what_it_cannot_read(self) -> None:
        for name, how in (('t001/data.sql', 'cannot be read'), ('manifest.json', 'cannot be read')):
            with self.subTest(name=name):
                self.use_new_repo()
                self.fill(6)
                folder = sorted(path for path in self.folders() if '/archive/' in path)[-2]
                path = next(one for one in self.git('ls-tree', '-r', '--name-only', 'main',
                                                    folder).splitlines() if one.endswith(name))
                before = self.tip()
                if name == 'manifest.json':
                    self.damage(path)
                else:
                    with self.work() as clone:
                        (clone / path).write_text('changed by hand\n')
                    before, how = self.tip(), 'does not have the checksum of its manifest'
                said = self.assert_fails(8, 'nothing was changed, because archive', 'prune',
                                         '--keep-last', '3', '--squash')
                self.assertIn(path.split('/', 3)[3], said.err)
                self.assertIn(how, said.err)
                self.assertEqual(before, self.tip())
                self.assertEqual(6, len(self.folders()))

    def test_a_squash_saves_a_branch_whose_old_files_are_lost(self) -> None:
        self.fill(6)
        folder = sorted(path for path in self.folders() if '/archive/' in path)[1]
        file = next(one for one in self.git('diff', '--name-only', f'main:{folder}', 'main:' + sorted(
            path for path in self.folders() if '/latest/' in path)[0]).splitlines()
            if one.endswith('data.sql'))
        self.damage(f'{folder}/{file}')
        with self.assertRaises(subprocess.CalledProcessError):
            self.clone_bytes()
        done = self.run_it('prune', '--keep-last', '2', '--squash')
        self.assertIn('what the squash frees cannot be told', done.err)
        self.assertEqual(2, self.commits())
        self.assertGreater(self.clone_bytes(), 0)

    def test_what_the_server_has_lost_is_told_and_stays(self) -> None:
        self.fill(8)
        folder = sorted(path for path in self.folders() if '/archive/' in path)[2]
        self.damage(f'{folder}/manifest.json')
        said = self.run_it('prune', '--keep-last', '2')
        name = folder.split('/')[2][:20]
        self.assertIn(f"archive '{name}' stays, because it cannot be read: ", said.err)
        self.assertEqual(3, len(self.folders()))
        self.assertIn(folder, self.folders())

    def test_killed_at_any_moment_leaves_the_old_branch_or_the_new_one(self) -> None:
        self.fill(12)
        old, tree = self.tip(), self.tree()
        started = time.monotonic()
        self.prune('--keep-last', '3', '--squash')
        took, new = time.monotonic() - started, self.tree()
        chance = random.Random(5)
        for number in range(6):
            self.git('update-ref', 'refs/heads/main', old)
            child = self.start('prune', '--keep-last', '3', '--squash')
            try:
                child.communicate(timeout=took * (number + chance.random()) / 6)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.communicate()
            self.assertIn(self.tree(), (tree, new))
            self.server.fsck(self.repo)
            subprocess.run(['find', str(self.temp), '-mindepth', '1', '-delete'], check=True)
        self.git('update-ref', 'refs/heads/main', old)
        self.assertEqual(3, self.prune('--keep-last', '3', '--squash')['kept'])
        self.assertEqual(new, self.tree())

    def test_three_hundred_archives_are_squashed(self) -> None:
        self.fill(320, timedelta(hours=1))
        done = self.prune('--keep-last', '300', '--squash')
        self.assertEqual((300, 20), (done['kept'], done['removed']))
        self.assertEqual(300, self.commits())
        self.server.fsck(self.repo)

    def push_over(self, ssh: SshServer, where: Path, name: str) -> None:
        ssh.create(name)
        subprocess.run(['git', '-C', str(where), 'push', '-q', ssh.url(name), 'main'], check=True,
                       env=clean_env(GIT_SSH_COMMAND=ssh.command(key=ssh.key)))

    def test_a_repository_on_this_machine_and_one_over_ssh(self) -> None:
        with SshServer() as ssh:
            for name in ('path', 'file', 'ssh'):
                with self.subTest(name=name):
                    where = self.folder / name
                    subprocess.run(['git', 'init', '-q', '--bare', '-b', 'main', str(where)],
                                   check=True)
                    with mock.patch.object(many_archives, 'STEP', timedelta(days=1)):
                        many_archives.make(where, 8, tables=2, changes=1)
                    if name == 'ssh':       # its repositories belong to another user
                        self.push_over(ssh, where, name)
                    repo = {'path': str(where), 'file': f'file://{where}', 'ssh': ssh.url(name)}
                    self.env = {'BACKPROOF_BACKUP_REPO': repo[name], 'HOME': str(self.folder),
                                'GIT_SSH_COMMAND': ssh.command(key=ssh.key)}
                    ids = [f'2024-01-0{day}T00-00-00Z' for day in range(9)]
                    self.run_it('keep', ids[1])
                    done = self.prune('--keep-daily', '2', '--squash')
                    self.assertEqual((3, 5, True), (done['kept'], done['removed'],
                                                    done['squashed']))
                    self.assertEqual([ids[8], ids[7], ids[1]], self.ids())


if __name__ == '__main__':
    unittest.main()
