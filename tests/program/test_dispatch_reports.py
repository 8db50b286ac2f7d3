"""What backproof dispatch leaves on a GitHub runner; that no text of a server does harm there."""
from __future__ import annotations

import json
import re
import unittest

from harness import Result, unwind_on_sigterm
from dispatching import BRANCHES, DISPATCHES, REPO, TOKEN, DispatchTest, check_schema

HOSTILE = ['a|b', '::error::injected', '##[error]injected', '<img src=x onerror=alert(1)>',
           '@octo-org/team', '[click](javascript:alert(1))', f'key {TOKEN}', '`code`',
           'a\n::error::injected', 'b\r\n##[error]injected\n\n| x | y |\n', '</details>',
           '\x1b[31mred', 'name<<end\nvalue\nend\n', '${{ secrets.X }}', '; hint: run this']
ALL = ' '.join(HOSTILE)


def setUpModule() -> None:
    unwind_on_sigterm()


def read_outputs(text: str) -> dict[str, str]:
    """As the runner reads the file: NAME=VALUE, or NAME<<MARK, lines, MARK."""
    outputs: dict[str, str] = {}
    lines = text.split('\n')
    while lines:
        line = lines.pop(0)
        if not line:
            continue
        equals, heredoc = line.find('='), line.find('<<')
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            name, value = line[:equals], line[equals + 1:]
        elif heredoc >= 0:
            name, mark = line[:heredoc], line[heredoc + 2:]
            end = lines.index(mark)         # ValueError: the runner fails the step
            value = '\n'.join(lines[:end])
            del lines[:end + 1]
        else:
            raise ValueError(f'invalid format {line!r}')
        if not name or name in outputs:
            raise ValueError(f'bad name {name!r}')
        outputs[name] = value
    return outputs


def commands(text: str) -> list[tuple[str, str]]:
    """What the runner takes for commands in a program's output: the command and its message."""
    found = []
    for line in re.split('[\r\n]+', text):
        new = re.match(r'\s*::([^\s:]+)([^:]*)::(.*)', line)
        old = re.search(r'##\[([^\]]+)\](.*)', line)
        if new:
            found.append((new[1], new[3]))
        elif old:
            found.append((old[1], old[2]))
    return found


class Readers(unittest.TestCase):
    """What the tests below read with."""

    def test_commands_are_seen(self) -> None:
        text = 'a\n  ::error title=x,line=1::one\r::warning::two\nb ##[error]three\n| ::error::no\n'
        self.assertEqual([('error', 'one'), ('warning', 'two'), ('error', 'three')],
                         commands(text))

    def test_outputs_are_read(self) -> None:
        self.assertEqual({'a': '1=2', 'b': 'x<<y\n', 'c': ''},
                         read_outputs('a=1=2\nb<<end\nx<<y\n\nend\nc<<m\n\nm\n'))
        for text in ('a<<end\nx\n', 'no format', '=x', 'a=1\na=2'):
            self.assertRaises(ValueError, read_outputs, text)


class ReportTest(DispatchTest):
    def setUp(self) -> None:
        super().setUp()
        self.summary_file = self.folder / 'summary.md'
        self.output_file = self.folder / 'output'
        self.env.update(GITHUB_ACTIONS='true', GITHUB_STEP_SUMMARY=str(self.summary_file),
                        GITHUB_OUTPUT=str(self.output_file))

    def summary(self) -> str:
        return self.summary_file.read_text(encoding='utf-8')

    def outputs(self) -> dict[str, str]:
        return read_outputs(self.output_file.read_text(encoding='utf-8'))

    def everything(self, result: Result) -> str:
        return result.out + result.err + self.summary() + self.output_file.read_text()

    def rows(self) -> list[list[str]]:
        """The cells of the first table, the heading first."""
        table = re.search(r'(?:^\|.*\|\n)+', self.summary(), re.M)
        assert table is not None, self.summary()
        return [[cell.strip() for cell in line.strip('|').split('|')]
                for line in table[0].splitlines()]


