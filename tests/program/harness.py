"""Runs the built program as a user would and looks at what it leaves behind.

BACKPROOF names the program; by default the newest build below build/.
"""
from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests' / 'support'))

from processes import clean_env, unwind_on_sigterm  # noqa: E402
from postgres import Cluster, find_bin  # noqa: E402

SCHEMAS = ROOT / 'tests' / 'data' / 'schemas'
# What the tests' own job has: they must neither depend on it nor write to its page.
OF_A_RUNNER = ('GITHUB_', 'RUNNER_', 'WORKFLOW_TRIGGER_TOKEN')


def find_program() -> str:
    if 'BACKPROOF' in os.environ:
        return os.environ['BACKPROOF']
    built = sorted(ROOT.glob('build/*/backproof'), key=lambda path: path.stat().st_mtime)
    if not built:
        raise SystemExit('no build/*/backproof: build the program first')
    return str(built[-1])


PROGRAM = find_program()


@dataclass
class Result:
    args: tuple[str, ...]
    status: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        return json.loads(self.out)

    def __str__(self) -> str:
        return f'backproof {" ".join(self.args)}: status {self.status}\n{self.out}\n{self.err}'


class ProgramTest(unittest.TestCase):
    """Each test has a temporary folder of its own, which must be empty again after each run."""

    def setUp(self) -> None:
        self.env: dict[str, str] = {}
        self.folder = Path(tempfile.mkdtemp(prefix='bp-program-'))
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.temp = self.folder / 'tmp'
        self.temp.mkdir()

    def start(self, *args: str, **env: str) -> subprocess.Popen:
        full = {name: value for name, value in clean_env().items()
                if not name.startswith(OF_A_RUNNER)}
        # A test that expects no connection would wait for the retries.
        full.update({'BACKPROOF_CONNECT_RETRIES': '0', **self.env, 'TMPDIR': str(self.temp),
                     **env})
        return subprocess.Popen([PROGRAM, *args], env=full, cwd=self.folder,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, start_new_session=True)

    def run_it(self, *args: str, status: int | None = 0, timeout: float = 60,
               **env: str) -> Result:
        child = self.start(*args, **env)
        try:
            out, err = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
            self.fail(f'backproof {" ".join(args)} did not end within {timeout} s')
        result = Result(args, child.returncode, out, err)
        if status is not None:
            self.assertEqual(status, result.status, str(result))
        self.assert_clean()
        return result

    def assert_clean(self) -> None:
        self.assertEqual([], [path.name for path in self.temp.iterdir()],
                         'temporary files were left behind')

    def assert_fails(self, status: int, words: str, *args: str, **env: str) -> Result:
        """The run ends so, with one line of error that holds these words, and no result."""
        result = self.run_it(*args, status=status, **env)
        errors = [line for line in result.err.splitlines() if 'error: ' in line]
        self.assertEqual(1, len(errors), str(result))
        self.assertIn(words, errors[0])
        return result


def sample_cluster(bin_dir: Path | None = None) -> Cluster:
    """A cluster with the roles that the sample schemas expect."""
    cluster = Cluster(bin_dir=bin_dir)
    cluster.__enter__()
    for role in ('shop_app', 'shop_reports'):
        cluster.create_role(role, 'x')
    return cluster


__all__ = ['Cluster', 'PROGRAM', 'ProgramTest', 'ROOT', 'Result', 'SCHEMAS', 'clean_env',
           'find_bin', 'sample_cluster', 'unwind_on_sigterm']
