"""What tests of backups share: a backup repository, a watched run, and what holds after each."""
from __future__ import annotations

import hashlib
import json
import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from harness import Cluster, ProgramTest, Result, clean_env
from asking import wait_until
from git_server import GitServer
from processes import end, spawn
from wire import Wire

TOKEN = 'ghs_pushtoken0123456789'
# Every table's rows in an order that no server version changes; sequences as they stand.
DIGEST_SQL = """
select format('copy (select %L) to stdout;'
              ' copy (select * from only %s x order by x::text collate "C") to stdout;',
              'table ' || c.oid::regclass, c.oid::regclass)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm') and c.relispopulated and n.nspname !~ '^pg_|^information_schema'
order by c.oid::regclass::text;
select format('copy (select %L, last_value, is_called from %s) to stdout;',
              'sequence ' || c.oid::regclass, c.oid::regclass)
from pg_class c where c.relkind = 'S' order by c.oid::regclass::text;
"""


def canonical(dump: str) -> str:
    """A dump without what no dump and restore can keep: where in a table's heap a row lies, and in
    which partition when an enum's hash decides it (an enum's values get other OIDs)."""
    moods: list[str] = []

    def sort(block: re.Match) -> str:
        rows = sorted(block[2].splitlines(True))
        if block[1].startswith('COPY public.by_mood'):
            moods.extend(rows)
            rows = []
        return block[1] + ''.join(rows) + block[3]

    text = re.sub(r'(^COPY .*? FROM stdin;\n)(.*?)(^\\\.\n)', sort, dump,
                  flags=re.MULTILINE | re.DOTALL)
    return text + ''.join(sorted(moods))


def without_version(dump: str) -> str:
    """The two lines of comment that tell which server and which pg_dump it was."""
    return re.sub(r'^-- Dumped (from|by) .*\n', '', dump, flags=re.MULTILINE)


def digests(cluster: Cluster, db: str) -> dict[str, str]:
    """A checksum of each table's rows, and each sequence's state."""
    found: dict[str, str] = {}
    name, lines = '', []
    commands = cluster.psql(db, DIGEST_SQL)
    for line in [*cluster.psql(db, 'set search_path = public; set timezone = utc;\n' + commands)
                 .splitlines(), 'table ']:
        if line.startswith('sequence '):
            words = line.split('\t')
            found[words[0]] = ' '.join(words[1:])
        elif line.startswith('table '):
            found[name] = hashlib.sha256('\n'.join(lines).encode()).hexdigest()
            name, lines = line, []
        else:
            lines.append(line)
    del found['']
    return found


