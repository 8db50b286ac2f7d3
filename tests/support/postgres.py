#!/usr/bin/python3
"""PostgreSQL clusters for tests.

    with Cluster() as pg:
        pg.create_db('shop', 'shop.sql')
        pg.psql('shop', 'select count(*) from customer')

For tests in other languages (a CTest fixture):

    postgres.py start DIR     # DIR/socket (trust, port 5432), DIR/port (TCP), DIR/env
    postgres.py stop DIR
"""
from __future__ import annotations

import argparse
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote, urlencode

from processes import clean_env, end, free_port, short_temp_folder, spawn
from tls import make_certificate

SUPERUSER = 'postgres'
SETTINGS = {
    'fsync': 'off', 'full_page_writes': 'off', 'synchronous_commit': 'off',
    'listen_addresses': '127.0.0.1', 'logging_collector': 'off', 'timezone': 'UTC',
    'max_connections': '50', 'shared_buffers': '16MB', 'log_destination': 'stderr',
}


def find_bin() -> Path:
    """The newest version that Debian's packages installed, or what PATH offers."""
    versions = [path for path in Path('/usr/lib/postgresql').glob('*/bin')
                if (path / 'initdb').exists()]
    if versions:
        return max(versions, key=lambda path: float(path.parent.name))
    found = shutil.which('initdb')
    if found is None:
        raise FileNotFoundError('no PostgreSQL server: neither /usr/lib/postgresql/*/bin/initdb '
                                'nor initdb in PATH')
    return Path(found).resolve().parent


def server_user() -> dict:
    """PostgreSQL refuses to run as root, so root hands over to postgres.

    subprocess changes the user itself: with runuser in between, the server would be a
    grandchild and the kernel could not end it together with the test.
    """
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam('postgres')
    return {'user': account.pw_uid, 'group': account.pw_gid, 'extra_groups': [account.pw_gid]}


def give_to_server(path: Path) -> None:
    if os.geteuid() == 0:
        account = pwd.getpwnam('postgres')
        os.chown(path, account.pw_uid, account.pw_gid)


