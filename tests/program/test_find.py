"""backproof list, show and diff on a real PostgreSQL and a real Git server over HTTP."""
from __future__ import annotations

import os
import signal
import subprocess
import unittest

from backing_up import TOKEN, BackupTest, clean_env, wait_until
from git_server import GitServer
from harness import Cluster, unwind_on_sigterm

BEFORE = r'''
create table users (id int primary key, email text, note text);
insert into users select g, 'u' || g || '@x', 'as it was' from generate_series(1, 9) g;
create table words (lang text, word text, meaning text, primary key (lang, word));
insert into words values ('de', E'a\tb', E'two\nlines'), ('de', 'b', null), ('en', 'b', '');
create table log (at int, what text);
insert into log values (1, 'once'), (2, 'twice'), (2, 'twice'), (2, 'twice');
create table old (id int primary key);
insert into old values (1);
create table cols (id int primary key, a text, b text);
insert into cols select g, 'a' || g, 'b' || g from generate_series(1, 3) g;
create table big (id int primary key, filler text);
insert into big select g, string_agg(md5((8 * g + i)::text), '')
from generate_series(1, 50000) g, generate_series(1, 8) i group by g;
create table same (id int primary key);
insert into same values (1);
create table bare (a int);
insert into bare values (1), (2);
create table passing (id int primary key, filler text);
insert into passing select g, string_agg(md5((9 * g + i)::text), '')
from generate_series(1, 50000) g, generate_series(1, 8) i group by g;
'''
AFTER = r'''
insert into users values (10, 'u10@x', null);
delete from users where id = 2;
update users set note = E'a "quoted"\ttab' where id = 3;
update words set meaning = null where lang = 'de' and word = E'a\tb';
update words set meaning = 'NULL' where lang = 'de' and word = 'b';
insert into words values ('en', '\N', '\.');
delete from log where ctid in (select ctid from log where at = 2 limit 1);
insert into log values (3, '');
drop table old;
create table fresh (id int primary key, v text);
insert into fresh values (1, 'one'), (2, null);
alter table cols drop column a;
alter table cols add column c int default 7;
update cols set b = 'B' where id = 2;
update big set filler = 'changed' where id = 25000;
delete from big where id = 25001;
alter table bare drop column a;
insert into bare default values;
drop table passing;
create view everybody as select email from users;
'''
ROWS_OF = ('users', 'words', 'log', 'old', 'fresh', 'cols', 'same', 'bare')


def setUpModule() -> None:
    unwind_on_sigterm()
    BackupTest.cluster = Cluster()
    BackupTest.cluster.__enter__()
    unittest.addModuleCleanup(BackupTest.cluster.__exit__, None, None, None)
    BackupTest.server = GitServer(user='x-access-token', password=TOKEN)
    BackupTest.server.__enter__()
    unittest.addModuleCleanup(BackupTest.server.__exit__, None, None, None)
    back_up_twice()


def back_up_twice() -> None:
    """One repository with two archives, which all tests read and none changes."""
    bed = TwoArchives('test_list_selects_by_what_is_known_of_an_archive')
    bed.setUp()
    TwoArchives.shared_repo = bed.repo
    try:
        db = bed.new_db(BEFORE)
        bed.run_it('backup', DATABASE_URL=bed.url(db), GITHUB_SHA='1111111aa', **OF_A_WORKFLOW)
        bed.cluster.psql(db, AFTER)
        bed.run_it('backup', DATABASE_URL=bed.url(db), GITHUB_SHA='2222222bb', **OF_A_WORKFLOW)
        TwoArchives.pair = bed.ids()
    finally:
        bed.doCleanups()


OF_A_WORKFLOW = {'GITHUB_REPOSITORY': 'myorg/myapp', 'GITHUB_EVENT_NAME': 'schedule',
                 'GITHUB_REF_NAME': 'main', 'GITHUB_RUN_ID': '42',
                 'GITHUB_SERVER_URL': 'https://github.com'}


