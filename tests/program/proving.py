"""What tests of verify and drill share: archives that somebody has changed."""
from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from harness import ProgramTest, clean_env

SAFE = {'GIT_CONFIG_COUNT': '1', 'GIT_CONFIG_KEY_0': 'safe.directory', 'GIT_CONFIG_VALUE_0': '*'}
SQL = '''
create table users (id int primary key, name text, price numeric, check (price < 1000));
insert into users values (1, 'ann', 1.50), (2, 'bob', 2.25), (3, 'eve', 3);
create table no_key (v text);
insert into no_key values ('b'), ('a'), ('a');
create table empty (a int);
create view cheap as select * from users where price < 2;
create materialized view total as select sum(price) from users;
create index users_name on users (name);
create sequence counter;
select nextval('counter'), lo_from_bytea(4711, 'a large object');
'''


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Archive:
    """The newest archive in a clone."""

    def __init__(self, clone: Path) -> None:
        self.path = next((clone / 'backups/latest').iterdir())

    @property
    def manifest(self) -> dict:
        return json.loads((self.path / 'manifest.json').read_text())

    def describe(self, manifest: dict) -> None:
        """Written as the program does: its outermost keys have lines of their own."""
        (self.path / 'manifest.json').write_text(json.dumps(manifest, indent=2, sort_keys=True)
                                                 + '\n')

    def replace(self, name: str, old: str, new: str) -> None:
        path = self.path / name
        text = path.read_text()
        assert old in text, f'{old!r} is not in {name}'
        path.write_text(text.replace(old, new, 1))

    def sign_off(self) -> None:
        """Make every checksum right again, as somebody would who wants to go unnoticed."""
        manifest = self.manifest
        sums = {}
        for file in manifest['files']:
            data = (self.path / file['path']).read_bytes()
            file.update(bytes=len(data), sha256=sha256(data))
            sums[file['path']] = file['sha256']
        for table in manifest['tables']:
            table['sha256'] = sha256(''.join(f'{sums[name]}\n' for name in table['files']).encode())
        manifest['totals']['bytes'] = sum(file['bytes'] for file in manifest['files'])
        self.describe(manifest)


class ProvingTest(ProgramTest):
    cluster = None      # the class or module says which

    def setUp(self) -> None:
        super().setUp()
        self.repo = self.folder / 'backups.git'
        subprocess.run(['git', 'init', '-q', '--bare', self.repo], check=True, env=clean_env())
        self.env = {'BACKPROOF_BACKUP_REPO': str(self.repo), **SAFE}

    def new_db(self, sql: str = SQL) -> str:
        name = f'db_{self.folder.name[-8:].lower()}_{len(self._cleanups)}'
        self.cluster.create_db(name)
        self.addCleanup(self.cluster.psql, 'postgres', f'drop database {name} with (force)')
        self.cluster.psql(name, sql)
        return name

    def backup(self, db: str, *args: str, **env: str) -> None:
        self.run_it('backup', '--quiet', *args, DATABASE_URL=self.cluster.url(db), **env)

    def git(self, *words: str | Path) -> str:
        done = subprocess.run(['git', '-c', 'user.name=x', '-c', 'user.email=x@localhost', *words],
                              check=True, env=clean_env(**SAFE), capture_output=True, text=True)
        return done.stdout

    def tip(self, branch: str = 'main') -> str:
        return self.git('-C', self.repo, 'rev-parse', branch).strip()

    def subject(self, branch: str = 'main') -> str:
        return self.git('-C', self.repo, 'log', '-1', '--format=%s', branch).strip()

    def recorded(self, path: str = '', branch: str = 'main') -> dict:
        if not path:
            path = 'backups/current'
        text = self.git('-C', self.repo, 'show', f'{branch}:{path}/manifest.json')
        return json.loads(text)['verification']

    def change(self, edit: Callable[[Archive], None], branch: str = 'main') -> None:
        """Somebody pushes another commit."""
        clone = self.folder / f'clone{len(self._cleanups)}'
        self.addCleanup(lambda: None)
        self.git('clone', '-q', '-b', branch, self.repo, clone)
        edit(Archive(clone))
        self.git('-C', clone, 'add', '-A')
        self.git('-C', clone, 'commit', '-q', '-m', 'changed')
        self.git('-C', clone, 'push', '-q')
