"""backproof dispatch and the run itself: how far it comes, why it does not, how it is ended."""
from __future__ import annotations

import signal
import unittest

from harness import unwind_on_sigterm
from dispatching import CANCELS, DISPATCHES, LOOKS, REPO, DispatchTest

SOON = {'BACKPROOF_START_TIMEOUT': '300ms', 'BACKPROOF_FINISH_TIMEOUT': '300ms'}


def setUpModule() -> None:
    unwind_on_sigterm()


class Stages(DispatchTest):
    def stage(self, until: str, status: int = 0, **env: str) -> dict:
        return self.one(status=status, more=('--until', until), **env)

    def test_appeared(self) -> None:
        self.fake.set_plan(start_after=None, finish_after=None)
        result = self.stage('appeared')
        self.assertEqual(('appeared', 'queued', 'queued'),
                         tuple(result[key] for key in ('result', 'status', 'reason')))

    def test_a_run_that_does_not_appear(self) -> None:
        self.fake.set_plan(appear_after=1000)
        for until in ('appeared', 'started'):
            with self.subTest(until):
                result = self.stage(until, status=6, BACKPROOF_APPEAR_TIMEOUT='300ms')
                self.assertEqual('timed-out', result['result'])
                self.assertIn('its run did not appear in time', result['reason'])
        self.assert_runs(main=2)

    def test_a_run_without_an_id_that_does_not_appear(self) -> None:
        self.fake.run_details = False
        self.fake.set_plan(appear_after=1000)
        self.fails('the dispatch was accepted, but no run appeared in time; hint: look at the '
                   "repository's Actions page", status=6, BACKPROOF_APPEAR_TIMEOUT='300ms')
        self.assert_runs(main=1)

    def test_started(self) -> None:
        self.fake.set_plan(start_after=50, finish_after=None)
        self.fake.advance_per_request = 10
        result = self.stage('started')
        self.assertEqual(('started', 'in_progress'), (result['result'], result['status']))

    def test_a_run_that_ended_before_anybody_looked_has_started(self) -> None:
        for conclusion in ('success', 'failure', 'cancelled'):
            with self.subTest(conclusion):
                self.fake.set_plan(finish_after=0, conclusion=conclusion)
                result = self.stage('started')
                self.assertEqual(('started', f'completed: {conclusion}', conclusion),
                                 tuple(result[key] for key in ('result', 'reason', 'conclusion')))

    def test_a_run_that_does_not_start(self) -> None:
        self.fake.set_plan(start_after=None, finish_after=None)
        result = self.stage('started', status=6, **SOON)
        self.assertEqual(('timed-out', 'queued'), (result['result'], result['status']))
        self.assertIn(f"run {self.fake.runs[0].id} is still 'queued' after ", result['reason'])

    def test_finished(self) -> None:
        self.fake.set_plan(start_after=20, finish_after=80)
        self.fake.advance_per_request = 10
        result = self.stage('finished')
        self.assertEqual(('finished', 'completed', 'success'), tuple(
            result[key] for key in ('result', 'status', 'conclusion')))

    def test_a_run_that_does_not_finish(self) -> None:
        self.fake.set_plan(finish_after=None)
        result = self.stage('finished', status=6, **SOON)
        self.assertEqual('timed-out', result['result'])
        self.assertIn("is still 'in_progress' after ", result['reason'])

    def test_the_time_to_finish_begins_with_the_start(self) -> None:
        self.fake.set_plan(start_after=None)
        child = self.begin('main', more=('--until', 'finished'), BACKPROOF_FINISH_TIMEOUT='200ms')
        self.fake.wait_for('GET', LOOKS, 20)
        with self.fake.lock:
            self.fake.runs[0].plan.start_after = self.fake.runs[0].plan.finish_after = 0
        self.assertEqual('finished', self.finish(child, 0)[0]['results'][0]['result'])

    def test_the_timeout_of_the_whole(self) -> None:
        self.fake.set_plan(start_after=None)
        result = self.one(status=6, BACKPROOF_TIMEOUT='1s')
        self.assertRegex(result['reason'], "run 19000000001 is (still )?'queued'")
        self.assertEqual(('timed-out', False), (result['result'], result['cancelled']))
        self.assertEqual([None], [run.conclusion for run in self.fake.runs])