class BackupTest(ProgramTest):
    """Each test has a backup repository of its own; the class says on which servers."""
    cluster: Cluster
    server: GitServer
    serial = 0

    def setUp(self) -> None:
        super().setUp()
        self.use_new_repo()

    def use_new_repo(self) -> None:
        BackupTest.serial += 1
        self.repo = f'faults{BackupTest.serial}'
        self.server.create(self.repo)
        self.env = {'BACKPROOF_BACKUP_REPO': self.server.url(self.repo),
                    'BACKPROOF_BACKUP_TOKEN': TOKEN, 'RUNNER_TEMP': str(self.temp)}

    def new_db(self, sql: str = '', cluster: Cluster | None = None) -> str:
        where = cluster or self.cluster
        name = f'bu{BackupTest.serial}_{len(self._cleanups)}'
        where.create_db(name)
        self.addCleanup(where.psql, 'postgres', f'drop database if exists {name} with (force)')
        if sql:
            where.psql(name, sql)
        return name

    def wire(self) -> Wire:
        """A network before the server that the test can cut."""
        wire = Wire(self.cluster.port)
        wire.__enter__()
        self.addCleanup(wire.__exit__)
        return wire

    def url(self, db: str, port: int = 0) -> str:
        """With another port: of something that stands before the server."""
        address = self.cluster.url(db, 'postgres')
        return address.replace(f':{self.cluster.port}/', f':{port or self.cluster.port}/')

    # The backup repository

    def tip(self, branch: str = 'main') -> str:
        try:
            return self.server.git(self.repo, 'rev-parse', '--verify', '-q',
                                   f'refs/heads/{branch}').strip()
        except RuntimeError:
            return ''

    def commits(self) -> int:
        return int(self.server.git(self.repo, 'rev-list', '--count', 'main'))

    def manifest(self, commit: str = 'main') -> dict:
        return json.loads(self.server.git(self.repo, 'show',
                                          f'{commit}:backups/current/manifest.json'))

    def rows(self, table: str, commit: str = 'main') -> int:
        """Of a table of schema public, as the manifest says."""
        return next(one['rows'] for one in self.manifest(commit)['tables']
                    if (one['schema'], one['name']) == ('public', table))

    # Sessions

    def sessions(self) -> list[dict[str, str]]:
        """The backup's own, and its pg_dump's, which has the same name."""
        return [one for one in self.cluster.sessions() if one['application_name'] == 'backproof']

    def holder(self) -> str:
        """The process that holds the locks: it has more of them than anybody else, and where
        others read for it, it only waits."""
        return self.cluster.psql('postgres', """
            select a.pid from pg_stat_activity a
            join pg_locks l on l.pid = a.pid and l.mode = 'AccessShareLock' and l.granted
            where a.application_name = 'backproof'
            group by a.pid, a.state, a.backend_start
            order by a.state = 'idle in transaction' desc, count(*) desc, a.backend_start
            limit 1""").strip()

    def reader(self, net: Wire) -> str:
        """The process of the session that was reading rows when its connection was cut."""
        pid = self.cluster.psql('postgres', f"""
            select pid from pg_stat_activity where application_name = 'backproof'
            and client_port = {net.cut_port} and state = 'active' and query like '%COPY%'""")
        self.assertNotEqual('', pid, str(self.cluster.sessions()))
        return pid

    def terminate(self, pid: str) -> None:
        self.assertEqual('t', self.cluster.psql('postgres', f'select pg_terminate_backend({pid})'))
        wait_until(lambda: pid not in [one['pid'] for one in self.cluster.sessions()],
                   f'the end of session {pid}')

    @contextmanager
    def locked(self, db: str, table: str, cluster: Cluster | None = None) -> Iterator[None]:
        """Somebody has locked this table against everybody."""
        where = cluster or self.cluster
        holder = spawn([str(where.clients / 'psql'), '-qAt', where.url(db, 'postgres')],
                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            holder.stdin.write(f"begin; lock table {table}; select 'locked';\n")
            holder.stdin.flush()
            self.assertEqual('locked\n', holder.stdout.readline())
            yield
        finally:
            end(holder)
            holder.stdin.close()
            holder.stdout.close()

    # A run

    def start(self, *args: str, **env: str) -> subprocess.Popen:
        child = super().start(*args, **env)
        self.addCleanup(self.sweep, child)
        return child

    def sweep(self, child: subprocess.Popen) -> None:
        """What a failed test left behind."""
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        for stream in (child.stdout, child.stderr):
            if stream is not None:
                stream.close()

    def finish(self, child: subprocess.Popen, status: int, *words: str, timeout: float = 60,
               ) -> Result:
        """Its end: the status, these words (expressions) in its one error, and no secret."""
        try:
            out, err = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, err = child.communicate()
            self.fail(f'the program did not end within {timeout} s:\n{out}\n{err}')
        result = Result(tuple(child.args[1:]), child.returncode, out, err)
        self.assertEqual(status, result.status, str(result))
        if status != 0:
            errors = [line for line in err.splitlines() if 'error: ' in line]
            self.assertEqual(1, len(errors), str(result))
            for word in words:
                self.assertRegex(errors[0], word)
        self.assert_no_secret(out + err)
        return result

    def assert_no_secret(self, text: str) -> None:
        password = self.cluster.password
        for secret in (TOKEN, password, quote(password), quote(password, safe='')):
            self.assertNotIn(secret, text)

    def assert_nothing_left(self, child: subprocess.Popen) -> None:
        """No temporary folder, no process, no session of the database."""
        self.assert_clean()
        wait_until(lambda: not processes_of(child.pid), 'the end of every process of the program')
        wait_until(lambda: not self.sessions(), 'the end of every session of the program')

    def assert_untouched(self, before: str) -> None:
        self.assertEqual(before, self.tip(), 'the branch was changed')
        self.server.fsck(self.repo)

    def assert_fails_cleanly(self, child: subprocess.Popen, before: str, status: int,
                             *words: str) -> Result:
        """It ends so, and the backup repository is as it was."""
        result = self.finish(child, status, *words)
        self.assertEqual('', result.out)
        self.assert_untouched(before)
        self.assert_nothing_left(child)
        return result


def processes_of(session: int) -> list[int]:
    """The living processes of this kernel session: the program was started as its leader."""
    found = []
    for stat in Path('/proc').glob('[0-9]*/stat'):
        try:
            state, _, _, sid = stat.read_text().rpartition(')')[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(sid) == session and state != 'Z':
            found.append(int(stat.parent.name))
    return found


def read_until(child: subprocess.Popen, pattern: str, timeout: float = 30) -> str:
    """What the program says on its error stream until this (an expression) is in it."""
    assert child.stderr is not None
    said = ''
    deadline = time.monotonic() + timeout
    while not re.search(pattern, said):
        left = max(0, deadline - time.monotonic())
        ready, _, _ = select.select([child.stderr], [], [], left)
        piece = os.read(child.stderr.fileno(), 4096).decode() if ready else ''
        if not piece:
            raise AssertionError(f'the program did not say {pattern!r} but:\n{said}')
        said += piece
    return said


__all__ = ['BackupTest', 'TOKEN', 'canonical', 'clean_env', 'digests', 'read_until',
           'wait_until', 'without_version']
