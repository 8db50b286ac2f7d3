"""backproof check, and the look that a dispatch has before the work: what it finds and says."""
from __future__ import annotations

import time
import unittest

from harness import Result, unwind_on_sigterm
from dispatching import DISPATCHES, OTHER, REPO, TOKEN, DispatchTest

DAY = 24 * 3600
WORKFLOW = 'backup.yml'
KINDS = {'github_pat_x': 'fine-grained personal access token',
         'ghp_x': 'classic personal access token', 'gho_x': 'OAuth token',
         'ghu_x': 'app user token', 'ghs_x': 'app installation token',
         'c0ffee' * 6: 'token of an unknown kind'}


def setUpModule() -> None:
    unwind_on_sigterm()


class CheckTest(DispatchTest):
    def setUp(self) -> None:
        super().setUp()
        self.workflow = self.fake.repo(REPO).workflow(WORKFLOW)

    def check(self, *more: str, status: int = 0, branch: str = 'main', **env: str) -> Result:
        return self.run_it('check', '--repo', REPO, '--branch', branch, *more, status=status,
                           **env)

    def findings(self, *more: str, status: int = 0, **options) -> dict[str, list[dict]]:
        """What is found, by what it is about."""
        answer = self.check(*more, '--format', 'json', status=status, **options).json
        self.assertEqual({'ok', 'findings'}, set(answer))
        self.assertEqual(status == 0, answer['ok'])
        found: dict[str, list[dict]] = {}
        for one in answer['findings']:
            self.assertEqual({'about', 'level', 'what', 'fix'}, set(one))
            found.setdefault(one['about'], []).append(one)
        return found

    def assert_found(self, about: str, level: str, words: str, *more: str, **options) -> dict:
        found = self.findings(*more, **options)
        met = [one for one in found.get(about, []) if one['level'] == level
               and words in f"{one['what']}; hint: {one['fix']}"]
        self.assertEqual(1, len(met), found)
        return met[0]

    def assert_wrong(self, status: int, about: str, words: str, *more: str, sends: bool = False,
                     **options) -> dict:
        """A dispatch would fail, as the check says it; and it does, for the same reason, before
        anything is sent."""
        met = self.assert_found(about, 'failure', words, *more, status=status, **options)
        error = self.check(*more, status=status, **options).err.splitlines()[-1]
        self.assertIn('backproof: error: a dispatch would fail: ', error)
        self.assertIn(words, error)
        self.fails(words, status=status, more=more, **options)
        self.assertEqual([], self.sent())
        return met


class Check(CheckTest):
    def test_all_is_well(self) -> None:
        result = self.check('--branch', 'dev')
        self.assertEqual([
            'ok       token: fine-grained personal access token, valid, without a known end',
            "ok       clock: agrees with the server's",
            'ok       rate limit: 4999 of 5000 requests are left',
            f'ok       {REPO}: the token sees the repository',
            f'ok       {REPO}: Actions is on', f"ok       {REPO}: workflow 'backup.yml' is active",
            *(f'ok       {REPO}@{branch}: {what}' for branch in ('dev', 'main')
              for what in ('its workflow takes this dispatch', 'the branch exists'))],
            result.out.splitlines()[:6] + sorted(result.out.splitlines()[6:]))
        self.assertEqual('', result.err)

    def test_it_only_reads(self) -> None:
        for state in ('active', 'disabled_inactivity'):
            self.workflow.state = state
            self.check(status=None)
            self.check(status=None, BACKPROOF_ENABLE_INACTIVE='true', BACKPROOF_COMMIT_STATUS='1')
        self.assertEqual({'GET'}, {call.method for call in self.fake.calls()})

    def test_without_a_branch_it_looks_at_the_default_branch(self) -> None:
        self.fake.repo(REPO).default_branch = 'dev'
        out = self.run_it('check', '--repo', REPO).out
        self.assertIn(f'ok       {REPO}@dev: the branch exists', out)
        self.assertNotIn('@main', out)

    def test_several_failures_are_counted(self) -> None:
        self.workflow.on_branch('dev', dispatch=False)
        result = self.check('--branch', 'dev', branch='gone', status=1)
        self.assertIn('error: a dispatch would fail, for the 2 reasons above', result.err)
        self.assertIn(f"failure  {REPO}@gone: no branch 'gone' in '{REPO}'\n", result.out)
        self.assertIn(f"failure  {REPO}@dev: 'backup.yml' on branch 'dev' has no workflow_dispatch "
                      "trigger\n         -> add 'workflow_dispatch:' under 'on:' in the file on "
                      'that branch\n', result.out)

    def test_no_server(self) -> None:
        self.fake.stop()
        self.assertIn('127.0.0.1', self.check(status=5).err)