class Reasons(DispatchTest):
    def stuck(self, words: str, status: int = 6, more: tuple[str, ...] = (), **plan) -> dict:
        self.fake.set_plan(start_after=None, finish_after=None)
        self.fake.set_plan(**plan)
        return self.fails(words, status=status, more=more, **SOON)

    def test_a_concurrency_group(self) -> None:
        for ahead, words in ((1, '1 other run go first'), (4, '4 other runs go first')):
            self.stuck(f"concurrency group 'deploy prod' lets {words}", before_start='pending',
                       group='deploy prod', ahead=ahead)

    def test_a_concurrency_group_on_a_server_that_does_not_tell(self) -> None:
        self.fake.concurrency_api = False
        self.stuck('its concurrency group lets another run go first', before_start='pending')

    def test_it_is_said_while_waiting(self) -> None:
        self.fake.set_plan(before_start='pending', group='prod', ahead=2, start_after=None)
        child = self.begin('main')
        self.fake.wait_for('GET', '/concurrency_groups')
        with self.fake.lock:
            self.fake.runs[0].plan.start_after = 0
        _, err = self.finish(child, 0)
        self.assertIn("warning: branch 'main': run 19000000001 is held back: concurrency group "
                      "'prod' lets 2 other runs go first", err)
        self.assertEqual(1, len(self.fake.calls('GET', '/concurrency_groups')))

    def test_an_environment_that_wants_a_review(self) -> None:
        result = self.stuck("it waits for a review of environment 'production'",
                            before_start='waiting', environment='production')
        self.assertIn(f'approve it on its page: {result["url"]}', result['hint'])

    def test_no_runner_with_these_labels(self) -> None:
        self.stuck("no runner with the labels 'self-hosted, disk' has taken its job 'backup'; "
                   'hint: see whether a runner with these labels is online', runner=False,
                   labels=['self-hosted', 'disk'])

    def test_what_never_ran(self) -> None:
        for conclusion, words in (('action_required', 'somebody has to approve it on its page'),
                                  ('startup_failure', "the workflow's file is wrong"),
                                  ('skipped', "an 'if:' left out all its jobs"),
                                  ('stale', 'the server gave it up')):
            for until in ('appeared', 'started', 'finished'):
                with self.subTest(conclusion=conclusion, until=until):
                    result = self.stuck(words, status=1, finish_after=0, conclusion=conclusion,
                                        more=('--until', until))
                    self.assertEqual('failed', result['result'])
                    self.assertIn(f'never started: {conclusion}', result['reason'])

    def cancelled_early(self, newer: bool) -> dict:
        self.fake.set_plan(before_start='pending', group='prod', start_after=None)
        child = self.begin('main')
        self.fake.wait_for('GET', '/concurrency_groups')
        run = self.fake.runs[0]
        if newer:
            self.fake.add_run(REPO)
        self.fake.end_run(run, 'cancelled')
        result = self.finish(child, 1)[0]['results'][0]
        self.assertEqual(('failed', run.id), (result['result'], result['run_id']))
        return result

    def test_cancelled_before_the_start_by_a_newer_run(self) -> None:
        result = self.cancelled_early(newer=True)
        other = self.fake.runs[1].id
        self.assertIn('was cancelled before it started, most likely by the newer run '
                      f'{other} of its concurrency group', result['reason'])
        self.assertIn(f'/actions/runs/{other}', result['hint'])

    def test_cancelled_before_the_start_by_somebody(self) -> None:
        result = self.cancelled_early(newer=False)
        self.assertIn("ended with 'cancelled' before a job started", result['reason'])
        self.assertEqual(f'its page tells why: {result["url"]}', result['hint'])

    def test_what_ended_without_a_job_has_not_started(self) -> None:
        for conclusion in ('failure', 'timed_out', 'hexed'):
            with self.subTest(conclusion):
                self.stuck(f"ended with '{conclusion}' before a job started", status=1,
                           finish_after=0, conclusion=conclusion)

    def test_the_job_and_the_step_that_failed(self) -> None:
        self.fake.set_plan(finish_after=0, conclusion='failure', failed_step='Upload',
                           jobs=['dump', 'push it'])
        result = self.fails("ended with 'failure': job 'push it' failed in step 'Upload'",
                            status=1, more=('--until', 'finished'))
        link = f'{result["url"]}/job/{self.fake.runs[0].id}01'
        self.assertEqual([{'name': 'push it', 'conclusion': 'failure', 'step': 'Upload',
                           'url': link}], result['failed_jobs'])
        self.assertEqual(f'its log is at {link}', result['hint'])
        out = self.dispatch('main', status=1, more=('--until', 'finished')).out
        self.assertIn("failed jobs of main:\n  push it: failure in step 'Upload', http", out)

    def test_an_unknown_status_keeps_it_waiting(self) -> None:
        self.fake.set_plan(before_start='rolling_dice', start_after=50)
        self.fake.advance_per_request = 10
        result = self.dispatch('main')
        self.assertIn('run 19000000001 is rolling_dice', result.err)
        self.assertIn('main    started', result.out)

    def test_an_unknown_conclusion_is_no_success(self) -> None:
        self.fake.set_plan(finish_after=0, conclusion='hexed')
        result = self.fails("ended with 'hexed'", status=1, more=('--until', 'finished'))
        self.assertEqual(('failed', 'hexed'), (result['result'], result['conclusion']))


