"""backproof backup, list and restore on a real PostgreSQL and a real Git server over HTTP."""
from __future__ import annotations

import json
import shutil
import signal
import subprocess
import unittest
from pathlib import Path

from backing_up import canonical
from harness import SCHEMAS, Cluster, ProgramTest, clean_env, sample_cluster, unwind_on_sigterm
from git_server import GitServer

TOKEN = 'ghs_pushtoken0123456789'
cluster: Cluster
server: GitServer
serial = 0


def setUpModule() -> None:
    global cluster, server
    unwind_on_sigterm()
    cluster = sample_cluster()
    unittest.addModuleCleanup(cluster.__exit__, None, None, None)
    server = GitServer(user='x-access-token', password=TOKEN)
    server.__enter__()
    unittest.addModuleCleanup(server.__exit__, None, None, None)
    for name in ('shop', 'odd'):
        cluster.create_db(name, SCHEMAS / f'{name}.sql')


class Bed(ProgramTest):
    """Each test has a backup repository and, if it wants, new databases of its own."""

    def setUp(self) -> None:
        global serial
        super().setUp()
        serial += 1
        self.repo = f'backups{serial}'
        server.create(self.repo)
        self.env = {'BACKPROOF_BACKUP_REPO': server.url(self.repo),
                    'BACKPROOF_BACKUP_TOKEN': TOKEN, 'DATABASE_URL': cluster.url('shop', 'postgres')}

    def new_db(self, sql: str = '') -> str:
        name = f'db{serial}_{len(self._cleanups)}'
        cluster.create_db(name)
        self.addCleanup(cluster.psql, 'postgres', f'drop database {name} with (force)')
        if sql:
            cluster.psql(name, sql)
        return name

    def target(self, name: str) -> dict[str, str]:
        return {'BACKPROOF_TARGET_URL': cluster.url(name, 'postgres')}

    def tip(self, branch: str = 'main') -> str:
        try:
            return server.git(self.repo, 'rev-parse', '--verify', '-q', f'refs/heads/{branch}').strip()
        except Exception:
            return ''

    def clone(self, name: str = 'clone') -> Path:
        """A work tree of the branch, as a person without backproof would get it."""
        folder = self.folder / name
        subprocess.run(['git', 'clone', '-q', '-b', 'main', server.path(self.repo), folder],
                       check=True, env=clean_env(GIT_CONFIG_COUNT='1',
                                                 GIT_CONFIG_KEY_0='safe.directory',
                                                 GIT_CONFIG_VALUE_0='*'))
        return folder

    def change(self, edit) -> None:
        """Let edit(folder of the latest archive) damage it, and push that."""
        folder = self.clone('damage')
        latest = next((folder / 'backups' / 'latest').iterdir())
        edit(latest)
        env = clean_env(GIT_CONFIG_COUNT='1', GIT_CONFIG_KEY_0='safe.directory',
                        GIT_CONFIG_VALUE_0='*')
        for words in (['add', '-A'], ['-c', 'user.name=t', '-c', 'user.email=t@t', 'commit', '-qm',
                                      'damage'], ['push', '-q']):
            subprocess.run(['git', *words], cwd=folder, check=True, env=env)
        shutil.rmtree(folder)

    def assert_same(self, one: str, other: str) -> None:
        self.assertEqual(canonical(cluster.pg_dump(one)), canonical(cluster.pg_dump(other)))


