"""backproof dispatch with servers of many kinds: which run is ours, addresses, TLS, proxies."""
from __future__ import annotations

import unittest
from email.utils import formatdate
from unittest import mock

from harness import unwind_on_sigterm
from dispatching import BRANCHES, DISPATCHES, OTHER, REPO, TOKEN, DispatchTest
import fake_github_http
from proxy import Proxy


def setUpModule() -> None:
    unwind_on_sigterm()


class WithoutRunDetails(DispatchTest):
    """An older server: the answer to a dispatch does not name the run."""

    options = {'run_details': False, 'list_order': 'shuffled', 'seed': 5}

    def started(self, *more: str, actor: str = 'octocat', **env: str) -> int:
        """The run that it took for its own, which is one of this person's."""
        result = self.one(more=more, **env)
        self.assertEqual('started', result['result'])
        self.assertEqual(1, len(self.sent_well()))
        run = self.fake.run(result['run_id'])
        self.assertEqual((actor, 'main', 'workflow_dispatch'), (run.actor, run.branch, run.event))
        return run.id

    def sent_well(self) -> list:
        return [call for call in self.sent() if call.status == 204]

    def test_the_runs_of_several_branches_are_told_apart(self) -> None:
        for branch in BRANCHES:
            self.fake.add_run(REPO, branch=branch)
        results = self.answer(*BRANCHES)['results']
        ours = {run.branch: run.id for run in self.fake.runs[3:]}
        self.assertEqual([(branch, ours[branch]) for branch in BRANCHES],
                         [(one['branch'], one['run_id']) for one in results])
        self.assertEqual(6, len(self.fake.runs))
        # It asked for the id once, and remembered that this server does not tell it.
        self.assertEqual(1, sum('return_run_details' in call.body for call in self.sent()))

    def test_runs_of_others_in_the_same_second(self) -> None:
        self.fake.on_dispatch_also(REPO, before=True)
        self.fake.on_dispatch_also(REPO, before=False, actor='mona')
        self.fake.add_run(REPO, branch='dev')
        self.fake.add_run(REPO, event='push')
        self.started()
        self.assertEqual({'hubot', 'octocat', 'mona'}, {run.actor for run in self.fake.runs[2:]})

    def test_a_push_at_the_same_time_is_not_ours(self) -> None:
        self.fake.set_plan(appear_after=10)
        self.fake.advance_per_request = 2
        child = self.begin('main')
        self.fake.wait_for('POST', DISPATCHES, 2)
        push = self.fake.add_run(REPO, event='push', appear_after=0)
        answer, _ = self.finish(child, 0)
        self.assertNotIn(answer['results'][0]['run_id'], (None, push.id))

    def test_asking_who_dispatches_is_tried_again(self) -> None:
        self.fake.on_dispatch_also(REPO, before=True)
        self.fake.fault('status', status=503, method='GET', path_regex='/user$')
        self.started()

    def test_a_workflows_own_token_has_no_user(self) -> None:
        self.fake.add_token('ghs_job', login='github-actions[bot]')
        self.started(actor='github-actions[bot]', WORKFLOW_TRIGGER_TOKEN='ghs_job')
        self.assertEqual([], self.fake.calls('GET', '/user'))

    def test_the_mark_tells_our_run_from_our_own_others(self) -> None:
        self.fake.on_dispatch_also(REPO, before=True, actor='octocat', inputs={'mark': 'theirs'})
        self.fake.on_dispatch_also(REPO, before=False, actor='octocat', inputs={'mark': 'theirs'})
        ours = self.started('--marker-input', 'mark')
        titles = {run.id: run.title for run in self.fake.runs}
        self.assertEqual(3, len(titles))
        self.assertRegex(titles[ours], '^Backup bp-[0-9a-f]{16}$')
        self.assertEqual(titles[ours].removeprefix('Backup '), self.sent_well()[0].body['inputs']
                         ['mark'])

    def test_each_branch_has_a_mark_of_its_own(self) -> None:
        self.answer('main', 'dev', more=('--marker-input', 'mark', '--inputs',
                                         '{"level": "fast"}'))
        marks = {call.body['inputs']['mark'] for call in self.sent_well()}
        self.assertEqual(2, len(marks))
        self.assertEqual({'fast'}, {call.body['inputs']['level'] for call in self.sent_well()})

    def test_an_error_after_it_accepted_starts_no_second_run(self) -> None:
        self.fake.on_dispatch_also(REPO, before=True)
        self.fake.fault('error_after_accept', method='POST', path_regex=DISPATCHES, after=1)
        result = self.one()
        self.assertEqual((1, 'octocat'), (result['attempts'],
                                          self.fake.run(result['run_id']).actor))
        self.assertEqual(['hubot', 'octocat'], [run.actor for run in self.fake.runs])

    def test_a_run_of_another_does_not_keep_it_from_sending_again(self) -> None:
        self.fake.fault('status', status=502, method='POST', path_regex=DISPATCHES, after=1)
        child = self.begin('main')
        self.fake.wait_for('POST', DISPATCHES, 2)
        self.fake.add_run(REPO, actor='hubot')
        result = self.finish(child, 0)[0]['results'][0]
        self.assertEqual((2, 'octocat'), (result['attempts'],
                                          self.fake.run(result['run_id']).actor))
        self.assertEqual(['hubot', 'octocat'], [run.actor for run in self.fake.runs])

    def test_a_clock_that_is_off_changes_nothing(self) -> None:
        for skew in (600, -600):
            with self.subTest(skew):
                self.fake.clock.skew = skew
                self.assertEqual('started', self.one()['result'])
        self.assert_runs(main=2)

    def test_clocks_within_the_server_may_differ(self) -> None:
        """The one who answers is some seconds ahead of the one who makes the run."""
        def ahead(handler, _=None) -> str:
            return formatdate(self.fake.clock.now() + 3, usegmt=True)

        with mock.patch.object(fake_github_http.Handler, 'date_time_string', ahead):
            self.assertEqual('started', self.one(BACKPROOF_APPEAR_TIMEOUT='2s')['result'])
        self.assert_runs(main=1)


