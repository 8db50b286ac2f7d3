"""More self-tests of the fake GitHub: queues, jobs, tokens that change, odd servers."""
from __future__ import annotations

import socket
import unittest
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from asking import DISPATCH, REPO, ROOT, RUNS, TOKEN, FakeTest, ask, example
from contract import ContractProxy
from fake_github import FakeGitHub
from processes import unwind_on_sigterm

FILE = f'{ROOT}/contents/.github/workflows/backup.yml'
RAW = 'application/vnd.github.raw+json'


def setUpModule() -> None:
    unwind_on_sigterm()


class Queues(FakeTest):
    def test_why_a_run_is_pending(self) -> None:
        run = self.fake.add_run(REPO, before_start='pending', group='prod/db', ahead=2)
        path = f'{ROOT}/actions/runs/{run.id}/concurrency_groups'

        def member() -> tuple:
            body = self.ask('GET', path).json
            self.assertEqual((1, 'prod/db'), (body['total_count'],
                                              body['concurrency_groups'][0]['group_name']))
            return tuple((m['run_id'] - run.id, m['status'], m['position'])
                         for m in body['concurrency_groups'][0]['group_members'])

        self.assertEqual(((0, 'pending', 2),), member())
        group = self.ask('GET', path).json['concurrency_groups'][0]
        self.assertTrue(group['group_url'].endswith('/actions/concurrency_groups/prod%2Fdb'))
        self.fake.advance(5)
        self.assertEqual(((0, 'in_progress', 0),), member())
        self.fake.advance(60)
        self.assertEqual((), member())
        other = self.fake.add_run(REPO)
        body = self.ask('GET', f'{ROOT}/actions/runs/{other.id}/concurrency_groups').json
        self.assertEqual({'total_count': 0, 'concurrency_groups': []}, body)
        self.refused(404, 'Not Found', self.ask('GET', path.replace(str(run.id), '1')))

    def test_an_old_server_does_not_know_groups(self) -> None:
        fake = self.enter(example(concurrency_api=False))
        run = fake.add_run(REPO, before_start='pending', group='prod')
        answer = ask(fake.url, 'GET', f'{ROOT}/actions/runs/{run.id}/concurrency_groups')
        self.refused(404, 'Not Found', answer)

    def test_which_environment_a_run_waits_for(self) -> None:
        run = self.fake.add_run(REPO, before_start='waiting', environment='production')
        path = f'{ROOT}/actions/runs/{run.id}/pending_deployments'
        self.assertEqual(['production'], [one['environment']['name']
                                          for one in self.ask('GET', path).json])
        self.fake.advance(5)
        self.assertEqual([], self.ask('GET', path).json)

    def test_a_cancel_that_must_be_forced(self) -> None:
        run = self.fake.add_run(REPO, start_after=0, ignores_cancel=True)
        path = f'{ROOT}/actions/runs/{run.id}'
        self.assertEqual(202, self.ask('POST', f'{path}/cancel').status)
        self.assertEqual('in_progress', self.ask('GET', path).json['status'])
        self.assertEqual(202, self.ask('POST', f'{path}/force-cancel').status)
        self.assertEqual('cancelled', self.ask('GET', path).json['conclusion'])
        for word in ('cancel', 'force-cancel'):
            self.refused(409, 'Cannot cancel a workflow run that is completed.',
                         self.ask('POST', f'{path}/{word}'))


class Jobs(FakeTest):
    def jobs(self, run) -> list[dict]:
        return self.ask('GET', f'{ROOT}/actions/runs/{run.id}/jobs').json['jobs']

    def test_no_runner_takes_the_job(self) -> None:
        run = self.fake.add_run(REPO, runner=False, labels=['self-hosted', 'disk'])
        self.fake.advance(10_000)
        self.assertEqual('queued', self.ask('GET', f'{ROOT}/actions/runs/{run.id}').json['status'])
        job = self.jobs(run)[0]
        self.assertEqual(('queued', None, ['self-hosted', 'disk'], None, []), (
            job['status'], job['conclusion'], job['labels'], job['runner_name'], job['steps']))
        self.fake.cancel(run)
        job = self.jobs(run)[0]
        self.assertEqual(('completed', 'cancelled', None),
                         (job['status'], job['conclusion'], job['runner_name']))

    def test_the_failed_step_of_the_failed_job(self) -> None:
        run = self.fake.add_run(REPO, conclusion='failure', failed_step='Upload',
                                jobs=['dump', 'push'])
        self.fake.advance(5)
        self.assertEqual([('Set up job', 'success'), ('Upload', None)],
                         [(s['name'], s['conclusion']) for s in self.jobs(run)[0]['steps']])
        self.fake.advance(60)
        first, last = self.jobs(run)
        self.assertEqual([('dump', 'success'), ('push', 'failure')],
                         [(job['name'], job['conclusion']) for job in (first, last)])
        self.assertEqual([('Set up job', 'success'), ('Upload', 'failure'),
                          ('Complete job', 'success')],
                         [(step['name'], step['conclusion']) for step in last['steps']])
        self.assertNotIn('failure', [step['conclusion'] for step in first['steps']])
        self.assertNotEqual(first['id'], last['id'])
        self.assertEqual(f'{self.fake.url}/{REPO}/actions/runs/{run.id}/job/{last["id"]}',
                         last['html_url'])

    def test_a_disabled_workflow_can_be_enabled_from_any_state(self) -> None:
        workflow = self.fake.repo(REPO).workflow('backup.yml')
        for state in ('deleted', 'disabled_fork', 'disabled_inactivity', 'disabled_manually'):
            workflow.state = state
            self.assertEqual(state, self.ask('GET', DISPATCH[:-11]).json['state'])
            self.assertEqual(204, self.ask('PUT', f'{DISPATCH[:-11]}/enable').status)
            self.assertEqual('active', self.ask('GET', DISPATCH[:-11]).json['state'])