class Cluster:
    """A cluster in a temporary folder that stops and vanishes with the `with` block."""

    def __init__(self, password: str = 's3cret/& pass', tls: bool = False,
                 settings: dict[str, str] | None = None, bin_dir: Path | None = None) -> None:
        self.password, self.tls = password, tls
        self.settings = {**SETTINGS, **(settings or {})}
        self.bin = bin_dir or find_bin()
        # A folder with a server only has no clients: the newest ones can talk to it.
        self.clients = self.bin if (self.bin / 'psql').exists() else find_bin()
        self.folder: Path = Path()
        self.port = 0
        self.ca_file: Path | None = None
        # libpq 14 compares a certificate with names only, not with addresses.
        self.host = 'localhost' if tls else '127.0.0.1'
        self._server: subprocess.Popen | None = None

    # Life

    def __enter__(self) -> 'Cluster':
        self.folder = short_temp_folder('bp-pg-')
        try:
            init_folder(self.folder, self.bin, self.password, 'scram-sha-256')
            if self.tls:
                self._add_certificate()
            self.start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, *exc) -> None:
        try:
            self.stop('immediate')
        finally:
            self._remove()

    def _remove(self) -> None:
        if self._server is not None:
            end(self._server, signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _add_certificate(self) -> None:
        certificate, key = make_certificate(self.folder)
        give_to_server(key)
        self.ca_file = certificate
        self.settings.update(ssl='on', ssl_cert_file=str(certificate), ssl_key_file=str(key))

    def start(self) -> None:
        """Start, or start again after stop(); the port stays the same when it is still free."""
        for _ in range(5):
            self.port = self.port or free_port()
            settings = {**self.settings, 'port': str(self.port),
                        'unix_socket_directories': str(self.folder / 'socket')}
            argv = [str(self.bin / 'postgres'), '-D', str(self.folder / 'data')]
            for name, value in settings.items():
                argv += ['-c', f'{name}={value}']
            with open(self.folder / 'log', 'ab') as log:
                self._server = spawn(argv, signal.SIGQUIT, stdout=log, stderr=log,
                                     cwd=self.folder, **server_user())
            if self._wait_until_ready():
                return
            end(self._server, signal.SIGQUIT)
            self._server, self.port = None, 0       # most likely somebody took the port
        raise RuntimeError(f'PostgreSQL does not start:\n{self.log()}')

    def _wait_until_ready(self, timeout: float = 30) -> bool:
        """pg_isready is a real question to the server; there is no event to wait for."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            assert self._server is not None
            if self._server.poll() is not None:
                return False
            ready = subprocess.run([self.clients / 'pg_isready', '-q', '-h', '127.0.0.1', '-p',
                                    str(self.port)], env=clean_env(), check=False)
            if ready.returncode == 0:
                return True
            time.sleep(0.02)
        return False

    def stop(self, mode: str = 'fast') -> None:
        """smart waits for clients, fast ends their sessions, immediate is a crash."""
        signals = {'smart': signal.SIGTERM, 'fast': signal.SIGINT, 'immediate': signal.SIGQUIT}
        if self._server is not None:
            end(self._server, signals[mode], timeout=30)
            self._server = None

    def log(self) -> str:
        path = self.folder / 'log'
        return path.read_text(errors='replace') if path.exists() else ''

    # Use

    def env(self, db: str = 'postgres', user: str = SUPERUSER, password: str | None = None,
            ) -> dict[str, str]:
        """libpq's variables only; combine with processes.clean_env()."""
        result = {'PGHOST': self.host, 'PGPORT': str(self.port), 'PGUSER': user,
                  'PGPASSWORD': password or self.password, 'PGDATABASE': db}
        if self.ca_file is not None:
            result.update(PGSSLMODE='verify-full', PGSSLROOTCERT=str(self.ca_file))
        return result

    def url(self, db: str, user: str = SUPERUSER, with_password: bool = True,
            password: str | None = None, **parameters: str) -> str:
        secret = ':' + quote(password or self.password, safe='') if with_password else ''
        if self.ca_file is not None:
            parameters = {'sslmode': 'verify-full', 'sslrootcert': str(self.ca_file), **parameters}
        query = '?' + urlencode(parameters) if parameters else ''
        return (f"postgresql://{quote(user, safe='')}{secret}@{self.host}:{self.port}/"
                f"{quote(db, safe='')}{query}")

    def run(self, program: str, *arguments: str, db: str = 'postgres', check: bool = True,
            stdin: str | None = None) -> subprocess.CompletedProcess:
        """Run one of PostgreSQL's client programs as the superuser."""
        result = subprocess.run([self.clients / program, *arguments], text=True,
                                capture_output=True, input=stdin or '',
                                env=clean_env(**self.env(db)), check=False)
        if check and result.returncode != 0:
            raise RuntimeError(f'{program} failed ({result.returncode}): {result.stderr.strip()}')
        return result

    def psql(self, db: str, sql: str) -> str:
        """Unaligned rows, `|` between columns; an error in the SQL raises."""
        return self.run('psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-f', '-',
                        db=db, stdin=sql).stdout.rstrip('\n')

    def create_db(self, name: str, from_sql_file: str | Path | None = None,
                  owner: str = SUPERUSER) -> None:
        self.run('createdb', '-O', owner, '-T', 'template0', '-E', 'UTF8', name)
        if from_sql_file is not None:
            self.run('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', str(from_sql_file), db=name)

    def create_role(self, name: str, password: str, options: str = 'login') -> None:
        quoted = password.replace("'", "''")
        self.psql('postgres', f'create role "{name}" {options} password \'{quoted}\'')

    def pg_dump(self, db: str, *arguments: str) -> str:
        """A plain dump that two equal databases share: the random \\restrict key is taken out."""
        return normalise_dump(self.run('pg_dump', *arguments, db=db).stdout)

    def sessions(self) -> list[dict[str, str]]:
        """The clients that are connected, this look itself left out."""
        columns = ('pid', 'usename', 'datname', 'application_name', 'state', 'query')
        rows = self.psql('postgres', "select concat_ws(chr(31), pid, usename, datname, "
                         "application_name, state, translate(query, chr(10), ' ')) "
                         "from pg_stat_activity where backend_type = 'client backend' "
                         "and pid <> pg_backend_pid() order by pid")
        return [dict(zip(columns, row.split('\x1f'))) for row in rows.split('\n') if row]


def normalise_dump(text: str) -> str:
    return re.sub(r'^(\\(?:un)?restrict) \S+$', r'\1 KEY', text, flags=re.MULTILINE)


def init_folder(folder: Path, bin_dir: Path, password: str, local_auth: str) -> None:
    """initdb in folder/data, with folder/socket beside it."""
    folder.chmod(0o755)             # other users' clients must reach the socket and the CA file
    for name in ('data', 'socket'):
        (folder / name).mkdir()
        give_to_server(folder / name)
    password_file = folder / 'password'
    password_file.touch(0o600)
    give_to_server(password_file)
    password_file.write_text(password + '\n')
    run_server_program([bin_dir / 'initdb', '-D', folder / 'data', '-U', SUPERUSER, '-A',
                        'scram-sha-256', f'--auth-local={local_auth}',
                        f'--pwfile={password_file}', '-E', 'UTF8', '--locale=C.UTF-8', '-N'],
                       folder)
    password_file.unlink()


def run_server_program(argv: list, folder: Path, check: bool = True) -> None:
    """Output goes to a file: a server that stays behind would keep a pipe open for ever."""
    with open(folder / 'tool.log', 'w+', encoding='utf-8') as log:
        done = subprocess.run([str(part) for part in argv], stdin=subprocess.DEVNULL, stdout=log,
                              stderr=log, cwd=folder, env=clean_env(), check=False,
                              **server_user())
        if check and done.returncode != 0:
            log.seek(0)
            raise RuntimeError(f'{argv[0]} failed: {log.read().strip()}')


# The program form: the cluster outlives this process, so pg_ctl starts and stops it.

def start_folder(folder: Path) -> None:
    bin_dir, socket = find_bin(), folder / 'socket'
    if len(str(socket)) > 85:
        raise RuntimeError(f'{socket} is too long for a Unix socket')
    stop_folder(folder)             # what an interrupted run left
    folder.mkdir(parents=True, exist_ok=True)
    password = 'test-password'
    init_folder(folder, bin_dir, password, 'trust')
    (folder / 'log').touch()
    give_to_server(folder / 'log')
    try:
        for attempt in range(5):
            port = free_port()
            settings = {**SETTINGS, 'port': str(port), 'unix_socket_directories': str(socket)}
            options = ' '.join(f"-c {name}='{value}'" for name, value in settings.items())
            try:
                run_server_program([bin_dir / 'pg_ctl', '-D', folder / 'data', '-l', folder / 'log',
                                    '-w', '-o', options, 'start'], folder)
                break
            except RuntimeError:
                if attempt == 4:
                    raise
        # One server has one port, but tests want a constant one on the socket: a second name.
        (socket / '.s.PGSQL.5432').symlink_to(f'.s.PGSQL.{port}')
        (folder / 'port').write_text(f'{port}\n')
        values = {'PGHOST': socket, 'PGPORT': 5432, 'PGUSER': SUPERUSER, 'PGPASSWORD': password,
                  'PGDATABASE': 'postgres', 'BP_TEST_PG_TCP_PORT': port}
        (folder / 'env').write_text(''.join(f'{key}={value}\n' for key, value in values.items()))
    except BaseException:
        stop_folder(folder)
        raise


def stop_folder(folder: Path) -> None:
    """Stop the server if it runs, and take away what start_folder() made."""
    if (folder / 'data' / 'postmaster.pid').exists():
        run_server_program([find_bin() / 'pg_ctl', '-D', folder / 'data', '-m', 'immediate', '-w',
                            'stop'], folder, check=False)
    for name in ('data', 'socket'):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ('port', 'env', 'log', 'tool.log', 'password'):
        (folder / name).unlink(missing_ok=True)
    try:
        folder.rmdir()
    except OSError:
        pass        # it holds something that is not ours


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description='A PostgreSQL cluster for tests.')
    parser.add_argument('action', choices=('start', 'stop'))
    parser.add_argument('folder', type=Path)
    options = parser.parse_args(arguments)
    try:
        (start_folder if options.action == 'start' else stop_folder)(options.folder.absolute())
    except (RuntimeError, OSError) as problem:
        print(f'postgres.py: {problem}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