class Versions(DispatchTest):
    options = {'retired_versions': ('2022-11-28',)}

    def test_a_retired_version_gives_way_to_the_next(self) -> None:
        self.answer('main', 'dev')
        self.assert_runs(main=1, dev=1)
        self.assertEqual({200}, {call.status for call in self.sent()})
        self.assertEqual({'2026-03-10'}, {call.headers['x-github-api-version']
                                          for call in self.sent()})
        self.assertEqual([410], [call.status for call in self.fake.calls()
                                 if call.headers['x-github-api-version'] == '2022-11-28'])

    def test_it_may_be_retired_half_way(self) -> None:
        self.fake.retired_versions.clear()
        child = self.begin('main', 'dev')
        self.fake.wait_for('POST', DISPATCHES)
        with self.fake.lock:
            self.fake.retired_versions.append('2022-11-28')
        self.finish(child, 0)
        self.assert_runs(main=1, dev=1)

    def test_no_version_that_both_speak(self) -> None:
        self.fake.retired_versions.append('2026-03-10')
        self.fails('use a newer version of backproof', status=1)


class Addresses(DispatchTest):
    def test_an_enterprise_server(self) -> None:
        for slash in ('', '/'):
            with self.subTest(slash):
                self.fake.runs.clear()
                result = self.one(GITHUB_API_URL=f'{self.fake.url}/api/v3{slash}')
                self.assertEqual(('started', f'{self.fake.url}/{REPO}/actions/runs/'
                                  f'{self.fake.runs[0].id}'), (result['result'], result['url']))

    def test_a_renamed_repository(self) -> None:
        self.fake.moved['octo-org/before'] = REPO
        self.run_it('dispatch', '--repo', 'octo-org/before', '--branch', 'main')
        self.assert_runs(main=1)
        self.assertEqual([307, 200], [call.status for call in self.sent()])

    def test_a_redirect_to_another_server_is_not_followed(self) -> None:
        elsewhere = self.serve()
        for status, where in ((301, {'method': 'GET', 'path_regex': f'/repos/{REPO}$'}),
                              (307, {'method': 'POST', 'path_regex': DISPATCHES})):
            with self.subTest(status):
                location = f'{elsewhere.url}/repos/{OTHER}'
                self.fake.fault('status', status=status, headers={'Location': location}, **where)
                self.fails(f'leads elsewhere, to {location}', status=1)
        self.assertEqual(([], []), (elsewhere.calls(), self.fake.runs))

    def test_redirects_that_never_end(self) -> None:
        self.fake.fault('status', status=301, times=None, path_regex=f'/repos/{REPO}$',
                        headers={'Location': f'{self.fake.url}/repos/{REPO}'})
        self.fails('after 3 other addresses already', status=1)


class Encrypted(DispatchTest):
    options = {'tls': True}

    def test_a_certificate_of_ones_own(self) -> None:
        self.dispatch('main', more=('--ca-file', str(self.fake.ca_file)))
        self.assert_runs(main=1)

    def test_an_unknown_certificate_is_refused(self) -> None:
        self.fails('--ca-file names the certificate of a server of your own', status=5,
                   more=('--retries', '0'))
        self.assertEqual([], self.fake.calls())

    def test_a_file_that_is_not_there(self) -> None:
        result = self.fails('--ca-file', status=5, more=(
            '--retries', '0', '--ca-file', str(self.folder / 'none.pem')))
        self.assertIn('none.pem', result['reason'])

    def test_a_proxy_that_opens_tunnels(self) -> None:
        with Proxy() as proxy:
            self.dispatch('main', more=('--ca-file', str(self.fake.ca_file), '--proxy', proxy.url))
        self.assert_runs(main=1)
        self.assertEqual({f'CONNECT {self.fake.address}'}, set(proxy.asked))
        self.assertNotIn(TOKEN, ' '.join(proxy.headers))


class Proxies(DispatchTest):
    def test_a_proxy_that_passes_requests_on(self) -> None:
        with Proxy() as proxy:
            self.dispatch('main', more=('--proxy', proxy.url))
        self.assert_runs(main=1)
        self.assertEqual(len(self.fake.calls()), len(proxy.asked))
        self.assertIn(f'GET {self.fake.url}/repos/{REPO}', proxy.asked)

    def test_the_option_wins_over_the_environment(self) -> None:
        with Proxy() as wanted, Proxy() as other:
            self.dispatch('main', more=('--proxy', wanted.url), http_proxy=other.url,
                          NO_PROXY='*', no_proxy='*')
            self.assertNotEqual([], wanted.asked)
            self.assertEqual([], other.asked)
            self.dispatch('main', http_proxy=other.url)
            self.assertIn(f'GET {self.fake.url}/repos/{REPO}', other.asked)

    def test_no_proxy_there(self) -> None:
        with Proxy() as proxy:
            url = proxy.url
        self.fails('127.0.0.1', status=5, more=('--proxy', url, '--retries', '0'))
        self.assertEqual([], self.fake.calls())


if __name__ == '__main__':
    unittest.main()
