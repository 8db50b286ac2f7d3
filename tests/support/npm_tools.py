"""What the tests take from npm, in the versions that a package-lock.json names."""
from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent


def cache_folder() -> Path:
    """What tests fetch once and keep."""
    chosen = os.environ.get('BP_TEST_CACHE')
    return Path(chosen) if chosen else HERE.parent.parent / 'build' / 'test-cache'


def install(manifest: Path, name: str, *words: str) -> Path:
    """node_modules of this folder's package.json; filled at the first use of each version of its
    lock file. The words go to npm ci."""
    lock = (manifest / 'package-lock.json').read_bytes()
    folder = cache_folder() / f'{name}-{hashlib.sha256(lock).hexdigest()[:16]}'
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / 'lock', 'w', encoding='utf-8') as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)       # two tests may want it at the same time
        if not (folder / 'installed').exists():
            for file in ('package.json', 'package-lock.json'):
                shutil.copy(manifest / file, folder / file)
            result = subprocess.run(
                ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error',
                 *words],
                cwd=folder, stdin=subprocess.DEVNULL, text=True, capture_output=True, check=False)
            if result.returncode != 0:
                raise RuntimeError(f'npm ci failed: {result.stderr.strip()}')
            (folder / 'installed').touch()
    return folder / 'node_modules'


def tools() -> Path:
    """Prism, and PostgreSQL servers of other majors, which are there for one platform only."""
    return install(HERE, 'tools', *(() if has_servers() else ('--omit=dev',)))


def has_servers() -> bool:
    return platform.system() == 'Linux' and platform.machine() == 'x86_64'


def server_programs(major: int, folder: Path) -> Path:
    """The folder with initdb and postgres of this major version, copied into `folder`: the user
    that a server runs as may not enter ours. The links between its libraries, which npm cannot
    pack, are made here."""
    package = tools() / f'postgres-{major}'
    copy = folder / str(major)
    shutil.copytree(package / 'native', copy / 'native', ignore=shutil.ignore_patterns('*.a'))
    for link in json.loads((copy / 'native/pg-symlinks.json').read_text()):
        target = copy / link['target']
        if not target.exists():
            target.symlink_to((copy / link['source']).name)
    return copy / 'native/bin'
