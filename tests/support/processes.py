"""Helpers for servers that tests start: free ports, and children that never outlive a test."""
from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

PR_SET_PDEATHSIG = 1
# Pre-set on some machines, and they would win over what a test sets.
FOREIGN = ('GIT_SSL_CAINFO', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'CURL_CA_BUNDLE',
           'NODE_EXTRA_CA_CERTS', 'http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY',
           'ALL_PROXY', 'all_proxy')
_libc = ctypes.CDLL(None, use_errno=True)


def clean_env(**extra: str) -> dict[str, str]:
    """The environment without what a test must not depend on, and without PG* and GIT_*."""
    env = {name: value for name, value in os.environ.items()
           if name not in FOREIGN and not name.startswith(('PG', 'GIT_', 'BACKPROOF_'))}
    return {**env, 'LC_ALL': 'C.UTF-8', **extra}


def free_port() -> int:
    """A port that was free a moment ago: whoever uses it must be ready to try another one."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def short_temp_folder(prefix: str) -> Path:
    """A new folder whose path leaves room for a Unix socket's name (107 bytes in all)."""
    base = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix=prefix, dir=base if len(base) < 60 else '/tmp'))


def spawn(argv: list[str], death_signal: signal.Signals = signal.SIGTERM,
          **options) -> subprocess.Popen:
    """A child in its own process group that the kernel ends when the starting thread ends,
    even after SIGKILL: start servers from a thread that lives as long as they shall."""
    def in_child() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)

    options.setdefault('stdin', subprocess.DEVNULL)
    options.setdefault('env', clean_env())
    return subprocess.Popen(argv, start_new_session=True, preexec_fn=in_child, **options)


def end(child: subprocess.Popen, sig: signal.Signals = signal.SIGTERM, timeout: float = 10) -> None:
    """End a child of spawn() and everything left in its process group."""
    if child.poll() is None:
        child.send_signal(sig)
        try:
            child.wait(timeout)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def unwind_on_sigterm() -> None:
    """Let SIGTERM and SIGHUP leave `with` blocks as Ctrl-C does: folders vanish, servers stop."""
    def leave(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