class Unchanged(FakeTest):
    def test_an_unchanged_list_is_free_and_still_makes_runs_older(self) -> None:
        fake = self.enter(example(advance_per_request=10))
        fake.set_plan(start_after=25, finish_after=1000)
        fake.add_run(REPO)
        tag, seen = '', []
        for _ in range(4):
            answer = ask(fake.url, 'GET', RUNS, If_None_Match=tag)
            self.assertTrue(answer.headers['ETag'].startswith('W/"'))
            tag = answer.headers['ETag']
            seen.append((answer.status, answer.headers['x-ratelimit-used'],
                         answer.json['workflow_runs'][0]['status'] if answer.text else None))
        self.assertEqual([(200, '1', 'queued'), (304, '1', None), (304, '1', None),
                          (200, '2', 'in_progress')], seen)

    def test_what_counts_as_known(self) -> None:
        tag = self.ask('GET', ROOT).headers['ETag']
        for known, status in ((f'"x", {tag}', 304), (tag.removeprefix('W/'), 304), (tag[:-2], 200)):
            self.assertEqual(status, self.ask('GET', ROOT, If_None_Match=known).status)
        used = self.fake.tokens[TOKEN].used
        tag = self.ask('GET', '/rate_limit').headers['ETag']
        answer = self.ask('GET', '/rate_limit', If_None_Match=tag)      # was free in any case
        self.assertEqual((304, used), (answer.status, self.fake.tokens[TOKEN].used))
        self.assertNotIn('ETag', self.ask('GET', f'{ROOT}/branches/none').headers)
        raw = self.ask('GET', FILE, Accept=RAW).headers['ETag']
        answer = self.ask('GET', FILE, Accept=RAW, If_None_Match=raw)
        self.assertEqual((304, None), (answer.status, answer.headers['Content-Type']))
        self.assertEqual(200, self.ask('GET', FILE, If_None_Match=raw).status)

    def test_without_a_token_it_is_not_free(self) -> None:
        self.fake.add_repo('octo-org/open', private=False)
        tag = self.ask('GET', '/repos/octo-org/open', token=None).headers['ETag']
        answer = self.ask('GET', '/repos/octo-org/open', token=None, If_None_Match=tag)
        self.assertEqual((304, '2'), (answer.status, answer.headers['x-ratelimit-used']))


