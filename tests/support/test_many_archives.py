"""What tests of large branches measure with: the repository they make, and the server that counts."""
from __future__ import annotations

import subprocess
import tempfile
import unittest
from collections import Counter
from pathlib import Path

import many_archives
from git_server import GitServer
from processes import clean_env, unwind_on_sigterm

REPO = 'many'


def setUpModule() -> None:
    unwind_on_sigterm()


class ManyArchives(unittest.TestCase):
    def setUp(self) -> None:
        self.server = GitServer(watch=True)
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)
        self.server.create(REPO)
        many_archives.make(self.server.path(REPO), 3, tables=4, changes=1)
        folder = tempfile.TemporaryDirectory(prefix='bp-many-')
        self.addCleanup(folder.cleanup)
        self.copy = Path(folder.name, 'copy')

    def clone(self, *options: str) -> subprocess.CompletedProcess:
        return subprocess.run(['git', 'clone', '-q', *options, self.server.url(REPO, with_auth=True),
                               str(self.copy)], env=clean_env(), text=True, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True)

    def git(self, *arguments: str) -> str:
        settings = ('-c', 'user.name=a', '-c', 'user.email=a@localhost')
        return subprocess.run(['git', '-C', str(self.copy), *settings, *arguments],
                              env=clean_env(), text=True, check=True, stdin=subprocess.DEVNULL,
                              capture_output=True).stdout

    def objects(self) -> set[str]:
        lines = self.server.git(REPO, 'rev-list', '--objects', 'main').splitlines()
        return {line.split()[0] for line in lines}

    def test_a_repository_is_made_as_backups_make_it(self) -> None:
        names = [many_archives.earlier(0), many_archives.earlier(1)]
        tree = self.server.git(REPO, 'ls-tree', '--name-only', 'main:backups/archive')
        self.assertEqual(names, tree.splitlines())
        self.assertEqual('3\n', self.server.git(REPO, 'rev-list', '--count', 'main'))
        ids = {self.server.git(REPO, 'rev-parse', f'main:{path}')
               for path in ('backups/current', many_archives.latest(2))}
        self.assertEqual(1, len(ids), 'the newest is the current one')
        changed = self.server.git(REPO, 'diff', '--name-only', 'main~', 'main', '--',
                                  'backups/current')
        self.assertEqual(['backups/current/manifest.json',
                          'backups/current/public/tables/t002/data.sql'], changed.splitlines())
        self.server.fsck(REPO)

    def test_the_server_tells_each_object_that_it_sent(self) -> None:
        self.assertEqual(0, self.clone('--bare').returncode)
        sent = self.server.sent_objects(REPO)
        self.assertEqual(sorted(self.objects()), sorted(name for name, _ in sent))
        self.assertEqual(3, Counter(kind for _, kind in sent)['commit'])
        self.server.forget()
        self.assertEqual([], self.server.sent_objects(REPO))

    def test_what_completes_a_thin_pack_was_not_sent(self) -> None:
        self.assertEqual(0, self.clone('--bare').returncode)
        before = self.objects()
        self.server.forget()
        add_a_change(self.server.path(REPO))
        self.git('fetch', '-q', 'origin', 'main')
        self.assertEqual(self.objects() - before,
                         {name for name, _ in self.server.sent_objects(REPO)})

    def test_the_server_tells_how_many_objects_it_got(self) -> None:
        self.assertEqual(0, self.clone().returncode)
        (self.copy / 'new').write_text('one')
        self.git('add', 'new')
        self.git('commit', '-qm', 'a file')
        self.assertEqual(0, self.server.pushed_objects())
        self.git('push', '-q', 'origin', 'main')
        self.assertEqual(3, self.server.pushed_objects(), 'a commit, a folder and a file')
        self.server.forget()
        self.assertEqual(0, self.server.pushed_objects())

    def test_a_server_can_refuse_filters(self) -> None:
        self.server.allow_filters(REPO)
        for option, allowed in (('blob:none', True), ('tree:0', True), ('tree:2', False),
                                ('blob:limit=1k', False)):
            with self.subTest(filter=option):
                done = self.clone('--bare', f'--filter={option}')
                self.assertEqual(allowed, done.returncode == 0, done.stderr)
                subprocess.run(['rm', '-rf', str(self.copy)], check=True)


def add_a_change(path: Path) -> None:
    """A commit with a file that differs a little from an old one."""
    file = 'backups/current/restore.sh'
    with tempfile.TemporaryDirectory(prefix='bp-index-') as folder:
        env = clean_env(GIT_INDEX_FILE=f'{folder}/index')

        def run(*arguments: str, data: bytes | None = None) -> str:
            return subprocess.run(['git', '-C', str(path), '-c', 'user.name=a', '-c',
                                   'user.email=a@localhost', *arguments], input=data, env=env,
                                  check=True, capture_output=True).stdout.decode()

        text = run('cat-file', 'blob', f'main:{file}').encode()
        mark = run('hash-object', '-w', '--stdin', data=text + b'# more\n').strip()
        run('read-tree', 'main')
        run('update-index', '--cacheinfo', f'100755,{mark},{file}')
        tree = run('write-tree').strip()
        run('update-ref', 'refs/heads/main', run('commit-tree', '-p', 'main', '-m', 'more',
                                                 tree).strip())


if __name__ == '__main__':
    unittest.main()