class Tokens(CheckTest):
    def test_its_kind_is_named(self) -> None:
        for token, kind in KINDS.items():
            with self.subTest(kind):
                self.fake.add_token(token)
                self.assert_found('token', 'ok', kind, WORKFLOW_TRIGGER_TOKEN=token)

    def test_each_kind_dispatches(self) -> None:
        for token in KINDS:
            with self.subTest(token):
                self.fake.runs.clear()
                self.fake.add_token(token, login='somebody')
                self.dispatch('main', WORKFLOW_TRIGGER_TOKEN=token)
                self.assertEqual(['somebody'], [run.actor for run in self.fake.runs])

    def test_a_workflows_own_token(self) -> None:
        self.fake.add_token('ghs_job', login='github-actions[bot]')
        env = {'WORKFLOW_TRIGGER_TOKEN': '', 'GITHUB_TOKEN': 'ghs_job'}
        self.assert_found('token', 'ok', 'app installation token', **env)
        self.dispatch('main', **env)
        self.assert_runs(main=1)
        self.assertEqual([], self.fake.calls('GET', '/permissions|/user$'))

    def expiring(self, days: float, zone: str, level: str, words: str, *more: str) -> dict:
        expires = time.time() + days * DAY + 3600
        self.fake.add_token('ghp_old', expires_at=expires, expiry_zone=zone)
        found = self.assert_found('token', level, words, *more, WORKFLOW_TRIGGER_TOKEN='ghp_old')
        self.assertIn(time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(expires)), found['what'])
        return found

    def test_its_end(self) -> None:
        for zone in ('UTC', '+0200', '-0930'):
            with self.subTest(zone):
                self.expiring(100, zone, 'ok', 'valid for 100 days')
                found = self.expiring(3, zone, 'warning', 'expires in 3 days')
                self.assertIn('WORKFLOW_TRIGGER_TOKEN', found['fix'])
        self.expiring(20, 'UTC', 'warning', 'expires in 20 days', '--token-warn-days', '30')
        self.expiring(3, 'UTC', 'ok', 'valid for 3 days', '--token-warn-days', '2')

    def test_a_dispatch_warns_of_its_end(self) -> None:
        self.fake.add_token('ghp_old', expires_at=time.time() + 3 * DAY + 3600)
        err = self.dispatch('main', WORKFLOW_TRIGGER_TOKEN='ghp_old').err
        self.assertIn('backproof: warning: token: classic personal access token, expires in 3 days',
                      err)

    def test_one_that_has_ended(self) -> None:
        self.fake.add_token('ghp_old', expires_at=time.time() - DAY)
        self.assert_wrong(3, REPO, 'the token is not valid (HTTP 401 "Bad credentials"',
                          WORKFLOW_TRIGGER_TOKEN='ghp_old')

    def test_scopes_that_do_not_suffice(self) -> None:
        self.fake.add_token('ghp_weak', scopes=['gist'])
        self.assert_wrong(4, REPO, f"no repository '{REPO}', or the token may not see it",
                          WORKFLOW_TRIGGER_TOKEN='ghp_weak')
        self.fake.repo(REPO).private = False
        found = self.assert_found(REPO, 'warning', 'may not start a workflow',
                                  WORKFLOW_TRIGGER_TOKEN='ghp_weak')
        self.assertIn('gist', found['what'])
        self.assertIn('scope repo', found['fix'])
        self.fails('the token may not do this', status=3, WORKFLOW_TRIGGER_TOKEN='ghp_weak')

    def test_an_organisation_that_wants_single_sign_on(self) -> None:
        self.fake.add_token('ghp_sso', sso='required')
        self.assert_wrong(3, REPO, 'authorise it at https://github.com/orgs/octo-org/sso?'
                          'authorization_request=AAAA', WORKFLOW_TRIGGER_TOKEN='ghp_sso')

    def test_a_permission_that_is_missing_is_named(self) -> None:
        self.fake.add_token('github_pat_weak', permissions={REPO: {'metadata': 'read'}})
        self.assert_wrong(3, REPO, 'the token may not do this (HTTP 403 "Resource not accessible '
                          'by personal access token"', WORKFLOW_TRIGGER_TOKEN='github_pat_weak')
        self.assert_found(REPO, 'failure', 'hint: give it actions=read', status=3,
                          WORKFLOW_TRIGGER_TOKEN='github_pat_weak')

    def test_one_for_other_repositories(self) -> None:
        self.fake.add_token('github_pat_other', permissions={'octo-org/none': {}})
        self.assert_wrong(4, REPO, 'that the token was given access to this repository',
                          WORKFLOW_TRIGGER_TOKEN='github_pat_other')

    def test_one_that_may_not_read_contents_dispatches_all_the_same(self) -> None:
        self.fake.add_token('github_pat_a', permissions={REPO: {'metadata': 'read',
                                                                'actions': 'write'}})
        found = self.findings(WORKFLOW_TRIGGER_TOKEN='github_pat_a')
        self.assertEqual(['unknown', 'unknown'], [one['level'] for one in found[f'{REPO}@main']])
        self.assertIn("may not know whether Actions is on", str(found[REPO]))
        self.dispatch('main', WORKFLOW_TRIGGER_TOKEN='github_pat_a')
        self.assert_runs(main=1)

    def test_one_that_is_revoked_half_way(self) -> None:
        for after in range(1, 7):
            with self.subTest(after=after):
                self.fake.add_token('github_pat_gone')
                self.fake.revoke('github_pat_gone', after=after)
                self.fails('the token is not valid (HTTP 401', status=3,
                           WORKFLOW_TRIGGER_TOKEN='github_pat_gone')
        self.assertEqual([], self.fake.runs)

    def test_one_that_is_revoked_once_the_run_is_there(self) -> None:
        self.fake.revoke(TOKEN, after=7)
        result = self.fails('the dispatch was accepted, but its run cannot be looked at', status=3)
        self.assertIn('the token is not valid (HTTP 401', result['reason'])
        self.assertEqual(self.fake.runs[0].id, result['run_id'])