class GoodPath(Bed):
    def round_trip(self, source: str) -> None:
        self.run_it('backup', DATABASE_URL=cluster.url(source, 'postgres'))
        new = self.new_db()
        self.run_it('restore', 'latest', **self.target(new))
        self.assert_same(source, new)

    def test_what_was_restored_once_is_restored_again_byte_for_byte(self) -> None:
        """Its rows lie in the order of the archive, so that not even their places differ."""
        self.run_it('backup')
        first, second = self.new_db(), self.new_db()
        self.run_it('restore', 'latest', **self.target(first))
        self.run_it('backup', DATABASE_URL=cluster.url(first, 'postgres'))
        self.run_it('restore', 'latest', **self.target(second))
        self.assertEqual(cluster.pg_dump(first), cluster.pg_dump(second))

    def test_a_restored_shop_dumps_like_its_source(self) -> None:
        self.round_trip('shop')

    def test_a_restored_odd_database_dumps_like_its_source(self) -> None:
        self.round_trip('odd')

    def without_backproof(self, source: str) -> None:
        self.run_it('backup', DATABASE_URL=cluster.url(source, 'postgres'))
        new = self.new_db()
        script = self.clone() / 'backups' / 'current' / 'restore.sh'
        done = subprocess.run([script], text=True, capture_output=True,
                              env=clean_env(TARGET_DATABASE_URL=cluster.url(new, 'postgres')))
        self.assertEqual(0, done.returncode, done.stderr)
        self.assert_same(source, new)

    def test_restore_sh_gives_the_same_shop(self) -> None:
        self.without_backproof('shop')

    def test_restore_sh_gives_the_same_odd_database(self) -> None:
        self.without_backproof('odd')

    def test_restore_sh_refuses_a_changed_file_and_changes_nothing(self) -> None:
        self.run_it('backup')
        new = self.new_db()
        folder = self.clone() / 'backups' / 'current'
        data = folder / 'shop' / 'tables' / 'orders' / 'data.sql'
        data.write_text(data.read_text().replace('paid', 'sent', 1))
        done = subprocess.run([folder / 'restore.sh'], text=True, capture_output=True,
                              env=clean_env(TARGET_DATABASE_URL=cluster.url(new, 'postgres')))
        self.assertEqual(8, done.returncode)
        self.assertIn('data.sql: FAILED', done.stdout + done.stderr)
        self.assertEqual('0', cluster.psql(new, "select count(*) from pg_namespace where nspname "
                                                "= 'shop'").strip())

    def test_an_unchanged_database_gives_the_same_files_but_the_manifest(self) -> None:
        self.run_it('backup')
        first = server.git(self.repo, 'ls-tree', '-r', 'main:backups/current')
        self.run_it('backup')
        second = server.git(self.repo, 'ls-tree', '-r', 'main:backups/current')
        changed = set(first.splitlines()) ^ set(second.splitlines())
        self.assertEqual({'manifest.json'}, {line.split('\t')[1] for line in changed})

    def test_each_backup_is_one_commit_and_the_store_stays_sound(self) -> None:
        for _ in range(3):
            self.run_it('backup')
        self.assertEqual('3', server.git(self.repo, 'rev-list', '--count', 'main').strip())
        server.fsck(self.repo)

    def test_backups_at_the_same_time_all_arrive(self) -> None:
        self.run_it('backup')
        children = [self.start('backup') for _ in range(3)]
        for child in children:
            out, err = child.communicate(timeout=60)
            self.assertEqual(0, child.returncode, out + err)
        listed = self.run_it('list', '--format', 'json').json['archives']
        self.assertEqual(4, len({one['id'] for one in listed}))
        self.assertTrue(all(one['damage'] is None for one in listed))
        server.fsck(self.repo)

    def test_a_workflow_is_named_in_the_archive(self) -> None:
        env = {'GITHUB_REPOSITORY': 'octo-org/shop', 'GITHUB_REF_NAME': 'main',
               'GITHUB_SHA': 'def5678' + '0' * 33, 'GITHUB_EVENT_NAME': 'schedule',
               'GITHUB_RUN_ID': '77', 'GITHUB_SERVER_URL': 'https://github.com'}
        for _ in range(2):
            self.run_it('backup', **env)
        listed = self.run_it('list', '--format', 'json').json['archives']
        self.assertTrue(listed[1]['path'].endswith('--octo-org-shop--schedule--def5678'))
        self.assertEqual('https://github.com/octo-org/shop/actions/runs/77', listed[0]['run_url'])

    def test_the_branch_is_the_workflows(self) -> None:
        self.run_it('backup', GITHUB_REF_NAME='release/1.x')
        self.assertEqual('', self.tip('main'))
        self.assertNotEqual('', self.tip('release/1.x'))

    def test_a_dry_run_pushes_nothing(self) -> None:
        self.assertIn('would commit', self.run_it('backup', '--dry-run').out)
        self.assertEqual('', self.tip())

    def test_a_local_path_serves_as_well(self) -> None:
        path = str(self.folder / 'local.git')
        subprocess.run(['git', 'init', '-q', '--bare', path], check=True)
        new = self.new_db()
        self.run_it('backup', '--backup-repo', path)
        self.run_it('restore', 'latest', '--backup-repo', path, **self.target(new))
        self.assert_same('shop', new)

    def test_libpqs_own_variables_name_the_database(self) -> None:
        self.run_it('backup', DATABASE_URL='', **cluster.env('shop'))
        self.assertNotEqual('', self.tip())