class ChangingTokens(FakeTest):
    def test_single_sign_on(self) -> None:
        self.fake.add_token('ghp_sso', sso='required')
        self.fake.add_token('gho_sso', sso='required')
        for token, kind in (('ghp_sso', 'Personal Access'), ('gho_sso', 'OAuth')):
            for method, path in (('GET', ROOT), ('GET', RUNS), ('POST', DISPATCH)):
                answer = self.ask(method, path, {'ref': 'main'} if method == 'POST' else None,
                                  token=token)
                self.refused(403, 'Resource protected by organization SAML enforcement. You must '
                             f'grant your {kind} token access to this organization.', answer)
                self.assertEqual('required; url=https://github.com/orgs/octo-org/sso'
                                 '?authorization_request=AAAA', answer.headers['X-GitHub-SSO'])
            self.assertEqual(200, self.ask('GET', '/user', token=token).status)
        self.assertEqual([], self.fake.runs)
        self.assertRaises(ValueError, self.fake.add_token, 'ghp_x', sso='maybe')

    def test_revoked_half_way(self) -> None:
        self.fake.revoke(TOKEN, after=2)
        self.assertEqual([200, 200, 401, 401], [self.ask('GET', ROOT).status for _ in range(4)])
        self.fake.add_token('ghp_other')
        self.fake.revoke('ghp_other')
        self.refused(401, 'Bad credentials', self.ask('GET', ROOT, token='ghp_other'))

    def test_every_answer_says_which_permission_it_wants(self) -> None:
        self.fake.add_token('ghs_job')
        self.fake.add_token('github_pat_a', permissions={'*': {'metadata': 'read',
                                                               'actions': 'write'}})
        for token in ('ghs_job', 'github_pat_a'):
            wanted = [self.ask(method, path, body, token=token).headers[
                'X-Accepted-GitHub-Permissions'] for method, path, body in (
                    ('GET', ROOT, None), ('GET', RUNS, None), ('POST', DISPATCH, {'ref': 'main'}),
                    ('GET', f'{RUNS}?status=bogus', None))]
            self.assertEqual(['metadata=read', 'actions=read', 'actions=write', 'actions=read'],
                             wanted)
        headers = self.ask('GET', ROOT).headers
        self.assertNotIn('X-Accepted-GitHub-Permissions', headers)      # a classic token has scopes
        self.assertEqual('repo', headers['X-Accepted-OAuth-Scopes'])

    def test_the_expiry_may_have_a_numeric_zone(self) -> None:
        for zone, shown in (('UTC', '2026-12-01 08:00:00 UTC'),
                            ('+0200', '2026-12-01 10:00:00 +0200'),
                            ('-0330', '2026-12-01 04:30:00 -0330')):
            self.fake.add_token('ghp_zone', expires_at='2026-12-01T08:00:00Z', expiry_zone=zone)
            self.assertEqual(shown, self.ask('GET', ROOT, token='ghp_zone').headers[
                'GitHub-Authentication-Token-Expiration'])


class OddServers(FakeTest):
    def test_every_date_is_the_servers(self) -> None:
        self.fake.advance(90)
        self.fake.fault('status', path_regex='/branches/')
        for path in (ROOT, '/nowhere', f'{ROOT}/branches/main', '/_fake/runs'):
            self.assertEqual('Sat, 21 Nov 2026 10:01:30 GMT', self.ask('GET', path).headers['Date'])

    def test_a_real_clock_can_be_wrong(self) -> None:
        fake = self.enter(example(clock='real', skew=-600))
        for off in (-600, 600, 0):
            fake.clock.skew = off
            before = datetime.now(timezone.utc)
            date = parsedate_to_datetime(ask(fake.url, 'GET', ROOT).headers['Date'])
            ahead = date - before - timedelta(seconds=off)
            self.assertTrue(timedelta(seconds=-1) <= ahead <= timedelta(seconds=5), ahead)
            ask(fake.url, 'POST', DISPATCH, {'ref': 'main'})
            made = fake.runs[-1].created_at - before.timestamp() - off
            self.assertTrue(-1 <= made <= 5, made)

    def test_a_shuffled_list_keeps_its_pages(self) -> None:
        orders = []
        for seed in (1, 2):
            fake = self.enter(example(list_order='shuffled', seed=seed))
            ids = [fake.add_run(REPO).id for _ in range(9)]
            pages = [run['id'] for page in (1, 2, 3) for run in ask(
                fake.url, 'GET', f'{RUNS}?per_page=4&page={page}').json['workflow_runs']]
            self.assertEqual(ids, sorted(pages))
            self.assertNotEqual(ids[::-1], pages)
            orders.append(pages)
        self.assertNotEqual(*orders)
        self.assertRaises(ValueError, FakeGitHub, list_order='random')

    def test_somebody_else_dispatches_in_the_same_second(self) -> None:
        self.fake.on_dispatch_also(REPO, branch='main', before=True, appear_after=1)
        self.fake.on_dispatch_also(REPO, branch='main', actor='mona', before=False, times=2,
                                   inputs={'mark': 'theirs'})
        refused = self.ask('POST', DISPATCH, {'ref': 'main', 'inputs': {'x': 1}})
        self.assertEqual(422, refused.status)       # no companion for what was not accepted
        for branch in ('release/1', 'main', 'main', 'main'):
            self.assertEqual(204, self.ask('POST', DISPATCH, {
                'ref': branch, 'inputs': {'mark': 'mine'}}).status)
        runs = sorted(self.fake.runs, key=lambda run: run.id)
        self.assertEqual([('octocat', 'Backup mine'), ('hubot', 'Backup -'),
                          ('octocat', 'Backup mine'), ('mona', 'Backup theirs'),
                          ('octocat', 'Backup mine'), ('mona', 'Backup theirs'),
                          ('octocat', 'Backup mine')], [(run.actor, run.title) for run in runs])
        self.assertEqual({('workflow_dispatch', runs[0].created_at)},
                         {(run.event, run.created_at) for run in runs})
        self.assertEqual(1, runs[1].plan.appear_after)
        answer = self.ask('POST', DISPATCH, {'ref': 'main', 'return_run_details': True}).json
        self.assertEqual(self.fake.runs[-1].id, answer['workflow_run_id'])

    def test_the_answer_names_the_callers_run_and_not_the_companion(self) -> None:
        for before in (True, False):
            self.fake.on_dispatch_also(REPO, before=before)
            answer = self.ask('POST', DISPATCH, {'ref': 'main', 'return_run_details': True}).json
            run = self.fake.run(answer['workflow_run_id'])
            self.assertEqual('octocat', run.actor)