class Places(CheckTest):
    def test_a_repository_that_is_not_there(self) -> None:
        del self.fake.repos[REPO]
        self.assert_wrong(4, REPO, f"no repository '{REPO}', or the token may not see it")

    def test_an_archived_repository(self) -> None:
        self.fake.repo(REPO).archived = True
        self.assert_wrong(1, REPO, f"repository '{REPO}' is archived; hint: unarchive it")

    def test_a_blocked_repository(self) -> None:
        self.fake.repo(REPO).disabled = True
        self.assert_wrong(3, REPO, 'Repository access blocked')

    def test_actions_is_off(self) -> None:
        self.fake.repo(REPO).actions_enabled = False
        self.assert_wrong(1, REPO, f"Actions is off in '{REPO}'; hint: Settings, Actions, General")
        self.fake.add_token('ghs_job')          # it cannot know, and the server says so
        self.fails(f"Actions is off in '{REPO}'", status=1, WORKFLOW_TRIGGER_TOKEN='ghs_job')

    def test_a_branch_that_is_missing(self) -> None:
        del self.fake.repo(REPO).branches['main']
        self.assert_wrong(4, f'{REPO}@main', f"no branch 'main' in '{REPO}'")

    def test_a_branch_with_odd_characters(self) -> None:
        self.fake.repo(REPO).branches['fix/a#1%20&b?'] = 'a' * 40
        self.assert_found(f'{REPO}@fix/a#1%20&b?', 'ok', 'the branch exists',
                          branch='fix/a#1%20&b?')

    def test_a_workflow_that_is_missing(self) -> None:
        self.fake.repo(REPO).workflows.clear()
        self.assert_wrong(4, REPO, f"no workflow 'backup.yml' in '{REPO}'; hint: the file must be "
                          'in .github/workflows on the default branch')

    def test_a_file_that_is_missing_on_the_branch(self) -> None:
        self.workflow.on_branch('main', missing=True)
        self.assert_wrong(4, f'{REPO}@main', "branch 'main' has no .github/workflows/backup.yml; "
                          'hint: merge it from the default branch')

    def test_no_trigger_on_the_branch(self) -> None:
        self.workflow.on_branch('main', dispatch=False)
        self.assert_wrong(1, f'{REPO}@main', "'backup.yml' on branch 'main' has no "
                          "workflow_dispatch trigger; hint: add 'workflow_dispatch:' under 'on:'")

    def test_a_workflow_that_is_disabled(self) -> None:
        for state, words in (
                ('disabled_inactivity', 'dispatch --enable-inactive enables it'),
                ('disabled_manually', "enable it on the repository's Actions page"),
                ('disabled_fork', 'workflows of a fork are off'),
                ('deleted', 'its file is gone from the default branch')):
            with self.subTest(state):
                self.workflow.state = state
                found = self.assert_wrong(1, REPO, f"workflow 'backup.yml' is {state}")
                self.assertIn(words, found['fix'])
                self.assertIn(f'gh workflow enable backup.yml -R {REPO}', found['fix'])

    def test_only_what_is_inactive_is_enabled(self) -> None:
        for state in ('disabled_manually', 'disabled_fork', 'deleted'):
            self.workflow.state = state
            self.fails(f"workflow 'backup.yml' is {state}", status=1, more=('--enable-inactive',))
            self.assertEqual(state, self.workflow.state)
        self.workflow.state = 'disabled_inactivity'
        result = self.dispatch('main', more=('--enable-inactive',))
        self.assertIn(f"warning: {REPO}: workflow 'backup.yml' was disabled for inactivity and is "
                      'enabled again', result.err)
        self.assertEqual('active', self.workflow.state)
        self.assert_runs(main=1)

    def test_a_dry_run_enables_nothing_and_does_not_say_so(self) -> None:
        self.workflow.state = 'disabled_inactivity'
        result = self.dispatch('main', more=('--enable-inactive', '--dry-run'))
        self.assertEqual('disabled_inactivity', self.workflow.state)
        self.assertNotIn('is enabled again', result.err)

    def test_other_repositories_are_looked_at_too(self) -> None:
        self.add_repo(self.fake, OTHER, archived=True)
        self.assert_found(OTHER, 'failure', 'is archived', '--target', f'{OTHER}@main', status=1)


