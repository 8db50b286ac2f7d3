"""The command line itself: help, versions, options, and the pages made from the option table."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import unittest

from harness import PROGRAM, ROOT, ProgramTest

COMMANDS = ('init', 'check', 'dispatch', 'backup', 'list', 'restore', 'version')


class Cli(ProgramTest):
    def test_help_names_every_command(self) -> None:
        for word in ('--help', '-h', 'help'):
            out = self.run_it(word).out
            for command in COMMANDS:
                self.assertIn(f'\n  {command}', out)

    def test_every_command_has_help_with_an_example(self) -> None:
        for command in COMMANDS:
            out = self.run_it(command, '--help').out
            self.assertTrue(out.startswith(f'Usage: backproof {command}'), out)
            self.assertIn('\nExample:\n', out)
            self.assertIn('--format FORMAT', out)

    def test_the_option_reference_is_up_to_date(self) -> None:
        page = (ROOT / 'docs' / 'options.md').read_text()
        self.assertEqual(self.run_it('render', 'markdown').out, page,
                         'run: build/dev/backproof render markdown >docs/options.md')

    def test_the_completions_are_accepted_by_bash(self) -> None:
        script = self.run_it('render', 'bash').out
        check = subprocess.run(['bash', '-n'], input=script, text=True, capture_output=True)
        self.assertEqual((0, ''), (check.returncode, check.stderr))

    def test_the_manual_page_is_clean(self) -> None:
        if shutil.which('man') is None:
            self.skipTest('man is not installed')
        page = self.folder / 'backproof.1'
        page.write_text(self.run_it('render', 'man').out)
        check = subprocess.run(['man', '--warnings', '-l', str(page)], text=True,
                               capture_output=True)
        self.assertEqual('', check.stderr)
        self.assertIn('--backup-repo', check.stdout)

    def test_version_in_both_formats(self) -> None:
        self.assertRegex(self.run_it('version').out, r'^backproof \d+\.\d+\.\d+\n$')
        self.assertRegex(self.run_it('version', '--format', 'json').json['version'], r'^\d')
        self.assertEqual(self.run_it('--version').out, self.run_it('version').out)

    def test_no_command_is_an_error_that_shows_the_help(self) -> None:
        self.assertIn('Usage: backproof', self.run_it(status=2).out)

    def test_what_is_not_known_is_named(self) -> None:
        self.assert_fails(2, "no command 'bakcup'", 'bakcup')
        self.assert_fails(2, 'no option --brnch; hint: did you mean --branch?', 'dispatch',
                          '--brnch', 'main')
        self.assert_fails(2, 'no option -z', 'list', '-z')
        self.assert_fails(2, "does not know what to do with 'x'", 'version', 'x')
        self.assert_fails(2, '--retries', 'dispatch', '--retries', 'many')
        self.assert_fails(2, "'5' is not a duration", 'dispatch', '--retry-delay', '5')
        self.assert_fails(2, "--format: 'xml' is none of text, json", 'version', '--format', 'xml')
        self.assert_fails(2, '--since', 'list', '--since', 'yesterday')

    def test_a_secret_on_the_command_line_is_refused(self) -> None:
        self.assert_fails(2, '--token would show in the process list; set BACKPROOF_TOKEN instead',
                          'dispatch', '--token', 'ghp_x')
        self.assert_fails(2, 'set BACKPROOF_BACKUP_TOKEN instead', 'backup', '--backup-token', 'x')
        self.assert_fails(2, 'the password in --database-url would show', 'backup',
                          '--backup-repo', '/x', '--database-url', 'postgresql://u:hunter22@h/db')
        self.assert_fails(2, 'set BACKPROOF_TARGET_URL instead', 'restore', 'latest',
                          '--backup-repo', '/x', '--to', 'host=h password=hunter22')

    def test_what_a_command_needs_is_named(self) -> None:
        self.assert_fails(2, 'backup needs --backup-repo or BACKPROOF_BACKUP_REPO', 'backup')
        self.assert_fails(2, 'restore needs ID', 'restore', '--backup-repo', '/x')
        self.assert_fails(2, 'there is no repository for --branch', 'dispatch', '--branch', 'main')

    @unittest.skipUnless(os.access('/dev/full', os.W_OK), '/dev/full cannot be written')
    def test_a_full_disk_behind_stdout_is_a_failure(self) -> None:
        with open('/dev/full', 'w') as full:
            child = self.start('version')
            child.communicate()
            result = subprocess.run(child.args, stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(1, result.returncode)
        self.assertIn('cannot write the results', result.stderr)

    def test_closed_streams_are_no_trap(self) -> None:
        closed = subprocess.run(['sh', '-c', f'"{PROGRAM}" version <&- 2>&-'],
                                stdout=subprocess.PIPE, text=True)
        self.assertEqual((0, 'backproof'), (closed.returncode, closed.stdout.split()[0]))

    def test_json_output_is_one_object(self) -> None:
        self.assertEqual({'name', 'version'},
                         set(json.loads(self.run_it('version', '--format=json').out)))


if __name__ == '__main__':
    unittest.main()