class Runner(ReportTest):
    def test_the_summary_is_one_table(self) -> None:
        self.dispatch('main', 'dev')
        heading, rule, *rows = self.rows()
        self.assertEqual(['Branch', 'Result', 'Run', 'Time', 'Reason'], heading)
        self.assertEqual(['---'] * 5, rule)
        self.assertEqual({branch: 'started' for branch in ('main', 'dev')},
                         {row[0]: row[1] for row in rows})
        for run in self.fake.runs:
            self.assertIn(f'[{run.id}]({self.fake.url}/{REPO}/actions/runs/{run.id})',
                          [row[2] for row in rows if row[0] == run.branch][0])
        self.assertIn('2 of 2 branches started', self.summary().splitlines()[0])
        tables = re.findall(r'(?:^\|.*\n)+', self.summary(), re.M)
        self.assertEqual(1, len(tables), self.summary())
        self.assertNotIn('<details>', self.summary())

    def test_the_summary_explains_what_failed(self) -> None:
        self.fake.set_plan(branch='dev', finish_after=0, conclusion='failure', failed_step='Upload')
        self.fake.set_plan(branch='main', finish_after=0)
        self.dispatch('gone', 'dev', 'main', more=('--until', 'finished'))
        rows = {row[0]: row for row in self.rows()[2:]}
        self.assertEqual(['failed', 'failed', 'finished'],
                         [rows[branch][1] for branch in ('gone', 'dev', 'main')])
        self.assertEqual('main', self.rows()[-1][0], 'failures come first')
        self.assertEqual(2, self.summary().count('<details>'))
        self.assertEqual(2, self.summary().count('</details>'))
        job = f'/actions/runs/{self.fake.runs_of(REPO, "dev")[0].id}/job/'
        self.assertRegex(self.summary(),
                         rf'- \[backup\]\(http\S+{job}\d+\): failure in step Upload')

    def test_it_is_added_to_what_stands_there(self) -> None:
        self.summary_file.write_text('# mine\n')
        self.output_file.write_text('mine=1\n')
        self.dispatch('main')
        self.assertTrue(self.summary().startswith('# mine\n'))
        self.assertEqual('1', self.outputs()['mine'])

    def test_the_outputs_of_the_step(self) -> None:
        answer = self.answer('main', 'dev', 'gone')
        outputs = self.outputs()
        self.assertEqual({'results', 'succeeded', 'failed', 'run-ids', 'conclusion'}, set(outputs))
        results = json.loads(outputs['results'])
        self.assertEqual(answer['results'], results)
        self.assertNotIn('\n', outputs['results'])
        check_schema({**answer, 'results': results})
        self.assertEqual(('2', '1', 'partial'), (outputs['succeeded'], outputs['failed'],
                                                 outputs['conclusion']))
        self.assertEqual([str(one['run_id']) for one in results if one['run_id']],
                         outputs['run-ids'].split(','))

    def test_conclusions(self) -> None:
        for branches, conclusion, status in ((('main',), 'success', 0), (('gone',), 'failure', 4)):
            self.output_file.unlink(missing_ok=True)
            self.dispatch(*branches, status=status)
            self.assertEqual(conclusion, self.outputs()['conclusion'])
        self.assertEqual('', self.outputs()['run-ids'])

    def test_files_that_cannot_be_written_fail_nothing(self) -> None:
        result = self.dispatch('main', GITHUB_OUTPUT=str(self.folder / 'none' / 'output'),
                               GITHUB_STEP_SUMMARY=str(self.folder))
        for name in ('GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY'):
            self.assertRegex(result.err, rf'warning: cannot open .*\({name}\)')
        self.assert_runs(main=1)

    def test_results_stand_alone_on_stdout(self) -> None:
        result = self.dispatch('main', 'gone', more=('--format', 'json'))
        json.loads(result.out)
        self.assertIn(('warning', f"branch 'gone' failed: no branch 'gone' in '{REPO}'"),
                      commands(result.err))

    def test_at_most_ten_annotations_of_a_kind(self) -> None:
        gone = [f'gone-{number}' for number in range(15)]
        result = self.dispatch('main', *gone)
        found = commands(result.err)
        self.assertEqual(10, [kind for kind, _ in found].count('warning'), found)
        self.assertLessEqual([kind for kind, _ in found].count('error'), 10)
        for name in gone:
            self.assertIn(f"warning: branch '{name}' failed: ", result.err)
        self.assertEqual(16, len(self.rows()) - 2)

    def test_all_failed_for_one_reason(self) -> None:
        result = self.dispatch('gone', status=4)
        self.assertEqual([('error', f"gone: no branch 'gone' in '{REPO}'")], commands(result.err))

    def test_outside_a_runner_there_are_no_commands(self) -> None:
        result = self.dispatch('main', 'gone', GITHUB_ACTIONS='')
        self.assertEqual([], commands(result.err))


