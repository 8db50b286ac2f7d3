"""Random faults: each branch ends with exactly one run, or with a failure that has a reason.

BP_SEED=N tries one script alone; BP_SCRIPTS=N tries so many.
"""
from __future__ import annotations

import json
import os
import random
import unittest
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from harness import unwind_on_sigterm
from dispatching import BRANCHES, DISPATCHES, LOOKS, REPO, DispatchTest, check_schema
from fake_github import FakeGitHub

GOOD = ('started', 'finished', 'appeared')
ENV = {'BACKPROOF_RETRY_DELAY': '10ms', 'BACKPROOF_POLL_INTERVAL': '30ms',
       'BACKPROOF_SETTLE': '400ms', 'BACKPROOF_REQUEST_TIMEOUT': '2s', 'BACKPROOF_TIMEOUT': '30s'}
ANYWHERE = [('status', {'status': 500}), ('status', {'status': 502}), ('status', {'status': 503}),
            ('reset_before', {}), ('hang', {}), ('slow', {'seconds': 0.2}), ('truncated', {}),
            ('garbage', {}), ('rate_limit_secondary', {'retry_after': 0}),
            ('rate_limit_secondary', {'retry_after': 1, 'status': 429}),
            ('rate_limit_primary', {'until_reset': True, 'seconds': 1})]
ACCEPTED = [('error_after_accept', {}), ('error_after_accept', {'status': 502}),
            ('reset_after_accept', {}), ('hang_after_accept', {}), ('garbage', {'status': 204}),
            ('truncated', {}), ('garbage', {})]
REFUSED = [('status', {'status': 422, 'body': {'message': 'no'}}), ('status', {'status': 404}),
           ('status', {'status': 403}), ('status', {'status': 401})]
READING = [LOOKS, '/runs', r'/runs/\d+$', '/branches/', '/contents/', '/backup.yml$', '/user$',
           f'/repos/{REPO}$', '/permissions', '']


def setUpModule() -> None:
    unwind_on_sigterm()


@dataclass
class Script:
    """What happens to one call of the program."""
    seed: int
    options: dict = field(default_factory=dict)
    faults: list[dict] = field(default_factory=list)
    others: list[dict] = field(default_factory=list)
    marked: bool = False
    until: str = 'started'

    @classmethod
    def random(cls, seed: int) -> 'Script':
        dice = random.Random(seed)
        script = cls(seed, {'run_details': dice.random() < 0.5, 'list_order': dice.choice(
            ('newest', 'shuffled')), 'seed': seed}, marked=dice.random() < 0.3,
            until=dice.choice(GOOD))
        if dice.random() < 0.2:
            script.options['retired_versions'] = ['2022-11-28']
        for _ in range(dice.randint(1, 3)):
            kind, more = dice.choice(ANYWHERE + 2 * ACCEPTED + REFUSED)
            script.add(dice, kind, more, 'POST', DISPATCHES)
        for _ in range(dice.randint(0, 4)):
            kind, more = dice.choice(ANYWHERE)
            script.add(dice, kind, more, 'GET', dice.choice(READING))
        for before in (True, False):
            if dice.random() < 0.5:
                script.others.append({'before': before, 'times': 3, 'actor': (
                    'octocat' if script.marked else 'hubot')})
        return script

    def add(self, dice: random.Random, kind: str, more: dict, method: str, path: str) -> None:
        times = 1 if kind.startswith('hang') else dice.choice((1, 1, 2, 3))
        self.faults.append({'kind': kind, 'method': method, 'path_regex': path, 'times': times,
                            'after': dice.choice((0, 0, 1, 2)), **more})

    def set_up(self, fake: FakeGitHub) -> None:
        fake.set_plan(finish_after=0)
        for fault in self.faults:
            fake.fault(**fault)
        for other in self.others:
            fake.on_dispatch_also(REPO, inputs={'mark': 'theirs'}, **other)

    def words(self) -> tuple[str, ...]:
        return ('--until', self.until, *(('--marker-input', 'mark') if self.marked else ()))


@dataclass
class Outcome:
    script: Script
    fake: FakeGitHub
    status: int
    out: str
    err: str

    def ours(self, branch: str) -> list:
        return [run for run in self.fake.runs_of(REPO, branch)
                if run.actor == 'octocat' and 'theirs' not in run.title]

    def __str__(self) -> str:
        calls = [f'{call.method} {call.target} -> {call.status} {call.fault or ""}'
                 for call in self.fake.calls()]
        runs = [f'{run.id} {run.branch} {run.actor} {run.title}' for run in self.fake.runs]
        return '\n'.join([f'BP_SEED={self.script.seed}', repr(self.script), *calls, *runs,
                          f'status {self.status}', self.out, self.err])


class RandomFaults(DispatchTest):
    def play(self, script: Script) -> Outcome:
        fake = self.serve(**script.options)
        script.set_up(fake)
        child = self.start(*self.words(tuple(BRANCHES), ('--format', 'json', *script.words())),
                           **ENV, GITHUB_API_URL=fake.url)
        self.addCleanup(self.kill, child)
        out, err = child.communicate(timeout=55)
        return Outcome(script, fake, child.returncode, out, err)

    def judge(self, outcome: Outcome) -> None:
        answer = json.loads(outcome.out)
        check_schema(answer)
        good = 0
        for result in answer['results']:
            runs = outcome.ours(result['branch'])
            self.assertLessEqual(len(runs), 1, outcome)
            if result['result'] in GOOD:
                good += 1
                self.assertEqual([result['run_id']], [run.id for run in runs], outcome)
                continue
            self.assertIn(result['result'], ('failed', 'timed-out'), outcome)
            self.assertGreater(len(result['reason']), 10, outcome)
            if runs:
                self.assertNotIn('nothing was started', result['reason'], outcome)
                self.assertGreater(result['attempts'], 0, outcome)
        self.assertEqual((good, 3 - good), (answer['succeeded'], answer['failed']), outcome)
        self.assertEqual(good > 0, outcome.status == 0, outcome)

    def test_never_two_runs(self) -> None:
        seeds = range(1, 1 + int(os.environ.get('BP_SCRIPTS', '25')))
        if 'BP_SEED' in os.environ:
            seeds = [int(os.environ['BP_SEED'])]
        with ThreadPoolExecutor(12) as pool:
            outcomes = list(pool.map(self.play, map(Script.random, seeds)))
        for outcome in outcomes:
            with self.subTest(seed=outcome.script.seed):
                self.judge(outcome)
        self.assert_clean()
        if len(outcomes) >= 25:     # the scripts shall not all end the same way
            self.assertEqual({True, False}, {'"result": "failed"' in one.out for one in outcomes})


if __name__ == '__main__':
    unittest.main()
