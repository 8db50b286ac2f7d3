"""A Git server for tests: nginx, fcgiwrap and git-http-backend, with a password. With public=True
everybody may read without one, as in a public repository; pushing still needs it.

    with GitServer(user='backup', password='s3cret') as server:
        server.create('backups')
        subprocess.run(['git', 'push', server.url('backups', with_auth=True), 'main'])
"""
from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from processes import clean_env, end, free_port, short_temp_folder, spawn
from tls import make_certificate

BACKEND = '/usr/lib/git-core/git-http-backend'
WORKERS = 4             # a hook or a slow upload must not block the next request

# One process only: no master that could leave a worker behind, and no change of user, so that
# the repositories belong to whoever serves them.
CONFIG = '''
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 256; }}
http {{
    log_format requests '$status\\t$request_length\\t$bytes_sent\\t$remote_user\\t$request_method'
                        '\\t$request_uri';
    access_log {folder}/access.log requests;
    client_max_body_size {body_limit};
    client_body_temp_path {folder}/tmp-body;
    proxy_temp_path {folder}/tmp-proxy;
    fastcgi_temp_path {folder}/tmp-fastcgi;
    uwsgi_temp_path {folder}/tmp-uwsgi;
    scgi_temp_path {folder}/tmp-scgi;
    {certificate}
    map $request_uri $realm {{ default {realm}; ~git-receive-pack "git"; }}
    server {{
        listen 127.0.0.1:{port}{ssl};
        auth_basic $realm;
        auth_basic_user_file {folder}/htpasswd;
        location = /barrier {{ auth_basic off; return 204; }}
        location / {{
            fastcgi_pass unix:{folder}/fcgi.sock;
            fastcgi_read_timeout 300s;
            fastcgi_request_buffering off;      # a push streams, as it does to any forge
            fastcgi_param SCRIPT_FILENAME {backend};
            fastcgi_param GIT_PROJECT_ROOT {folder}/repos;
            fastcgi_param GIT_HTTP_EXPORT_ALL 1;
            fastcgi_param GIT_CONFIG_GLOBAL {folder}/gitconfig;
            fastcgi_param GIT_CONFIG_NOSYSTEM 1;
            fastcgi_param GIT_PROTOCOL $http_git_protocol;
            {trace}
            fastcgi_param PATH_INFO $uri;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param REMOTE_USER $remote_user;
            fastcgi_param REMOTE_ADDR $remote_addr;
        }}
    }}
}}
'''

# The server's own settings: repositories of any owner, no housekeeping behind a test's back.
GIT_CONFIG = '''[safe]
	directory = *
[gc]
	auto = 0
[receive]
	autogc = false
[init]
	defaultBranch = main
'''

# Every pack that is sent is kept as well.
PACK_HOOK = '''#!/bin/bash
set -o pipefail
"$@" | tee "{folder}/sent/$$.part"
result=$?
mv "{folder}/sent/$$.part" "{folder}/sent/$$.pack"
exit $result
'''


@dataclass
class Access:
    """One answered request; received counts head and body, sent the whole answer."""
    status: int
    received: int
    sent: int
    user: str
    method: str
    uri: str