class Hostile(ReportTest):
    def assert_harmless(self, result: Result) -> None:
        everything = self.everything(result)
        self.assertNotIn(TOKEN, everything)
        self.assertNotIn(TOKEN[:20], everything)
        for kind, message in commands(result.out + '\n' + result.err):
            self.assertIn(kind, ('warning', 'error'))
            self.assertFalse(message.strip().startswith('injected'), message)
        self.assertNotIn('\x1b', everything)
        page = self.summary()
        for words in ('<img', '](javascript', '`'):
            self.assertNotIn(words, page)
        # What GitHub would make a mention of: "@" at the start of a word.
        self.assertIsNone(re.search(r'(?<![\w/])@\w', page), page)
        for line in page.splitlines():
            if line.startswith('|'):
                self.assertIn(line.count('|'), (5, 6), line)
        self.assertEqual(page.count('<details>'), page.count('</details>'))
        self.assertEqual({'results', 'succeeded', 'failed', 'run-ids', 'conclusion'},
                         set(self.outputs()))
        json.loads(self.outputs()['results'])

    def test_an_error_message(self) -> None:
        for text in [*HOSTILE, ALL]:
            for status in (422, 403, 500):
                with self.subTest(text=text, status=status):
                    self.summary_file.unlink(missing_ok=True)
                    self.output_file.unlink(missing_ok=True)
                    self.fake.fault('status', status=status, method='GET', times=None,
                                    path_regex='/backup.yml$', body={'message': text})
                    result = self.dispatch('main', status=None, more=('--retries', '0', '-v'))
                    self.assertIn(f'HTTP {status}', result.out)
                    self.assert_harmless(result)
                    self.fake.faults.waiting.clear()

    def test_a_page_that_is_no_json(self) -> None:
        self.fake.fault('status', status=502, times=None, body=f'<html>{ALL}', method='GET')
        self.assert_harmless(self.dispatch('main', status=5, more=('-v', '--retries', '1')))

    def test_headers(self) -> None:
        line = ALL.replace('\n', ' ').replace('\r', ' ')
        self.fake.fault('status', status=403, method='POST', path_regex=DISPATCHES, headers={
            'X-GitHub-Request-Id': line, 'X-Accepted-GitHub-Permissions': line,
            'X-GitHub-SSO': f'required; url=https://example.com/{line}'})
        self.assert_harmless(self.dispatch('main', status=3))

    def test_names_of_jobs_and_steps(self) -> None:
        self.fake.set_plan(finish_after=0, conclusion='failure', failed_step=ALL, jobs=HOSTILE)
        self.fake.set_plan(branch='dev', jobs=[ALL])
        result = self.dispatch('main', 'dev', status=1, more=('--until', 'finished'))
        self.assert_harmless(result)
        self.assertIn('a|b', json.loads(self.outputs()['results'])[1]['failed_jobs'][0]['step'])

    def test_names_of_groups_environments_and_labels(self) -> None:
        self.fake.set_plan(start_after=None, finish_after=None, group=ALL, environment=ALL,
                           labels=HOSTILE)
        for state in ('pending', 'waiting', 'queued', ALL):
            with self.subTest(state):
                self.summary_file.unlink(missing_ok=True)
                self.output_file.unlink(missing_ok=True)
                self.fake.set_plan(before_start=state)
                self.assert_harmless(self.dispatch('main', status=6,
                                                   BACKPROOF_START_TIMEOUT='100ms'))

    def test_a_conclusion(self) -> None:
        self.fake.set_plan(finish_after=0, conclusion=ALL)
        self.assert_harmless(self.dispatch('main', status=1, more=('--until', 'finished')))

    def test_names_of_branches(self) -> None:
        names = ['a|b', '::error::injected', '##[error]injected', '<img/src=x>', '@octo-org/team',
                 '`code`', '</details>', 'b[x](javascript:y)']
        self.fake.repo(REPO).branches['a|b'] = 'a' * 40
        result = self.dispatch(*names)
        self.assert_harmless(result)
        self.assertEqual(['a|b'], [run.branch for run in self.fake.runs])
        self.assertEqual(names, [one['branch'] for one in json.loads(self.outputs()['results'])])

    def test_the_name_of_a_run(self) -> None:
        self.fake.repo(REPO).workflow('backup.yml').run_name = ALL
        self.assert_harmless(self.dispatch('main', more=('-v',)))

    def test_an_address_of_a_run(self) -> None:
        self.fake.fault('status', status=200, method='POST', path_regex=DISPATCHES, body={
            'workflow_run_id': 19_000_000_777, 'run_url': ALL, 'html_url': ALL})
        self.assert_harmless(self.dispatch('main', status=6, BACKPROOF_APPEAR_TIMEOUT='200ms'))


