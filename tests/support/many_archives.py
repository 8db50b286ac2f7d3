"""A backup repository with as many archives as a test or a benchmark wants, made in seconds.

    make(server.path('backups'), 1000)

Each archive is a commit as the program makes it, with files, checksums and a manifest that list,
show and restore can read: tables of which a few change each time, an archive an hour. One stream
for `git fast-import` makes all of it.
"""
from __future__ import annotations

import hashlib
import json
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

from processes import clean_env

ARCHIVE = Path(__file__).resolve().parents[2] / 'src' / 'archive'
BRANCH = 'main'
TABLES, CHANGES = 100, 5        # tables in an archive; how many of them each next one changes
ROWS = 40
FIRST = datetime(2024, 1, 1, tzinfo=timezone.utc)
STEP = timedelta(hours=1)
SOURCE = {'event': 'schedule', 'ref': 'main', 'repository': 'myorg/myapp', 'run_id': '',
          'run_url': ''}
DATABASE = {'collation': 'C.UTF-8', 'encoding': 'UTF8', 'large_objects': 0, 'lsn': '0/16B3748',
            'name': 'shop', 'server_version': '15.8', 'server_version_num': 150008,
            'size_bytes': 8000000, 'snapshot': '00000003-0000001B-1',
            'system_identifier': '7300000000000000000'}