class Listing(Bed):
    def setUp(self) -> None:
        super().setUp()
        self.ids = []
        for event, sha in (('schedule', 'aaaaaaa1'), ('push', 'bbbbbbb2'), ('push', 'aaaaaaa1')):
            answer = self.run_it('backup', '--format', 'json', GITHUB_EVENT_NAME=event,
                                 GITHUB_SHA=sha, GITHUB_REPOSITORY='octo-org/shop',
                                 GITHUB_REF_NAME='main').json
            self.ids.insert(0, answer['id'])

    def ids_of(self, *args: str) -> list[str]:
        return [one['id'] for one in self.run_it('list', '--format', 'json', *args)
                .json['archives']]

    def test_newest_first_and_by_every_filter(self) -> None:
        self.assertEqual(self.ids, self.ids_of())
        self.assertEqual(self.ids[:1], self.ids_of('--limit', '1'))
        self.assertEqual(self.ids[:2], self.ids_of('--event', 'push'))
        self.assertEqual([self.ids[0], self.ids[2]], self.ids_of('--sha', 'aaaaaaa1'))
        self.assertEqual(self.ids, self.ids_of('--repo', 'octo-org/shop'))
        self.assertEqual([], self.ids_of('--repo', 'octo-org-shop'))
        self.assertEqual(self.ids, self.ids_of('--since', self.ids[2]))
        self.assertEqual(self.ids[2:], self.ids_of('--until', self.ids[2][:20])[-1:])
        self.assertEqual([], self.ids_of('--until', '2020-01-01'))

    def test_the_table_names_what_matters(self) -> None:
        lines = self.run_it('list').out.splitlines()
        self.assertEqual(4, len(lines))
        self.assertEqual('ID SOURCE EVENT COMMIT TABLES ROWS SIZE VERIFIED STATE',
                         ' '.join(lines[0].split()))
        self.assertIn('latest', lines[1])
        self.assertIn('octo-org/shop', lines[1])

    def test_no_rows_are_downloaded(self) -> None:
        before = sum(access.sent for access in server.accesses(self.repo))
        self.run_it('list')
        sent = sum(access.sent for access in server.accesses(self.repo)) - before
        self.assertLess(sent, 30000)

    def test_a_branch_that_is_not_there(self) -> None:
        self.assert_fails(4, "has no branch 'none'", 'list', '--backup-branch', 'none')

    def test_a_damaged_manifest_is_shown_not_hidden(self) -> None:
        self.change(lambda latest: (latest / 'manifest.json').write_text('{"format": 1'))
        listed = self.run_it('list', '--format', 'json').json['archives']
        self.assertIn('the manifest is damaged', listed[0]['damage'])
        self.assertEqual(3, len(listed))
        self.assertRegex(self.run_it('list').out, rf"{listed[0]['id']}( +-){{7}} +archive .*damaged")


