"""PgBouncer, a real pooler, before a cluster of postgres.py.

    with PgBouncer(cluster, 'session') as pooler:
        pooler.url('shop')
"""
from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from postgres import SUPERUSER, Cluster, give_to_server, server_user
from processes import end, free_port, short_temp_folder, spawn


class PgBouncer:
    def __init__(self, cluster: Cluster, mode: str, **settings: str) -> None:
        self.cluster, self.mode = cluster, mode
        self.settings = {'default_pool_size': '20', **settings}
        self.folder = Path()
        self.port = 0
        self._server: subprocess.Popen | None = None

    def __enter__(self) -> 'PgBouncer':
        self.folder = short_temp_folder('bp-bouncer-')
        give_to_server(self.folder)
        try:
            for _ in range(5):
                self.port = free_port()
                self._write_config()
                self._start()
                if self._wait_until_ready():
                    return self
                end(self._server)
            raise RuntimeError(f'pgbouncer does not start:\n{self.log()}')
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *exc) -> None:
        if self._server is not None:
            end(self._server, signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write_config(self) -> None:
        password = self.cluster.password.replace('"', '""')
        users = self.folder / 'users'
        users.touch(0o600)
        give_to_server(users)
        users.write_text(f'"{SUPERUSER}" "{password}"\n')
        settings = {'listen_addr': '127.0.0.1', 'listen_port': str(self.port),
                    'unix_socket_dir': '', 'auth_type': 'scram-sha-256', 'auth_file': str(users),
                    'pool_mode': self.mode, **self.settings}
        lines = ''.join(f'{name} = {value}\n' for name, value in settings.items())
        (self.folder / 'ini').write_text(
            f'[databases]\n* = host=127.0.0.1 port={self.cluster.port}\n[pgbouncer]\n{lines}')

    def _start(self) -> None:
        program = shutil.which('pgbouncer', path=os.environ['PATH'] + ':/usr/sbin')
        if program is None:
            raise FileNotFoundError('no pgbouncer in PATH or /usr/sbin')
        with open(self.folder / 'log', 'ab') as log:
            self._server = spawn([program, str(self.folder / 'ini')], stdout=log, stderr=log,
                                 cwd=self.folder, **server_user())

    def _wait_until_ready(self, timeout: float = 30) -> bool:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self._server.poll() is None:
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                return True
            except OSError:
                time.sleep(0.02)
        return False

    def log(self) -> str:
        return (self.folder / 'log').read_text(errors='replace')

    def url(self, db: str, password: str | None = None) -> str:
        direct = self.cluster.url(db, password=password)
        return direct.replace(f':{self.cluster.port}/', f':{self.port}/')