class TwoArchives(BackupTest):
    shared_repo = ''
    pair: list[str] = []      # the ids of both archives, the newer one first

    def setUp(self) -> None:
        super().setUp()
        if self.shared_repo:
            self.repo = self.shared_repo
            self.env['BACKPROOF_BACKUP_REPO'] = self.server.url(self.repo)
            self.env['BACKPROOF_BACKUP_BRANCH'] = 'main'

    def ids(self, *filters: str) -> list[str]:
        return [one['id'] for one in
                self.run_it('list', '--format', 'json', *filters).json['archives']]

    def sent_by_server(self) -> int:
        return sum(access.sent for access in self.server.accesses(self.repo))

    def costs(self, *args: str) -> int:
        """How many bytes the server sends for a run."""
        before = self.sent_by_server()
        self.run_it(*args)
        return self.sent_by_server() - before

    def rows_of(self, table: str, *args: str) -> dict:
        second, first = self.pair
        return self.run_it('diff', first, second, '--table', table, '--format', 'json',
                           *args).json['tables'][0]

    def counts(self, table: dict) -> tuple[int, int, int]:
        return tuple(table[kind]['count'] for kind in ('added', 'removed', 'changed'))

    # list

    def test_list_selects_by_what_is_known_of_an_archive(self) -> None:
        second, first = self.pair
        day = first[:10]
        self.assertEqual([second, first], self.ids('--since', day, '--until', day))
        self.assertEqual([], self.ids('--until', '2020-01-01'))
        self.assertEqual([second], self.ids('--sha', '2222222'))
        self.assertEqual([first], self.ids('--sha', '1111111aa'))
        self.assertEqual([second, first], self.ids('--repo', 'myorg/myapp', '--event',
                                                   'schedule'))
        self.assertEqual([], self.ids('--event', 'push'))
        self.assertEqual([], self.ids('--verified', 'yes'))
        self.assertEqual([second, first], self.ids('--verified', 'no'))

    # show

    def test_show_tells_what_an_archive_holds_and_what_changed(self) -> None:
        second, first = self.pair
        shown = self.run_it('show', '--format', 'json').json
        self.assertEqual(second, shown['id'])
        self.assertEqual(first, shown['previous']['id'])
        self.assertEqual('myorg/myapp', shown['source']['repository'])
        self.assertEqual('https://github.com/myorg/myapp/actions/runs/42',
                         shown['source']['run_url'])
        self.assertEqual({}, shown['verification'])
        self.assertEqual(
            {'big': ('rows', False), 'cols': ('content', True), 'fresh': ('new', False),
             'log': ('content', False), 'old': ('gone', False), 'same': ('none', False),
             'bare': ('rows', True), 'passing': ('gone', False),
             'users': ('content', False), 'words': ('rows', False)},
            {one['name']: (one['change'], one['definition_changed']) for one in shown['tables']})
        text = self.run_it('show').out
        self.assertRegex(text, rf'previous +{first}; since then \d+ new files')
        self.assertRegex(text, r'public\.big +49,999 .* -1 row\n')
        self.assertRegex(text, r'public\.cols .* changed, definition changed\n')
        self.assertRegex(self.run_it('show', first).out, r'previous +none\n')

    # diff

    def test_diff_shows_definitions_once(self) -> None:
        second, first = self.pair
        text = self.run_it('diff', first, second).out
        self.assertIn('\n-    a text,\n-    b text\n+    b text,\n+    c integer DEFAULT 7\n', text)
        self.assertEqual(1, text.count('+    c integer DEFAULT 7\n'))
        self.assertEqual(1, text.count('+CREATE TABLE public.fresh ('))
        self.assertEqual(1, text.count('-CREATE TABLE public.old ('))
        self.assertIn('\n+CREATE VIEW public.everybody AS\n', text)
        self.assertNotIn('restrict', text)
        self.assertIn('\n1 other table is the same\n', text)
        found = self.run_it('diff', first, second, '--format', 'json').json
        self.assertEqual([*(f'public/tables/{one}/schema.sql'
                            for one in ('bare', 'cols', 'fresh', 'old', 'passing')),
                          'database/pre-data.sql'],
                         [one['path'] for one in found['definitions']])

    def test_diff_tells_rows_apart_by_their_key(self) -> None:
        users = self.rows_of('users')
        self.assertEqual(((1, 1, 1), ['id']), (self.counts(users), users['key']))
        self.assertEqual({'id': '10', 'email': 'u10@x', 'note': None},
                         users['added']['rows'][0]['values'])
        self.assertEqual('2', users['removed']['rows'][0]['values']['id'])
        self.assertEqual({'key': {'id': '3'}, 'old': {'note': 'as it was'},
                          'new': {'note': 'a "quoted"\ttab'}, 'cut': []},
                         users['changed']['rows'][0])

    def test_diff_knows_keys_of_several_columns_tabs_line_ends_and_null(self) -> None:
        words = self.rows_of('public.words')
        self.assertEqual(((1, 0, 2), ['lang', 'word']), (self.counts(words), words['key']))
        self.assertEqual({'lang': 'en', 'word': r'\N', 'meaning': r'\.'},
                         words['added']['rows'][0]['values'])
        self.assertEqual([({'lang': 'de', 'word': 'a\tb'}, 'two\nlines', None),
                          ({'lang': 'de', 'word': 'b'}, None, 'NULL')],
                         [(row['key'], row['old']['meaning'], row['new']['meaning'])
                          for row in words['changed']['rows']])
        second, first = self.pair
        text = self.run_it('diff', first, second, '--table', 'words').out
        self.assertIn(r'~ lang=de, word="a\tb": meaning="two\nlines" -> NULL' + '\n', text)
        self.assertIn(r'~ lang=de, word=b: meaning=NULL -> "NULL"' + '\n', text)

    def test_diff_counts_rows_without_a_key(self) -> None:
        log = self.rows_of('log')
        self.assertEqual(((1, 1, 0), []), (self.counts(log), log['key']))
        self.assertEqual({'at': '3', 'what': ''}, log['added']['rows'][0]['values'])
        self.assertEqual({'at': '2', 'what': 'twice'}, log['removed']['rows'][0]['values'])

    def test_diff_of_tables_and_columns_that_came_or_went(self) -> None:
        self.assertEqual((0, 1, 0), self.counts(self.rows_of('old')))
        self.assertEqual((2, 0, 0), self.counts(self.rows_of('fresh')))
        self.assertEqual((0, 0, 0), self.counts(self.rows_of('same')))
        cols = self.rows_of('cols')
        self.assertEqual(((0, 0, 1), ['c'], ['a']),
                         (self.counts(cols), cols['columns_new'], cols['columns_gone']))
        self.assertEqual(({'b': 'b2'}, {'b': 'B'}), (cols['changed']['rows'][0]['old'],
                                                     cols['changed']['rows'][0]['new']))

    def test_diff_of_a_table_that_lost_its_last_column(self) -> None:
        bare = self.rows_of('bare')
        self.assertEqual(((1, 0, 0), ['a'], [{'values': {}, 'cut': []}]),
                         (self.counts(bare), bare['columns_gone'], bare['added']['rows']))

    def test_diff_takes_several_tables_and_either_order(self) -> None:
        second, first = self.pair
        back = self.run_it('diff', second, first, '--table', 'users', '--rows', '0', '--format',
                           'json').json['tables'][0]
        self.assertEqual((1, 1, 1), self.counts(back))
        self.assertEqual([], back['added']['rows'])
        self.assert_fails(4, "neither archive has a table 'nobody'", 'diff', first, second,
                          '--table', 'nobody')
        text = self.run_it('diff', first, second, *[word for table in ROWS_OF
                                                    for word in ('--table', table)]).out
        self.assertEqual(list(ROWS_OF), [line.split(':')[0].removeprefix('public.')
                                         for line in text.splitlines() if ' added, ' in line])

    # What it costs

    def test_no_rows_are_downloaded_but_those_of_files_that_differ(self) -> None:
        """The table has 13 MiB of digits, in files of about 4 MiB, of which one differs."""
        second, first = self.pair
        names_alone = self.costs('list', '--limit', '1')
        whole = self.held_by_server()
        self.assertGreater(whole, 6 << 20)
        self.assertLess(names_alone, 64 << 10)
        self.assertLess(self.costs('show'), 64 << 10)
        self.assertLess(self.costs('diff', first, second), 64 << 10)
        self.assertLess(self.costs('diff', first, second, '--table', 'users'), 64 << 10)
        big = self.costs('diff', first, second, '--table', 'big')
        self.assertGreater(big, 256 << 10)
        self.assertLess(big, whole * 3 // 4)
        found = self.rows_of('big')
        self.assertEqual((0, 1, 1), self.counts(found))
        self.assertEqual('changed', found['changed']['rows'][0]['new']['filler'])

    def test_of_a_table_that_only_one_archive_has_the_first_rows_are_downloaded(self) -> None:
        """The table has 13 MiB of digits in files of about 4 MiB."""
        second, first = self.pair
        found = self.rows_of('passing', '--rows', '2')
        self.assertEqual((0, 50000, 0), self.counts(found))
        self.assertEqual(['1', '2'], [row['values']['id'] for row in found['removed']['rows']])
        whole = self.costs('diff', first, second, '--table', 'passing', '--rows', '50000')
        self.assertLess(self.costs('diff', first, second, '--table', 'passing'),
                        whole * 3 // 4)
        self.assertLess(self.costs('diff', first, second, '--table', 'passing', '--rows', '0'),
                        64 << 10)
        self.assertEqual(50000, len(self.rows_of('passing', '--rows', '60000')['removed']['rows']))

    def held_by_server(self) -> int:
        sizes = dict(line.split(': ') for line in
                     self.server.git(self.repo, 'count-objects', '-v').splitlines())
        return (int(sizes['size']) + int(sizes['size-pack'])) * 1024

    def test_a_stopped_diff_leaves_nothing_behind(self) -> None:
        second, first = self.pair
        git = self.folder / 'git'
        gate = self.folder / 'gate'
        os.mkfifo(gate)
        # Stands for git, and hangs when the first file with rows is asked for.
        git.write_text('#!/bin/sh\ncase "$*" in *--stdin*) n=$(cat "$0.n" 2>/dev/null || echo 0);'
                        ' echo $((n + 1)) >"$0.n"; if [ "$n" -ge 1 ]; then '
                        f'echo here >"$0.here"; read x <"{gate}"; fi;; esac\n'
                        'exec /usr/bin/git "$@"\n')
        git.chmod(0o755)
        child = self.start('diff', first, second, '--table', 'big',
                           PATH=f'{self.folder}:{os.environ["PATH"]}')
        wait_until((self.folder / 'git.here').exists, 'the fetch of rows')
        child.send_signal(signal.SIGINT)
        self.finish(child, 130)
        self.assert_clean()

    # History for people

    def test_git_log_shows_the_history_of_a_table(self) -> None:
        clone = self.folder / 'clone'
        env = clean_env(GIT_CONFIG_COUNT='1', GIT_CONFIG_KEY_0='safe.directory',
                        GIT_CONFIG_VALUE_0='*')
        subprocess.run(['git', 'clone', '-q', '-b', 'main', self.server.path(self.repo), clone],
                       check=True, env=env)
        log = subprocess.run(['git', 'log', '-p', '--format=tformat:commit', '--',
                              'backups/current/public/tables/users'], cwd=clone, env=env, text=True,
                             check=True, capture_output=True).stdout
        newest, oldest = log.split('commit\n')[1:]
        self.assertIn('-3\tu3@x\tas it was\n', newest)
        self.assertIn('+3\tu3@x\ta "quoted"\\ttab\n', newest)
        self.assertIn('-2\tu2@x\tas it was\n', newest)
        self.assertNotIn('+1\tu1@x', newest)
        self.assertIn('+1\tu1@x\tas it was\n', oldest)


class OtherOptions(BackupTest):
    def test_diff_tells_that_less_was_asked_for(self) -> None:
        db = self.new_db('create table t (id int primary key); insert into t values (1), (2);'
                         'create table u as select 1 as a')
        for args in ((), (), ('--exclude-table-data', 't')):
            self.run_it('backup', *args, DATABASE_URL=self.url(db))
        third, second, first = [one['id'] for one in
                                self.run_it('list', '--format', 'json').json['archives']]
        note = "note: they were made with different options ('backproof show' tells them)"
        self.assertNotIn(note, self.run_it('diff', first, second).out)
        for args in ((), ('--table', 't')):
            self.assertIn(note, self.run_it('diff', second, third, *args).out)
        self.assertEqual([False, True], [
            self.run_it('diff', *pair, '--format', 'json').json['options_differ']
            for pair in ((first, second), (second, third))])


if __name__ == '__main__':
    unittest.main()