class BackupBadInput(Bed):
    def fails(self, status: int, words: str, **env: str) -> None:
        before = self.tip()
        result = self.assert_fails(status, words, 'backup', **env)
        self.assertEqual('', result.out)
        self.assertEqual(before, self.tip())
        self.assertEqual([], [one for one in cluster.sessions()
                              if one.get('application_name') == 'backproof'])

    def test_the_database_is_not_reachable(self) -> None:
        self.fails(5, 'refused', DATABASE_URL='postgresql://postgres@127.0.0.1:1/shop')

    def test_the_password_is_wrong(self) -> None:
        self.fails(3, 'password authentication failed',
                   DATABASE_URL=cluster.url('shop', 'postgres', password='wrong'))

    def test_there_is_no_such_database(self) -> None:
        self.fails(4, 'database "none" does not exist', DATABASE_URL=cluster.url('none', 'postgres'))

    def test_an_empty_database_is_almost_always_a_wrong_address(self) -> None:
        self.fails(1, 'no table', DATABASE_URL=cluster.url(self.new_db(), 'postgres'))

    def test_a_role_that_may_not_read(self) -> None:
        cluster.create_role('weak', 'weak')
        self.fails(3, 'shop.', DATABASE_URL=cluster.url('shop', 'weak', password='weak'))

    def test_a_locked_table_is_named_with_who_holds_it(self) -> None:
        name = self.new_db('create table t (a int)')
        holder = subprocess.Popen(['psql', '-qAt', cluster.url(name, 'postgres')], text=True,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=clean_env())
        try:
            holder.stdin.write("begin; lock table t; select 'locked';\n")
            holder.stdin.flush()
            self.assertEqual('locked\n', holder.stdout.readline())
            self.fails(7, 'public.t', DATABASE_URL=cluster.url(name, 'postgres'),
                       BACKPROOF_LOCK_TIMEOUT='200ms')
        finally:
            holder.communicate('rollback;\n')

    def test_the_backup_repository_is_not_reachable(self) -> None:
        self.fails(5, '127.0.0.1', BACKPROOF_BACKUP_REPO='http://127.0.0.1:1/x.git')

    def test_the_backup_repository_is_not_there(self) -> None:
        self.fails(4, 'none', BACKPROOF_BACKUP_REPO=server.url('none'))

    def test_the_backup_token_is_wrong(self) -> None:
        self.fails(3, 'BACKPROOF_BACKUP_TOKEN', BACKPROOF_BACKUP_TOKEN='wrong')

    def test_a_refused_push_is_told_in_the_servers_words(self) -> None:
        server.install_hook(self.repo, 'pre-receive', '#!/bin/sh\necho no pushes today >&2\nexit 1\n')
        self.fails(1, 'no pushes today')

    def test_a_password_in_the_repositorys_address_is_refused(self) -> None:
        self.fails(2, 'password', BACKPROOF_BACKUP_REPO=server.url(self.repo, with_auth=True))

    def test_secrets_are_never_printed(self) -> None:
        result = self.run_it('backup', '--verbose')
        for secret in (TOKEN, 's3cret/& pass', 's3cret%2F%26%20pass'):
            self.assertNotIn(secret, result.out + result.err)