class GitServer:
    def __init__(self, user: str = 'backup', password: str = 's3cret', tls: bool = False,
                 public: bool = False, watch: bool = False, body_limit: str = '0') -> None:
        """public: without a password. watch: sent_objects() and pushed_objects() can tell.
        body_limit: of a request, as nginx writes it; 0: none."""
        self.user, self.password, self.tls = user, password, tls
        self.public, self.watch, self.body_limit = public, watch, body_limit
        self.folder: Path = Path()
        self.port = 0
        self.ca_file: Path | None = None
        self._children: list[subprocess.Popen] = []
        self._barriers = 0
        self._tls = ssl.create_default_context()

    # Life

    def __enter__(self) -> 'GitServer':
        self.folder = short_temp_folder('bp-git-')
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc) -> None:
        for child in self._children:
            end(child, signal.SIGTERM, timeout=5)
        self._children.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> None:
        (self.folder / 'repos').mkdir()
        (self.folder / 'gitconfig').write_text(GIT_CONFIG)
        if self.watch:
            self._watch()
        self.set_password(self.password)
        certificate = ''
        if self.tls:
            self.ca_file, key = make_certificate(self.folder)
            self._tls = ssl.create_default_context(cafile=str(self.ca_file))
            certificate = f'ssl_certificate {self.ca_file}; ssl_certificate_key {key};'
        with socket.socket(socket.AF_UNIX) as fcgi, \
                open(self.folder / 'errors.log', 'ab') as errors:
            fcgi.bind(str(self.folder / 'fcgi.sock'))
            fcgi.listen(64)
            # Separate processes and no fcgiwrap -c N: its own children survive their parent.
            for _ in range(WORKERS):
                self._children.append(spawn([find('fcgiwrap'), '-f'], stdin=fcgi, stdout=errors,
                                            stderr=errors))
        for _ in range(5):
            if self._start_nginx(certificate):
                return
        raise RuntimeError(f'nginx does not start: {self.errors()}')

    def _start_nginx(self, certificate: str) -> bool:
        """False when it ends at once: somebody took the port, or it dislikes the settings."""
        self.port = free_port()
        (self.folder / 'nginx.conf').write_text(CONFIG.format(
            folder=self.folder, port=self.port, backend=BACKEND, certificate=certificate,
            trace=f'fastcgi_param GIT_TRACE2_EVENT {self.folder}/trace;' if self.watch else '',
            ssl=' ssl' if self.tls else '', realm='off' if self.public else '"git"',
            body_limit=self.body_limit))
        with open(self.folder / 'errors.log', 'ab') as errors:
            nginx = spawn([find('nginx'), '-p', str(self.folder), '-c',
                           str(self.folder / 'nginx.conf'), *early_log(self.folder)],
                          stdout=errors, stderr=errors)
        self._children.append(nginx)
        while nginx.poll() is None:
            try:
                socket.create_connection(('127.0.0.1', self.port), 10).close()
                return nginx.poll() is None
            except ConnectionRefusedError:
                time.sleep(0.01)        # it is still reading its settings
        return False

    def _watch(self) -> None:
        """git takes the hook from its user's settings only, not from a repository's."""
        (self.folder / 'sent').mkdir()
        (self.folder / 'trace').mkdir()         # git makes a file for each process
        hook = self.folder / 'pack-objects'
        hook.write_text(PACK_HOOK.format(folder=self.folder))
        hook.chmod(0o755)
        with (self.folder / 'gitconfig').open('a') as settings:
            settings.write(f'[uploadpack]\n\tpackObjectsHook = {hook}\n')

    def errors(self) -> str:
        return ''.join((self.folder / name).read_text(errors='replace') for name in
                       ('errors.log', 'nginx-error.log') if (self.folder / name).exists())

    # Use

    def create(self, name: str, branch: str = 'main') -> Path:
        path = self.path(name)
        self._git('init', '-q', '--bare', '-b', branch, str(path))
        for key, value in (('http.receivepack', 'true'), ('uploadpack.allowFilter', 'true'),
                           ('uploadpack.allowAnySHA1InWant', 'true')):
            self._git('-C', str(path), 'config', key, value)
        return path

    def path(self, name: str) -> Path:
        return self.folder / 'repos' / f'{name}.git'

    def url(self, name: str, with_auth: bool = False) -> str:
        scheme = 'https' if self.tls else 'http'
        secret = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@"
        return f"{scheme}://{secret if with_auth else ''}127.0.0.1:{self.port}/{name}.git"

    def set_password(self, password: str) -> None:
        """Holds from the next request on: nginx reads the file each time."""
        self.password = password
        salt = os.urandom(8)
        digest = base64.b64encode(hashlib.sha1(password.encode() + salt).digest() + salt).decode()
        part = self.folder / 'htpasswd.part'
        part.write_text(f'{self.user}:{{SSHA}}{digest}\n')     # {PLAIN} would end at a colon
        part.replace(self.folder / 'htpasswd')

    def install_hook(self, name: str, hook: str, script: str) -> None:
        path = self.path(name) / 'hooks' / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(script if script.startswith('#!') else f'#!/bin/sh\n{script}\n')
        path.chmod(0o755)

    def allow_filters(self, name: str) -> None:
        """As a host that sends a commit without trees or trees without files, but nothing between
        (https://git-scm.com/docs/git-config, uploadpackfilter)."""
        for key, value in (('allow', 'false'), ('blob:none.allow', 'true'), ('tree.allow', 'true'),
                           ('tree.maxDepth', '0')):
            self.git(name, 'config', f'uploadpackfilter.{key}', value)

    def git(self, name: str, *arguments: str) -> str:
        """Run git inside the server's copy, as its administrator would."""
        return self._git('-C', str(self.path(name)), *arguments)

    def fsck(self, name: str) -> str:
        """Raises when the repository is damaged; returns what git said about it."""
        return self.git(name, 'fsck', '--full', '--strict', '--no-dangling')

    def accesses(self, name: str = '') -> list[Access]:
        """What was answered so far, for one repository or for all."""
        found = []
        for line in self._log_lines():
            status, received, sent, user, method, uri = line.split('\t')
            if uri.startswith(f'/{name}.git' if name else '/'):
                found.append(Access(int(status), int(received), int(sent), user, method, uri))
        return found

    def _log_lines(self) -> list[str]:
        """nginx logs after it has answered: a client may read here before its line is written. A
        request of our own is handled behind the others; wait for its line."""
        self._barriers += 1
        mark = f'/barrier?{self._barriers}'
        with socket.create_connection(('127.0.0.1', self.port), 10) as plain:
            stream = self._tls.wrap_socket(plain, server_hostname='127.0.0.1') if self.tls else plain
            stream.sendall(f'GET {mark} HTTP/1.0\r\n\r\n'.encode())
            while stream.recv(4096):
                pass
        while True:
            lines = (self.folder / 'access.log').read_text().splitlines()
            if any(line.endswith(f'\t{mark}') for line in lines):
                return [line for line in lines if '\t/barrier?' not in line]
            time.sleep(0.01)

    def received(self, name: str = '') -> int:
        """Bytes that clients sent in pushes: what a backup costs on the wire."""
        return sum(access.received for access in self.accesses(name)
                   if access.method == 'POST' and access.uri.endswith('/git-receive-pack'))

    def forget(self) -> None:
        """What was sent and pushed so far."""
        for path in [*(self.folder / 'sent').iterdir(), *(self.folder / 'trace').iterdir()]:
            path.unlink()

    def sent_objects(self, name: str) -> list[tuple[str, str]]:
        """Id and kind of each object in the packs that clients got of this repository since
        forget(). What a pack leaves out because the client has it is not in it."""
        self._log_lines()       # the hooks of what was answered have ended
        found = []
        with tempfile.TemporaryDirectory(prefix='bp-packs-') as folder:
            self._git('init', '-q', '--bare', folder)
            Path(folder, 'objects/info/alternates').write_text(f'{self.path(name)}/objects\n')
            for pack in sorted((self.folder / 'sent').glob('*.pack')):
                ids = self._ids_in(pack, folder)
                kinds = self._git('-C', folder, 'cat-file', '--batch-check=%(objectname) '
                                  '%(objecttype)', input='\n'.join(ids)).splitlines()
                found += [tuple(line.split()) for line in kinds]
        return found

    def _ids_in(self, pack: Path, folder: str) -> list[str]:
        """A thin pack is made whole with objects behind its own, which do not count."""
        count = int.from_bytes(pack.read_bytes()[8:12], 'big')
        if count == 0:
            return []
        with pack.open('rb') as stream:
            answer = self._git('-C', folder, 'index-pack', '--stdin', '--fix-thin', stdin=stream)
        index = Path(folder, 'objects/pack', f'pack-{answer.split()[-1]}.idx')
        with index.open('rb') as stream:
            entries = [line.split() for line in self._git('show-index', stdin=stream).splitlines()]
        return [entry[1] for entry in sorted(entries, key=lambda entry: int(entry[0]))][:count]

    def pushed_objects(self) -> int:
        """How many objects clients sent since forget(), to whatever repository: the server's own
        programs are told by the pack's head."""
        self._log_lines()
        text = ''.join(path.read_text() for path in (self.folder / 'trace').iterdir())
        return sum(int(count) for count in re.findall(
            r'"event":"child_start"[^\n]*"--pack_header=\d+,(\d+)"', text))

    def _git(self, *arguments: str, stdin=subprocess.DEVNULL, input: str | None = None) -> str:
        source = {'stdin': stdin} if input is None else {'input': input}
        done = subprocess.run(['git', *arguments], text=True, capture_output=True, check=False,
                              **source, env=clean_env(
                                  GIT_CONFIG_GLOBAL=str(self.folder / 'gitconfig'),
                                  GIT_CONFIG_NOSYSTEM='1'))
        if done.returncode != 0:
            raise RuntimeError(f'git {" ".join(arguments)}: {done.stderr.strip()}')
        return done.stdout + done.stderr


def find(program: str) -> str:
    """/usr/sbin is missing from many users' PATH."""
    found = shutil.which(program) or shutil.which(program, path='/usr/sbin:/sbin')
    if found is None:
        raise FileNotFoundError(f'{program} is not installed')
    return found


def early_log(folder: Path) -> list[str]:
    """Where nginx logs before it has read its settings; versions before 1.19.5 cannot be told."""
    text = subprocess.run([find('nginx'), '-v'], text=True, capture_output=True, check=True).stderr
    version = tuple(int(part) for part in re.findall(r'\d+', text)[:3])
    return ['-e', str(folder / 'nginx-error.log')] if version >= (1, 19, 5) else []