def one_line(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def block(name: str, lines: list[str]) -> str:
    return f'  "{name}": [\n    ' + ',\n    '.join(lines) + '\n  ]'


def digest(*numbers: int) -> str:
    return hashlib.md5(repr(numbers).encode()).hexdigest()


class File:
    """A file of the archive, with its line in the manifest."""

    def __init__(self, path: str, text: str, executable: bool = False) -> None:
        self.path, self.data = path, text.encode()
        self.mode = '100755' if executable else '100644'
        self.sha256 = hashlib.sha256(self.data).hexdigest()
        self.line = one_line({'bytes': len(self.data), 'path': path, 'sha256': self.sha256})


class Table:
    """One table in one of its versions."""

    def __init__(self, number: int, version: int) -> None:
        self.name = f't{number:03}'
        folder = f'public/tables/{self.name}'
        head = f'COPY public.{self.name} (id, body) FROM stdin;\n'
        # A new version has some new rows.
        rows = [f'{row}\t{digest(number, row, version if row < 4 else 0)}\n' for row in range(ROWS)]
        self.schema = File(f'{folder}/schema.sql', f'CREATE TABLE public.{self.name} (\n'
                           '    id integer NOT NULL,\n    body text\n);\n')
        self.data = File(f'{folder}/data.sql', head + ''.join(rows) + '\\.\n')
        self.line = one_line({
            'bytes': sum(map(len, rows)), 'files': [self.data.path], 'name': self.name,
            'order': 'primary key', 'rows': ROWS, 'schema': 'public',
            'sha256': hashlib.sha256(f'{self.data.sha256}\n'.encode()).hexdigest()})


class Stream:
    """What fast-import reads."""

    def __init__(self, tables: int, changes: int) -> None:
        self.changes = changes
        self.parts: list[bytes] = []
        self.marks = 0
        self.fixed = [
            File('.gitattributes', '* -text\n'),
            File('RESTORE.md', (ARCHIVE / 'RESTORE.md').read_text()),
            File('restore.sh', (ARCHIVE / 'restore.sh').read_text(), executable=True),
            File('roles.sql', ''), File('database/pre-data.sql', ''.join(
                f'CREATE TABLE public.t{n:03} (\n    id integer NOT NULL,\n    body text\n);\n'
                for n in range(tables))),
            File('database/sequences.sql', ''), File('database/post-data.sql', ''.join(
                f'ALTER TABLE ONLY public.t{n:03} ADD CONSTRAINT t{n:03}_pkey PRIMARY KEY (id);\n'
                for n in range(tables))),
            File('database/refresh.sql', '')]
        self.tables = [Table(number, 0) for number in range(tables)]

    def data(self, data: bytes) -> None:
        self.parts.append(b'data %d\n%s\n' % (len(data), data))

    def blob(self, data: bytes) -> int:
        self.marks += 1
        self.parts.append(b'blob\nmark :%d\n' % self.marks)
        self.data(data)
        return self.marks

    def line(self, text: str) -> None:
        self.parts.append(text.encode() + b'\n')

    def manifest(self, number: int) -> bytes:
        when = FIRST + number * STEP
        files = [*self.fixed, *(file for table in self.tables
                                for file in (table.schema, table.data))]
        values = {
            'database': one_line(DATABASE), 'finished_at': one_line(f'{when:%FT%TZ}'),
            'format': '1', 'id': one_line(archive_id(number)), 'options': '{}',
            'pg_dump_version': '"15.8"', 'source': one_line({**SOURCE, 'sha': sha(number)}),
            'started_at': one_line(f'{when:%FT%TZ}'),
            'tool': one_line({'name': 'backproof', 'version': '0.1.0'}), 'verification': '{}',
            'totals': one_line({'bytes': sum(len(file.data) for file in files),
                                'files': len(files), 'rows': len(self.tables) * ROWS,
                                'tables': len(self.tables)})}
        parts = {name: f'  "{name}": {value}' for name, value in values.items()}
        parts['files'] = block('files', [file.line for file in files])
        parts['tables'] = block('tables', [table.line for table in self.tables])
        return ('{\n' + ',\n'.join(parts[name] for name in sorted(parts)) + '\n}\n').encode()

    def add(self, number: int) -> None:
        changed = [(number * self.changes + i) % len(self.tables) for i in range(self.changes)]
        if number > 0:
            for which in changed:
                self.tables[which] = Table(which, number)
        files = [(file, self.blob(file.data)) for file in (
            [self.tables[which].data for which in changed] if number > 0 else
            [*self.fixed, *(file for table in self.tables for file in (table.schema, table.data))])]
        manifest = self.blob(self.manifest(number))
        when = FIRST + number * STEP
        self.line(f'commit refs/heads/{BRANCH}')
        self.line(f'committer backproof <backproof@localhost> {int(when.timestamp())} +0000')
        self.data((f'backup: {archive_id(number)} {BRANCH} ({len(self.tables)} tables, '
                   f'{len(self.tables) * ROWS} rows)\n\nBackup-Id: {archive_id(number)}\n').encode())
        if number > 0:
            self.line(f'R {latest(number - 1)} backups/archive/{earlier(number - 1)}')
        for file, mark in files:
            self.line(f'M {file.mode} :{mark} backups/current/{file.path}')
        self.line(f'M 100644 :{manifest} backups/current/manifest.json')
        self.line(f'C backups/current {latest(number)}')


def archive_id(number: int) -> str:
    return f'{FIRST + number * STEP:%FT%H-%M-%SZ}'


def sha(number: int) -> str:
    return hashlib.sha1(b'%d' % number).hexdigest()


def latest(number: int) -> str:
    return f'backups/latest/latest_{archive_id(number)}'


def earlier(number: int) -> str:
    """The name that archive `number` has once there is a newer one."""
    return f'{archive_id(number)}--myorg-myapp--schedule--{sha(number)[:7]}'


def make(path: Path, count: int, tables: int = TABLES, changes: int = CHANGES) -> None:
    """Into the bare repository at path, whose branch must not exist yet."""
    stream = Stream(tables, changes)
    with subprocess.Popen(['git', '-C', str(path), '-c', 'core.compression=1', 'fast-import',
                           '--quiet', '--done'], stdin=subprocess.PIPE,
                          env=clean_env()) as child:
        for number in range(count):
            stream.add(number)
            child.stdin.write(b''.join(stream.parts))
            stream.parts.clear()
        child.stdin.write(b'done\n')
        child.stdin.close()
        if child.wait() != 0:
            raise RuntimeError(f'git fast-import failed in {path}')
