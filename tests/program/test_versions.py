"""backproof on servers of other majors than the installed programs of PostgreSQL.

The servers come from npm, without clients. What is compared was always read by the same pg_dump.
"""
from __future__ import annotations

import shutil
import tempfile
import unittest
from pathlib import Path

from backing_up import TOKEN, BackupTest, canonical, digests, without_version
from harness import SCHEMAS, Cluster, Result, clean_env, sample_cluster, unwind_on_sigterm
from git_server import GitServer
from npm_tools import has_servers, server_programs

MAJORS = (13, 14, 16, 17, 18)
clusters: dict[int, Cluster] = {}       # by major version
server_folder: Path
own = 0                                 # the installed one's major version


def setUpModule() -> None:
    global own, server_folder
    unwind_on_sigterm()
    if not has_servers():
        raise unittest.SkipTest('npm has other servers for Linux on x86-64 only')
    server_folder = Path(tempfile.mkdtemp(prefix='bp-servers-'))
    server_folder.chmod(0o755)          # the user that a server runs as is another one
    unittest.addModuleCleanup(shutil.rmtree, server_folder)
    VersionTest.server = GitServer(user='x-access-token', password=TOKEN)
    VersionTest.server.__enter__()
    unittest.addModuleCleanup(VersionTest.server.__exit__, None, None, None)
    VersionTest.cluster = keep(sample_cluster())
    own = int(VersionTest.cluster.psql('postgres', 'show server_version_num')) // 10000
    clusters[own] = VersionTest.cluster
    VersionTest.cluster.create_db('shop', SCHEMAS / 'shop.sql')


def keep(cluster: Cluster) -> Cluster:
    unittest.addModuleCleanup(cluster.__exit__, None, None, None)
    return cluster


def cluster_of(major: int) -> Cluster:
    """Started at its first use, with the shop in it."""
    if major not in clusters:
        clusters[major] = keep(sample_cluster(server_programs(major, server_folder)))
        clusters[major].create_db('shop', SCHEMAS / 'shop.sql')
    return clusters[major]


def newest_client() -> int:
    return max(int(path.parent.parent.name)
               for path in Path('/usr/lib/postgresql').glob('[0-9]*/bin/pg_dump'))


class VersionTest(BackupTest):
    def back_up(self, major: int, **env: str) -> Result:
        return self.run_it('backup', DATABASE_URL=cluster_of(major).url('shop', 'postgres'), **env)

    def restored(self, major: int) -> str:
        """The latest archive in a new database of this major's server."""
        name = self.new_db(cluster=cluster_of(major))
        self.run_it('restore', 'latest',
                    BACKPROOF_TARGET_URL=cluster_of(major).url(name, 'postgres'))
        return name

    def dump(self, major: int, db: str) -> str:
        """By the installed pg_dump, whatever the server."""
        return canonical(without_version(cluster_of(major).pg_dump(db)))