class Inputs(CheckTest):
    def wrong(self, words: str, inputs: str) -> None:
        self.assert_wrong(1, f'{REPO}@main', f"'backup.yml' on branch 'main' does not take these "
                          f'inputs: {words}; hint: compare --inputs', '--inputs', inputs)

    def test_one_that_is_not_declared(self) -> None:
        self.wrong("'speed' is not declared", '{"speed": "fast"}')

    def test_one_that_is_required(self) -> None:
        self.workflow.on_branch('main', inputs={'why': {'required': True}, 'level': {}})
        self.wrong("'why' is required", '{"level": "full"}')
        self.check('--inputs', '{"WHY": "x"}')

    def test_a_value_that_is_not_allowed(self) -> None:
        self.wrong("'level' must be one of full, fast, not 'slow'", '{"level": "slow"}')
        self.workflow.on_branch('main', inputs={'dry': {'type': 'boolean'},
                                                'count': {'type': 'number'}})
        self.wrong("'dry' must be true or false, not 'maybe', 'count' must be a number, not 'x'",
                   '{"dry": "maybe", "count": "x"}')
        self.check('--inputs', '{"dry": true, "count": "1.5"}')

    def test_more_than_a_workflow_takes(self) -> None:
        many = ', '.join(f'"i{number}": "x"' for number in range(26))
        self.assert_fails(2, '--inputs has more than the 25 values a workflow can take', 'check',
                          '--repo', REPO, '--inputs', '{%s}' % many)
        self.workflow.on_branch('main', inputs={f'i{number}': {} for number in range(26)})
        self.assert_wrong(1, f'{REPO}@main', 'declares 26 inputs, but GitHub takes 25 at most')

    def test_the_input_for_the_mark(self) -> None:
        for inputs, words in (({}, 'which gets the mark, is not declared'),
                              ({'mark': {'type': 'boolean'}},
                               'which gets the mark, must be of type string')):
            self.workflow.on_branch('main', inputs=inputs)
            self.assert_wrong(1, f'{REPO}@main', words, '--marker-input', 'mark')
        self.workflow.run_name = 'Backup'
        self.workflow.on_branch('main', inputs={'mark': {}})
        self.assert_wrong(1, f'{REPO}@main', 'does not show the mark in its run-name; hint: add '
                          "'run-name: Backup ${{ inputs.mark }}'", '--marker-input', 'mark')

    def test_a_file_that_is_not_understood_stops_nothing(self) -> None:
        self.workflow.on_branch('main', text='on: [workflow_dispatch\n')
        self.assert_found(f'{REPO}@main', 'unknown', "whether 'backup.yml' on branch 'main' takes "
                          'the dispatch cannot be known: the file is no YAML')
        self.dispatch('main')
        self.assert_runs(main=1)


