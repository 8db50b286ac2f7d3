"""Lets each run of the fake GitHub execute a command, the way a runner would."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from pathlib import Path

from fake_github_model import Run
from fake_github_state import State

CANCEL_GRACE = 7.5      # a runner sends SIGINT, and something harder after this many seconds


class CommandRunner:
    """Starts the command of a run when the run is due, and ends the run with it.

    Each command runs in a process group of its own, so that stop() also ends what it started.
    """

    def __init__(self, state: State, argv: list[str], server_url: str, folder: Path) -> None:
        self.state, self.argv, self.server_url, self.folder = state, argv, server_url, folder
        self.waiting: list[Run] = []
        self.children: dict[int, subprocess.Popen] = {}     # by run id
        self.threads: list[threading.Thread] = []
        self.stopped = False
        folder.mkdir(parents=True, exist_ok=True)
        state.on_dispatch, state.on_cancel = self.accept, self.cancel

    def log_file(self, run_id: int) -> Path:
        return self.folder / f'run-{run_id}.log'

    def accept(self, run: Run) -> None:
        run.driven = True
        with self.state.lock:
            self.waiting.append(run)
        if self.state.clock.mode == 'real' and run.plan.start_after is not None:
            self._later(run.plan.start_after, self.tick)

    def _later(self, seconds: float, action) -> None:
        timer = threading.Timer(seconds, action)
        timer.daemon = True     # a timer that is no longer needed keeps nothing alive
        timer.start()

    def tick(self) -> None:
        """Start what is due. Called when time passed: a timer, a request, advance()."""
        with self.state.lock:
            now = self.state.clock.now()
            for run in list(self.waiting):
                if run.ended_at is not None or self.stopped:
                    self.waiting.remove(run)
                elif run.may_start(now):
                    self.waiting.remove(run)
                    self._start(run, now)

    def _start(self, run: Run, now: float) -> None:
        outer = {name: value for name, value in os.environ.items()
                 if not name.startswith(('GITHUB_', 'RUNNER_'))}     # of the tests' own job
        env = {**outer, 'GITHUB_ACTIONS': 'true', 'GITHUB_RUN_ID': str(run.id),
               'GITHUB_RUN_NUMBER': str(run.number), 'GITHUB_RUN_ATTEMPT': '1',
               'GITHUB_REPOSITORY': run.repo.full_name, 'GITHUB_WORKFLOW': run.workflow.name,
               'GITHUB_REF_NAME': run.branch, 'GITHUB_REF': f'refs/heads/{run.branch}',
               'GITHUB_SHA': run.sha, 'GITHUB_EVENT_NAME': run.event, 'GITHUB_ACTOR': run.actor,
               'GITHUB_SERVER_URL': self.server_url, 'GITHUB_API_URL': self.server_url,
               'FAKE_RUN_INPUTS': json.dumps(run.inputs)}
        run.started_at = now
        with open(self.log_file(run.id), 'wb') as log:
            try:
                child = subprocess.Popen(self.argv, env=env, stdin=subprocess.DEVNULL, stdout=log,
                                         stderr=subprocess.STDOUT, start_new_session=True)
            except OSError as problem:
                log.write(f'cannot run {self.argv[0]}: {problem}\n'.encode())
                run.end(now, 'startup_failure')
                return
        self.children[run.id] = child
        thread = threading.Thread(target=self._wait, args=(run, child))
        self.threads.append(thread)
        thread.start()

    def _wait(self, run: Run, child: subprocess.Popen) -> None:
        status = child.wait()
        kill_group(child.pid, signal.SIGTERM)       # a runner ends what a step left behind, too
        with self.state.lock:
            self.children.pop(run.id, None)
        self.state.end_run(run, 'success' if status == 0 else 'failure')

    def cancel(self, run: Run) -> None:
        with self.state.lock:
            child = self.children.get(run.id)
            if child is not None:
                child.send_signal(signal.SIGINT)        # to the step's process only
                self._later(CANCEL_GRACE, lambda: end_group(child, signal.SIGKILL))

    def stop(self) -> None:
        with self.state.lock:
            self.stopped = True
            children = list(self.children.values())
        for child in children:
            end_group(child, signal.SIGTERM)
        for child in children:
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                end_group(child, signal.SIGKILL)
        for thread in self.threads:
            thread.join()


def end_group(child: subprocess.Popen, sig: signal.Signals) -> None:
    if child.poll() is None:
        kill_group(child.pid, sig)


def kill_group(group: int, sig: signal.Signals) -> None:
    try:
        os.killpg(group, sig)
    except ProcessLookupError:
        pass        # nobody is left in it