class MoreFaults(FakeTest):
    def test_a_primary_limit_ends_at_its_reset(self) -> None:
        self.fake.fault('rate_limit_primary', path_regex='/actions/', until_reset=True, seconds=90)
        first = self.ask('GET', RUNS)
        reset = first.headers['x-ratelimit-reset']
        self.assertEqual((403, str(int(self.fake.clock.now()) + 90)), (first.status, reset))
        self.assertEqual(200, self.ask('GET', ROOT).status)
        self.fake.advance(89)
        again = self.ask('GET', RUNS)
        self.assertEqual((403, reset), (again.status, again.headers['x-ratelimit-reset']))
        self.fake.advance(1)
        self.assertEqual([200, 200], [self.ask('GET', RUNS).status for _ in range(2)])
        self.fake.fault('rate_limit_primary', until_reset=True, status=429)
        self.assertEqual([429, 200], [self.ask('GET', path).status
                                      for path in (ROOT, '/rate_limit')])
        self.assertRaises(ValueError, self.fake.fault, 'hang', until_reset=True)

    def test_only_some_requests_hang(self) -> None:
        self.fake.fault('hang', method='GET', path_regex='/runs', times=2)
        for _ in range(2):
            self.assertRaises(socket.timeout, self.ask, 'GET', RUNS, timeout=0.1)
            self.assertEqual(200, self.ask('GET', ROOT).status)
        self.assertEqual(200, self.ask('GET', RUNS).status)
        self.assertEqual([None, None, 200],
                         [call.status for call in self.fake.calls('GET', 'runs')])


class Contract(unittest.TestCase):
    """The raw form of a file is not here: see contract.py."""

    def test_it_is_as_described(self) -> None:
        with example() as fake, ContractProxy(fake) as proxy:
            for status, path in self.looks(fake):
                with self.subTest(path=path):
                    self.assertEqual(status, ask(proxy.url, 'GET', path).status)
            sha = fake.repo(REPO).branches['main']
            for body, status in (({'state': 'success', 'context': 'backup', 'description': 'ok',
                                   'target_url': 'https://example.com/1'}, 201),
                                 ({'state': 'error', 'description': None}, 201),
                                 ({'state': 'error', 'description': 'x' * 141}, 422)):
                self.assertEqual(status, ask(proxy.url, 'POST', f'{ROOT}/statuses/{sha}',
                                             body).status)
            force = f'{ROOT}/actions/runs/{fake.runs[0].id}/force-cancel'
            self.assertEqual([202, 409], [ask(proxy.url, 'POST', force).status for _ in range(2)])
            tag = ask(proxy.url, 'GET', RUNS).headers['ETag']
            self.assertEqual(304, ask(proxy.url, 'GET', RUNS, If_None_Match=tag).status)
            proxy.assert_clean(at_least=15)

    def looks(self, fake: FakeGitHub) -> list[tuple[int, str]]:
        pending = fake.add_run(REPO, before_start='pending', group='prod', ahead=3)
        waiting = fake.add_run(REPO, before_start='waiting', environment='production')
        failed = fake.add_run(REPO, start_after=0, finish_after=0, conclusion='failure',
                              failed_step='Upload', jobs=['a', 'b'])
        alone = fake.add_run(REPO, runner=False, labels=['self-hosted'])
        return [(200, FILE), (200, f'{FILE}?ref=release/1'), (404, f'{FILE}?ref=none'),
                (404, f'{ROOT}/contents/README.md'),
                *((200, f'{ROOT}/actions/runs/{run.id}/{what}') for run, what in (
                    (pending, 'concurrency_groups'), (waiting, 'concurrency_groups'),
                    (waiting, 'pending_deployments'), (pending, 'pending_deployments'),
                    (failed, 'jobs'), (alone, 'jobs')))]


if __name__ == '__main__':
    unittest.main()