class Surroundings(CheckTest):
    def test_a_rate_limit_that_is_nearly_used_up(self) -> None:
        self.fake.add_token('ghp_busy', limit=100, used=95)
        found = self.assert_found('rate limit', 'warning', 'only 4 of 100 requests are left, about '
                                  '8 are needed', WORKFLOW_TRIGGER_TOKEN='ghp_busy')
        self.assertIn('they are renewed in', found['fix'])

    def test_a_rate_limit_that_is_used_up(self) -> None:
        self.fake.add_token('ghp_empty', limit=100, used=100)
        out = self.check(status=5, WORKFLOW_TRIGGER_TOKEN='ghp_empty')
        self.assertRegex(out.err, r'error: the rate limit is reached and lasts until [-0-9]+T[:0-9]'
                         '+Z, which is after --timeout')
        self.assertEqual(1, len(self.fake.calls()))

    def test_a_clock_that_is_off(self) -> None:
        for skew, words in ((600, 'behind the server'), (-600, 'ahead of the server')):
            with self.subTest(skew):
                self.fake.clock.skew = skew
                found = self.assert_found('clock', 'warning', words)
                self.assertRegex(found['what'], '^this machine is (10 m|9 m 5)')
                self.assertIn('NTP', found['fix'])
                self.fake.runs.clear()
                self.dispatch('main')
                self.assert_runs(main=1)

    def test_the_token_is_judged_by_the_servers_clock(self) -> None:
        self.fake.clock.skew = -20 * DAY
        self.fake.add_token('ghp_a', expires_at=time.time() + DAY + 3600)
        self.assert_found('token', 'ok', 'valid for 21 days', WORKFLOW_TRIGGER_TOKEN='ghp_a')

    def test_a_server_that_is_down_for_a_moment(self) -> None:
        self.fake.fault('status', status=502, times=2)
        self.check()

    def test_what_it_says_of_a_dispatch_holds(self) -> None:
        self.check()
        self.dispatch('main')
        self.assertEqual([200], [call.status for call in self.fake.calls('POST', DISPATCHES)])


if __name__ == '__main__':
    unittest.main()