class CommitStatuses(DispatchTest):
    def statuses(self) -> dict[str, list]:
        found: dict[str, list] = {}
        for status in self.fake.repo(REPO).statuses:
            self.assertEqual('backproof/dispatch', status.context)
            self.assertLessEqual(len(status.description), 140)
            found.setdefault(status.sha, []).append(status)
        return found

    def test_each_branch_gets_one(self) -> None:
        self.fake.set_plan(branch='dev', start_after=None)
        answer = self.answer('main', 'dev', 'gone', more=('--commit-status',),
                             BACKPROOF_START_TIMEOUT='200ms')
        found = self.statuses()
        heads = self.fake.repo(REPO).branches
        self.assertEqual({heads['main']: ['success'], heads['dev']: ['failure']},
                         {sha: [one.state for one in ones] for sha, ones in found.items()})
        for result in answer['results'][:2]:
            self.assertEqual(heads[result['branch']], result['commit'])
            self.assertEqual(result['url'], found[result['commit']][0].target_url)

    def test_without_the_option_there_is_none(self) -> None:
        self.dispatch('main')
        self.assertEqual([], self.fake.repo(REPO).statuses)

    def test_a_long_reason_is_cut(self) -> None:
        for branch, letters in (('main', 'ü€😀'), ('dev', 'long')):
            self.fake.fault('status', status=422, method='POST', path_regex=DISPATCHES,
                            body={'message': letters * 100})
            self.dispatch(branch, status=1, more=('--commit-status',))
            status, = self.statuses()[self.fake.repo(REPO).branches[branch]]
            self.assertEqual('failure', status.state)
            self.assertTrue(status.description.endswith('...'), status.description)
            self.assertNotIn('\ufffd', status.description)

    def test_it_does_not_hold_the_token(self) -> None:
        for before in ('', 'x' * 85):           # in the middle, and where the text is cut
            self.fake.repo(REPO).statuses.clear()
            self.fake.fault('status', status=401, method='POST', path_regex=DISPATCHES,
                            body={'message': f'{before}{TOKEN} was revoked'})
            self.dispatch('main', status=3, more=('--commit-status',))
            status, = self.statuses()[self.fake.repo(REPO).branches['main']]
            self.assertIn(f'HTTP 401 "{before}***', status.description)
            self.assertNotIn(TOKEN[:8], status.description)

    def test_a_token_that_may_not_is_a_warning(self) -> None:
        self.fake.add_token('ghs_job', login='github-actions[bot]')
        result = self.dispatch('main', more=('--commit-status',), WORKFLOW_TRIGGER_TOKEN='ghs_job')
        self.assertRegex(result.err, "warning: branch 'main': cannot set the commit status: .*"
                         'statuses=write')

    def test_a_dry_run_sets_none(self) -> None:
        self.dispatch('main', more=('--commit-status', '--dry-run'))
        self.assertEqual([], self.fake.repo(REPO).statuses)


class RequestIds(DispatchTest):
    def test_results_tell_the_servers_id_of_the_dispatch(self) -> None:
        answer = self.answer(*BRANCHES)
        self.assertEqual({f'FA4E:{call.number:04X}:0000001:0000001:00000000'
                          for call in self.sent()},
                         {one['request_id'] for one in answer['results']})

    def test_a_refusal_tells_it_too(self) -> None:
        self.fake.fault('status', status=422, method='POST', path_regex=DISPATCHES,
                        headers={'X-GitHub-Request-Id': 'ABCD:1'}, body={'message': 'no'})
        result = self.fails('HTTP 422 "no", request ABCD:1', status=1)
        self.assertEqual('ABCD:1', result['request_id'])

    def test_without_a_dispatch_there_is_none(self) -> None:
        self.assertIsNone(self.one('gone', status=4)['request_id'])


if __name__ == '__main__':
    unittest.main()
