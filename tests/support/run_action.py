"""Runs action.yml here, with GitHub's own expression engine; see run_action.mjs.

The engine and GitHub's checkers of workflows come from npm, in the versions that
lint_actions/package-lock.json names.
"""
from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from npm_tools import install

HERE = Path(__file__).resolve().parent


def install_tools() -> Path:
    """The folder with node_modules."""
    return install(HERE / 'lint_actions', 'actions').parent


@dataclass
class Step:
    name: str
    status: int | str       # a signal's name when one ended it
    ms: int
    log: str
    outputs: dict[str, str]
    summary: str


@dataclass
class Ran:
    steps: list[Step]
    outputs: dict[str, str]
    status: int | str
    title: str                  # with a workflow: what its run is called
    job: dict[str, str]         # the same: the outputs of its job

    @property
    def log(self) -> str:
        return ''.join(step.log for step in self.steps)

    def __str__(self) -> str:
        return '\n'.join(f'step "{step.name}": status {step.status}\n{step.log}'
                         for step in self.steps)


class ActionRun:
    """One run of the action in a folder, with the environment of a job; or of the step of a
    workflow that uses it, which then gives the inputs."""

    def __init__(self, action: Path, folder: Path, inputs: dict[str, str], env: dict[str, str],
                 github: dict[str, str] | None = None, workflow: dict | None = None) -> None:
        folder.mkdir()
        self.result = folder / 'result.json'
        request = folder / 'request.json'
        request.write_text(json.dumps({
            'action': str(action), 'inputs': inputs, 'env': env, 'github': github or {},
            'folder': str(folder), 'workflow': workflow}), encoding='utf-8')
        self.child = subprocess.Popen(
            ['node', str(HERE / 'run_action.mjs'), str(install_tools()), str(request),
             str(self.result)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True)

    def cancel(self) -> None:
        """What a runner does when somebody cancels the job."""
        self.child.send_signal(signal.SIGINT)

    def finish(self, timeout: float = 60) -> Ran:
        try:
            said, _ = self.child.communicate(timeout=timeout)
        finally:
            self.kill()
        if self.child.returncode != 0:
            raise RuntimeError(f'run_action.mjs: {said}')
        answer = json.loads(self.result.read_text(encoding='utf-8'))
        return Ran([Step(**step) for step in answer['steps']], answer['outputs'],
                   answer['status'], answer['title'], answer['job'])

    def kill(self) -> None:
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()