class OlderServers(VersionTest):
    def test_come_back_whole_in_the_same_major_and_in_the_installed_one(self) -> None:
        for major in (one for one in MAJORS if one < own):
            with self.subTest(major=major):
                self.back_up(major)
                version = self.manifest()['database']['server_version_num']
                self.assertEqual(major, version // 10000)
                source = self.dump(major, 'shop')
                self.assertIn('COPY shop.orders', source)
                for target in (major, own):
                    name = self.restored(target)
                    self.assertEqual(source, self.dump(target, name))
                    self.assertEqual(digests(cluster_of(major), 'shop'),
                                     digests(cluster_of(target), name))

    def test_take_no_archive_of_a_newer_one(self) -> None:
        self.back_up(own)
        for major in (one for one in MAJORS if one < own):
            with self.subTest(major=major):
                name = self.new_db(cluster=cluster_of(major))
                result = self.assert_fails(
                    1, f'the archive is from PostgreSQL {own}.', 'restore', 'latest',
                    BACKPROOF_TARGET_URL=cluster_of(major).url(name, 'postgres'))
                self.assertIn(f'the target is version {major}; hint: restore into the same major '
                              'version or a newer one', result.err)
                self.assertEqual({}, digests(cluster_of(major), name))


class NewerServers(VersionTest):
    def test_take_an_archive_of_the_installed_one(self) -> None:
        self.back_up(own)
        source = digests(cluster_of(own), 'shop')
        self.assertIn('table shop.order_items', source)
        for major in (one for one in MAJORS if one > own):
            with self.subTest(major=major):
                self.assertEqual(source, digests(cluster_of(major), self.restored(major)))

    def test_are_refused_before_any_table_is_locked(self) -> None:
        """A table that somebody else has locked is never come to."""
        for major in (one for one in MAJORS if one > newest_client()):
            with self.subTest(major=major):
                cluster = cluster_of(major)
                with self.locked('shop', 'shop.orders', cluster):
                    self.assert_fails(
                        1, f'the server is PostgreSQL {major}, the newest pg_dump found is '
                        f'{newest_client()}; hint: install postgresql-client-{major}', 'backup',
                        DATABASE_URL=cluster.url('shop', 'postgres'), BACKPROOF_LOCK_TIMEOUT='50s')
                self.assertEqual('', self.tip())


class Choice(VersionTest):
    """Which pg_dump is taken: some that only claim to be of a version, in a folder of PATH."""

    def setUp(self) -> None:
        super().setUp()
        self.calls = self.folder / 'calls'

    def path_with(self, *versions: int, works: bool = True) -> str:
        """A PATH with a pg_dump of each version; those that work are the installed one."""
        folders = []
        real = self.cluster.clients
        for version in versions:
            folder = self.folder / f'client-{version}'
            folder.mkdir(exist_ok=True)
            program = folder / 'pg_dump'
            program.write_text(
                '#!/bin/sh\n'
                f'test "$1" != --version || {{ echo "pg_dump (PostgreSQL) {version}.1"; exit; }}\n'
                f'echo {version} >>{self.calls}\n'
                + (f'exec {real}/pg_dump "$@"\n' if works else 'echo no >&2\nexit 1\n'))
            program.chmod(0o755)
            (folder / 'pg_restore').unlink(missing_ok=True)
            (folder / 'pg_restore').symlink_to(real / 'pg_restore')
            folders.append(str(folder))
        return ':'.join([*folders, clean_env()['PATH']])

    def called(self) -> set[int]:
        words = self.calls.read_text() if self.calls.exists() else ''
        return {int(version) for version in words.split()}

    def chosen(self) -> str:
        return self.manifest()['pg_dump_version']

    def test_is_the_servers_own_major(self) -> None:
        self.back_up(13, PATH=self.path_with(12, 14, 13, 16))
        self.assertEqual({13}, self.called())
        self.assertEqual('13.1', self.chosen())

    def test_is_else_the_next_newer_one(self) -> None:
        self.back_up(13, PATH=self.path_with(12, own + 1, 14))
        self.assertEqual({14}, self.called())
        self.assertEqual('14.1', self.chosen())

    def test_is_found_where_packages_put_it_and_never_an_older_one(self) -> None:
        for major in (13, own):
            with self.subTest(major=major):
                self.back_up(major, PATH=self.path_with(11, 12))
                self.assertEqual(set(), self.called())
                self.assertLessEqual(major, int(self.chosen().split('.')[0]))

    def test_needs_no_pg_dump_in_the_path(self) -> None:
        folder = self.folder / 'bin'
        folder.mkdir()
        for name in ('git', 'sh'):
            (folder / name).symlink_to(shutil.which(name))
        self.back_up(own, PATH=str(folder))
        self.assertEqual(str(own), self.chosen().split('.')[0])

    def test_is_a_newer_one_than_any_installed_for_a_newer_server(self) -> None:
        last = MAJORS[-1]
        url = cluster_of(last).url('shop', 'postgres')
        self.assert_fails(1, 'pg_dump failed with status 1: no', 'backup', DATABASE_URL=url,
                          PATH=self.path_with(last - 1, last + 2, last + 1, works=False))
        self.assertEqual({last + 1}, self.called())

    def test_names_the_newest_that_is_not_new_enough(self) -> None:
        last = MAJORS[-1]
        url = cluster_of(last).url('shop', 'postgres')
        self.assert_fails(1, f'the server is PostgreSQL {last}, the newest pg_dump found is '
                          f'{last - 1}; hint: install postgresql-client-{last}', 'backup',
                          DATABASE_URL=url, PATH=self.path_with(12, last - 1))
        self.assertEqual(set(), self.called())


if __name__ == '__main__':
    unittest.main()