class RestoreBadInput(Bed):
    def setUp(self) -> None:
        super().setUp()
        self.run_it('backup')

    def fails(self, status: int, words: str, *args: str, target: str = '', **env: str) -> None:
        name = target or self.new_db()
        before = cluster.pg_dump(name)
        self.assert_fails(status, words, 'restore', *(args or ('latest',)),
                          **{**self.target(name), **env})
        self.assertEqual(before, cluster.pg_dump(name), 'the target was changed')

    def test_a_target_that_is_not_empty(self) -> None:
        name = self.new_db('create table precious (a int); insert into precious values (1)')
        self.fails(2, 'is not empty: it holds 1 objects (table public.precious)', target=name)
        self.fails(2, 'not confirmed, nothing was changed; hint: --yes', 'latest', '--clean',
                   target=name)

    def test_clean_and_yes_replace_what_is_there(self) -> None:
        name = self.new_db('create table precious (a int); create schema shop; '
                           'create view shop.v as select 1; create type odd as enum (\'a\')')
        self.run_it('restore', 'latest', '--clean', '--yes', **self.target(name))
        self.assert_same('shop', name)
        self.run_it('restore', 'latest', '--clean', '--yes', **self.target(name))
        self.assert_same('shop', name)

    def test_a_dry_run_changes_nothing(self) -> None:
        name = self.new_db()
        before = cluster.pg_dump(name)
        self.assertIn('would restore', self.run_it('restore', 'latest', '--dry-run',
                                                   **self.target(name)).out)
        self.assertEqual(before, cluster.pg_dump(name))

    def test_an_archive_that_is_not_there(self) -> None:
        self.fails(4, "no archive '1999'; hint: 'backproof list' shows them", '1999')

    def test_a_branch_that_is_not_there(self) -> None:
        self.fails(4, "has no branch 'none'", 'latest', '--backup-branch', 'none')

    def test_a_target_that_is_not_there(self) -> None:
        self.assert_fails(4, 'does not exist', 'restore', 'latest',
                          BACKPROOF_TARGET_URL=cluster.url('nowhere', 'postgres'))

    def test_a_file_that_was_changed(self) -> None:
        def edit(latest: Path) -> None:
            data = latest / 'shop' / 'tables' / 'orders' / 'data.sql'
            data.write_text(data.read_text().replace('paid', 'sent', 1))
        self.change(edit)
        self.fails(8, "the checksum of 'shop/tables/orders/data.sql' is wrong")

    def test_a_file_that_is_missing(self) -> None:
        self.change(lambda latest: (latest / 'roles.sql').unlink())
        self.fails(8, "lacks the file 'roles.sql'")

    def test_a_manifest_that_is_cut_off(self) -> None:
        def edit(latest: Path) -> None:
            text = (latest / 'manifest.json').read_text()
            (latest / 'manifest.json').write_text(text[:len(text) // 2])
        self.change(edit)
        self.fails(8, 'the manifest is damaged')

    def test_a_manifest_that_is_missing(self) -> None:
        self.change(lambda latest: (latest / 'manifest.json').unlink())
        self.fails(8, 'has no manifest: it is not a backup')

    def test_a_manifest_of_a_newer_format(self) -> None:
        def edit(latest: Path) -> None:
            manifest = json.loads((latest / 'manifest.json').read_text())
            manifest['format'] = 2
            manifest['tool']['version'] = '7.1.0'
            (latest / 'manifest.json').write_text(json.dumps(manifest))
        self.change(edit)
        self.fails(8, 'it was written by backproof 7.1.0, use that or a newer one')

    def test_a_manifest_that_points_outside_the_archive(self) -> None:
        def edit(latest: Path) -> None:
            text = (latest / 'manifest.json').read_text()
            (latest / 'manifest.json').write_text(text.replace('"path": "roles.sql"',
                                                               '"path": "../../roles.sql"'))
        self.change(edit)
        self.fails(8, 'a file without a proper path')


class Killed(Bed):
    """Whenever a backup is killed, the backup repository is as it was before, or it is whole."""

    def kill_when(self, wanted, sig: signal.Signals) -> int:
        child = self.start('backup')
        wanted(child)
        child.send_signal(sig)
        child.communicate(timeout=30)
        return child.returncode

    def when_rows_are_read(self, child: subprocess.Popen) -> None:
        while child.poll() is None:
            if any('COPY' in (one.get('query') or '') for one in cluster.sessions()):
                return

    def check(self, before: str) -> None:
        server.fsck(self.repo)
        if self.tip() != before:
            self.assertEqual(str(len(self.run_it('list', '--format', 'json').json['archives'])),
                             server.git(self.repo, 'rev-list', '--count', 'main').strip())

    def test_while_rows_are_read(self) -> None:
        slow = self.new_db('create table big (a int primary key, b text); insert into big '
                           "select g, repeat('x', 1000) from generate_series(1, 60000) g")
        self.run_it('backup')
        before = self.tip()
        self.env['DATABASE_URL'] = cluster.url(slow, 'postgres')
        for sig in (signal.SIGTERM, signal.SIGINT):
            status = self.kill_when(self.when_rows_are_read, sig)
            self.assertEqual(128 + sig, status)
            self.assertEqual(before, self.tip())
            self.assert_clean()
        self.kill_when(self.when_rows_are_read, signal.SIGKILL)
        self.assertEqual(before, self.tip())
        self.run_it_after_kill()

    def run_it_after_kill(self) -> None:
        """What SIGKILL left in the temporary folder is no hindrance for the next backup."""
        for left in self.temp.iterdir():
            shutil.rmtree(left)
        self.run_it('backup')

    def test_at_any_other_moment(self) -> None:
        self.run_it('backup')
        for step in range(12):
            before = self.tip()
            child = self.start('backup')
            try:
                child.wait(0.03 * step)
            except subprocess.TimeoutExpired:
                pass
            child.send_signal(signal.SIGKILL)
            child.communicate()
            for left in self.temp.iterdir():
                shutil.rmtree(left)
            self.check(before)


if __name__ == '__main__':
    unittest.main()
