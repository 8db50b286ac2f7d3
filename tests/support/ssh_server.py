"""A Git server over SSH for tests: OpenSSH's sshd on 127.0.0.1, with keys of its own.

    with SshServer() as server:
        server.create('backups')
        env = {'GIT_SSH_COMMAND': server.command(key=server.key)}
        subprocess.run(['git', 'clone', server.url('backups')], env={**os.environ, **env})

Whoever logs in runs git-shell and nothing else. Started by root, sshd runs as the user of the test
clusters: as root it would need a folder of the system for itself.
"""
from __future__ import annotations

import os
import pwd
import shlex
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from git_server import GIT_CONFIG, find
from postgres import give_to_server, server_user
from processes import clean_env, end, free_port, short_temp_folder, spawn

CONFIG = '''
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
AuthenticationMethods publickey
AcceptEnv GIT_PROTOCOL
UsePAM no
StrictModes no
LogLevel VERBOSE
'''
# What the one who logs in may run: git-shell takes the commands of a fetch and a push only.
SERVE = '''#!/bin/sh
export GIT_CONFIG_GLOBAL={folder}/gitconfig GIT_CONFIG_NOSYSTEM=1
cd {folder}/repos && exec git shell -c "$SSH_ORIGINAL_COMMAND"
'''


class SshServer:
    def __init__(self) -> None:
        self.folder: Path = Path()
        self.port = 0
        self.user = server_user().get('user')
        self.user = pwd.getpwuid(os.getuid() if self.user is None else self.user).pw_name
        self._sshd: subprocess.Popen | None = None
        self._agent: subprocess.Popen | None = None

    # Life

    def __enter__(self) -> 'SshServer':
        self.folder = short_temp_folder('bp-ssh-')
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc) -> None:
        for child in (self._agent, self._sshd):
            if child is not None:
                end(child, signal.SIGTERM, timeout=5)
        self._agent = self._sshd = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> None:
        self.folder.chmod(0o755)
        (self.folder / 'repos').mkdir()
        give_to_server(self.folder / 'repos')
        (self.folder / 'gitconfig').write_text(GIT_CONFIG)
        for name in ('host_key', 'key', 'other_key'):
            subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', name, '-f',
                            str(self.folder / name)], check=True, stdin=subprocess.DEVNULL)
        give_to_server(self.folder / 'host_key')
        serve = self.folder / 'serve'
        serve.write_text(SERVE.format(folder=self.folder))
        serve.chmod(0o755)
        (self.folder / 'authorized_keys').write_text(
            f'command="{serve}",restrict {(self.folder / "key.pub").read_text()}')
        for _ in range(5):
            if self._start_sshd():
                host_key = (self.folder / 'host_key.pub').read_text()
                (self.folder / 'known_hosts').write_text(f'[127.0.0.1]:{self.port} {host_key}')
                return
        raise RuntimeError(f'sshd does not start: {self.log()}')

    def _start_sshd(self) -> bool:
        """False when it ends at once: somebody took the port, or it dislikes the settings."""
        self.port = free_port()
        config = self.folder / 'sshd_config'
        config.write_text(CONFIG.format(folder=self.folder, port=self.port))
        with open(self.folder / 'log', 'ab') as log:
            # sshd wants to be called by its whole path.
            sshd = spawn([find('sshd'), '-D', '-e', '-f', str(config)], stdout=log, stderr=log,
                         cwd=self.folder, **server_user())
        self._sshd = sshd
        while sshd.poll() is None:
            try:
                socket.create_connection(('127.0.0.1', self.port), 10).close()
                return sshd.poll() is None
            except ConnectionRefusedError:
                time.sleep(0.01)        # it is still reading its settings
        return False

    def log(self) -> str:
        path = self.folder / 'log'
        return path.read_text(errors='replace') if path.exists() else ''

    # Use

    @property
    def key(self) -> Path:
        """The one that opens."""
        return self.folder / 'key'

    @property
    def other_key(self) -> Path:
        """One that the server does not know."""
        return self.folder / 'other_key'

    def create(self, name: str, branch: str = 'main') -> Path:
        path = self.path(name)
        self._git('init', '-q', '--bare', '-b', branch, str(path))
        for key in ('uploadpack.allowFilter', 'uploadpack.allowAnySHA1InWant'):
            self._git('-C', str(path), 'config', key, 'true')
        return path

    def path(self, name: str) -> Path:
        return self.folder / 'repos' / f'{name}.git'

    def url(self, name: str) -> str:
        return f'ssh://{self.user}@127.0.0.1:{self.port}{self.path(name)}'

    def config(self, key: Path | None = None, known: bool = True) -> Path:
        """Settings for a client: nothing of the user's own, this key or none, and the host `backups`
        for addresses like backups:name.git."""
        hosts = self.folder / 'known_hosts' if known else '/dev/null'
        path = self.folder / f'config-{key.name if key else "none"}-{known}'
        path.write_text(f'Host backups\n HostName 127.0.0.1\n Port {self.port}\n'
                        f' User {self.user}\nHost *\n UserKnownHostsFile {hosts}\n'
                        f' GlobalKnownHostsFile /dev/null\n IdentityFile {key or "none"}\n')
        path.chmod(0o600)
        return path

    def command(self, key: Path | None = None, known: bool = True) -> str:
        """How git is to call ssh."""
        return f'ssh -F {shlex.quote(str(self.config(key, known)))}'

    def agent(self, key: Path) -> str:
        """Start an agent that holds this key; the path of its socket."""
        path, program = self.folder / 'agent', self.folder / 'ssh-agent'
        # Debian's belongs to a group of its own, for which the kernel forgets to end it with us.
        shutil.copyfile(find('ssh-agent'), program)
        program.chmod(0o755)
        self._agent = spawn([str(program), '-D', '-a', str(path)], stdout=subprocess.DEVNULL)
        while not path.exists():
            if self._agent.poll() is not None:
                raise RuntimeError('ssh-agent does not start')
            time.sleep(0.01)
        subprocess.run(['ssh-add', '-q', str(key)], check=True, stdin=subprocess.DEVNULL,
                       env=clean_env(SSH_AUTH_SOCK=str(path)))
        return str(path)

    def git(self, name: str, *arguments: str) -> str:
        """Run git inside the server's copy, as its administrator would."""
        return self._git('-C', str(self.path(name)), *arguments)

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(['git', *arguments], text=True, capture_output=True, check=False,
                              stdin=subprocess.DEVNULL, env=clean_env(
                                  GIT_CONFIG_GLOBAL=str(self.folder / 'gitconfig'),
                                  GIT_CONFIG_NOSYSTEM='1'), **server_user())
        if done.returncode != 0:
            raise RuntimeError(f'git {" ".join(arguments)}: {done.stderr.strip()}')
        return done.stdout + done.stderr