class Ending(DispatchTest):
    def ended(self, sig: signal.Signals, *more: str) -> dict:
        """Stopped while one run has started, which is proved, and one waits."""
        self.fake.set_plan(branch='dev', start_after=None, finish_after=None)
        begun = len(self.sent())
        child = self.begin('main', 'dev', more=more)
        self.fake.wait_for('POST', DISPATCHES, begun + 2)
        # A look that began after both were sent has ended: the next one is here.
        self.fake.wait_for('GET', LOOKS, len(self.fake.calls('GET', LOOKS)) + 2)
        answer, err = self.finish(child, 128 + sig, sig)
        self.assertIn(f'error: stopped by {sig.name}', err)
        self.assertEqual('stopped', answer['conclusion'])
        return {one['branch']: one for one in answer['results']}

    def test_a_signal_cancels_all_runs_of_this_call(self) -> None:
        for sig in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(sig.name):
                self.fake.runs.clear()
                for result in self.ended(sig).values():
                    self.assertEqual(('stopped', True), (result['result'], result['cancelled']))
                    self.assertIn('its run was cancelled', result['reason'])
                self.assertEqual({'cancelled'}, {run.conclusion for run in self.fake.runs})
                self.assert_runs(main=1, dev=1)

    def test_the_runs_of_others_are_left_alone(self) -> None:
        other = self.fake.add_run(REPO)
        self.ended(signal.SIGTERM)
        self.assertEqual('in_progress', other.status)
        self.assertEqual(2, len(self.fake.calls('POST', CANCELS)))

    def test_detached_runs_are_left_alone(self) -> None:
        results = self.ended(signal.SIGTERM, '--detach')
        self.assertEqual(['started', 'stopped'], [results[b]['result'] for b in ('main', 'dev')])
        self.assertEqual({None}, {run.conclusion for run in self.fake.runs})
        self.assertEqual([], self.fake.calls('POST', CANCELS))

    def test_a_run_whose_dispatch_was_under_way(self) -> None:
        for details in (True, False):
            with self.subTest(run_details=details):
                self.fake.run_details = details
                self.fake.runs.clear()
                self.fake.on_dispatch_also(REPO, before=True)
                self.fake.fault('slow', method='POST', path_regex=DISPATCHES, seconds=1,
                                after=0 if details else 1)
                begun = len(self.sent())
                child = self.begin('main')
                self.fake.wait_for('POST', DISPATCHES, begun + (1 if details else 2))
                result = self.finish(child, 143, signal.SIGTERM)[0]['results'][0]
                self.assertEqual(('stopped', True, self.fake.runs[1].id), tuple(
                    result[key] for key in ('result', 'cancelled', 'run_id')))
                self.assertEqual([('hubot', None), ('octocat', 'cancelled')],
                                 [(run.actor, run.conclusion) for run in self.fake.runs])
                self.assertIsNotNone(result['request_id'])

    def test_nothing_is_sent_after_a_signal(self) -> None:
        self.fake.fault('status', status=503, method='POST', path_regex=DISPATCHES, times=None)
        child = self.begin('main', BACKPROOF_SETTLE='0s', BACKPROOF_RETRY_DELAY='1h',
                           BACKPROOF_TIMEOUT='5h')
        self.fake.wait_for('GET', LOOKS)
        result = self.finish(child, 143, signal.SIGTERM)[0]['results'][0]
        self.assertEqual(('stopped', None), (result['result'], result['run_id']))
        self.assertEqual((1, []), (len(self.sent()), self.fake.runs))

    def test_a_cancel_that_fails_is_tried_again(self) -> None:
        self.fake.fault('status', status=502, method='POST', path_regex=CANCELS, times=2)
        self.ended(signal.SIGTERM)
        self.assertEqual({'cancelled'}, {run.conclusion for run in self.fake.runs})

    def test_cancel_on_timeout(self) -> None:
        self.fake.set_plan(branch='dev', start_after=None, finish_after=None)
        for env in ({'BACKPROOF_START_TIMEOUT': '300ms'}, {'BACKPROOF_TIMEOUT': '2s'}):
            with self.subTest(env):
                self.fake.runs.clear()
                main, dev = self.answer('main', 'dev', more=('--cancel-on-timeout',), **env)[
                    'results']
                self.assertEqual(('started', False), (main['result'], main['cancelled']))
                self.assertEqual(('timed-out', True), (dev['result'], dev['cancelled']))
                self.assertEqual({'main': None, 'dev': 'cancelled'},
                                 {run.branch: run.conclusion for run in self.fake.runs})

    def test_without_it_a_late_run_goes_on(self) -> None:
        self.fake.set_plan(start_after=None)
        self.one(status=6, **SOON)
        self.assertEqual([], self.fake.calls('POST', CANCELS))


if __name__ == '__main__':
    unittest.main()
