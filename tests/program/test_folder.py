"""Archives that lie in plain folders: copied, downloaded, without their Git repository."""
from __future__ import annotations

import json
import shutil
import subprocess
import unittest
from pathlib import Path

from harness import SCHEMAS, Cluster, ProgramTest, clean_env, sample_cluster, unwind_on_sigterm
from test_every_object import SAFE, dump, run

cluster: Cluster


def setUpModule() -> None:
    global cluster
    unwind_on_sigterm()
    cluster = sample_cluster()
    unittest.addModuleCleanup(cluster.__exit__, None, None, None)
    cluster.create_db('shop', SCHEMAS / 'shop.sql')


class Folder(ProgramTest):
    def setUp(self) -> None:
        super().setUp()
        self.env = dict(SAFE)
        repo, clone = self.folder / 'backups.git', self.folder / 'clone'
        subprocess.run(['git', 'init', '-q', '--bare', repo], check=True, env=clean_env())
        self.run_it('backup', '--backup-repo', str(repo), DATABASE_URL=cluster.url('shop'))
        subprocess.run(['git', 'clone', '-q', '-b', 'main', repo, clone], check=True,
                       env=clean_env(**SAFE))
        self.clone = clone
        self.copy = self.folder / 'copy'
        shutil.copytree(clone / 'backups', self.copy / 'backups')

    def restore(self, folder: Path, name: str) -> bytes:
        run(cluster, 'createdb', '-T', 'template0', name)
        self.addCleanup(cluster.psql, 'postgres', f'drop database {name} with (force)')
        self.run_it('restore', 'latest', '--backup-repo', str(folder),
                    BACKPROOF_TARGET_URL=cluster.url(name))
        return dump(cluster, name).replace(name.encode(), b'shop')

    def test_a_copy_is_restored_like_the_repository(self):
        self.assertEqual(dump(cluster, 'shop'), self.restore(self.copy, 'from_copy'))

    def test_one_archive_is_restored_like_the_repository(self):
        archive = self.folder / 'usb stick'
        shutil.copytree(self.clone / 'backups' / 'current', archive)
        self.assertEqual(dump(cluster, 'shop'), self.restore(archive, 'from_archive'))

    def test_a_folder_shows_what_the_repository_shows(self):
        archive = self.clone / 'backups' / 'current'
        for words in (('list', '--format', 'json'), ('show', 'latest', '--format', 'json'),
                      ('diff', 'latest', 'latest')):
            with self.subTest(words[0]):
                real = self.run_it(*words, '--backup-repo', str(self.clone)).out
                for folder in (self.copy, archive):
                    self.assertEqual(real, self.run_it(*words, '--backup-repo', str(folder)).out)

    def test_a_damaged_file_of_a_folder_is_named(self):
        path = next((self.copy / 'backups/latest').glob('*/*/tables/*/data*'))
        path = next(path.glob('*')) if path.is_dir() else path
        path.write_bytes(path.read_bytes() + b'x')
        run(cluster, 'createdb', '-T', 'template0', 'untouched')
        self.addCleanup(cluster.psql, 'postgres', 'drop database untouched with (force)')
        self.assert_fails(8, str(path.relative_to(self.copy)).split('/', 3)[3], 'restore', 'latest',
                          '--backup-repo', str(self.copy),
                          BACKPROOF_TARGET_URL=cluster.url('untouched'))

    def test_a_folder_is_never_written(self):
        before = {path: path.read_bytes() for path in self.copy.rglob('*') if path.is_file()}
        self.assert_fails(2, 'is only read; hint: name the backup repository', 'keep', 'latest',
                          '--backup-repo', str(self.copy))
        self.assertEqual(before, {path: path.read_bytes() for path in self.copy.rglob('*')
                                  if path.is_file()})

    def test_an_archive_without_an_id_is_damaged(self):
        archive = self.folder / 'broken'
        shutil.copytree(self.clone / 'backups' / 'current', archive)
        text = json.loads((archive / 'manifest.json').read_text())
        del text['id']
        (archive / 'manifest.json').write_text(json.dumps(text))
        self.assert_fails(8, "does not tell the archive's id", 'list', '--backup-repo',
                          str(archive))


if __name__ == '__main__':
    unittest.main()
