"""backproof backup while others change the tables, or back up as well."""
from __future__ import annotations

import re
import subprocess
import unittest

from backing_up import TOKEN, BackupTest, read_until, wait_until
from harness import Cluster, unwind_on_sigterm
from git_server import GitServer
from processes import end, spawn

MIDDLE = 4 << 20        # of what the rows of table a_large are, behind all the buffers on the way
LARGE_SQL = '''
create table a_large (id int primary key, words text not null);
insert into a_large select g, repeat(md5(g::text), 5) from generate_series(1, 110000) g;
create table kept as select g as id from generate_series(1, 500) g;
create table rewritten as select g as id from generate_series(1, 500) g;
create table dropped as select g as id from generate_series(1, 500) g;
'''
# What is always true: ledgers have equal sums; full, rewritten and every churned table have rows.
STORM_TABLES = '''
create table ledger_left (id int primary key, n bigint not null);
insert into ledger_left select g, 0 from generate_series(1, 50) g;
create table ledger_right (id int primary key, n bigint not null);
insert into ledger_right select * from ledger_left;
create table pace as select 0.02::float8 as seconds;
create table full_always as select g as id from generate_series(1, 500) g;
create table rewritten as select g as id from generate_series(1, 500) g;
'''
LEDGERS = '''
do $$ begin
    for i in 1..50 loop
        update ledger_left set n = n + i where id = i;
        update ledger_right set n = n + i where id = i;
        commit;
    end loop;
end $$;
'''
TRUNCATE = '''
begin; truncate full_always; insert into full_always select generate_series(1, 500); commit;
select pg_sleep(seconds) from pace;
'''
REWRITE = '''
alter table rewritten alter column id type bigint;
alter table rewritten alter column id type int;
select pg_sleep(seconds) from pace;
alter table ledger_right add column more text default 'more';
alter table ledger_right drop column more;
select pg_sleep(seconds) from pace;
'''
CHURN = '''
begin; create table churned_NN (id serial primary key, words text);
insert into churned_NN (words) select 'w' from generate_series(1, 10); commit;
select pg_sleep(seconds) from pace;
alter table churned_NN rename to churned_again_NN;
select pg_sleep(seconds) from pace;
drop table churned_again_NN;
select pg_sleep(seconds) from pace;
'''
CHECK = '''
select (select sum(n) from ledger_left) - (select sum(n) from ledger_right),
    (select count(*) from full_always), (select count(*) from rewritten),
    (select sum(id) from rewritten)
'''
CHURNED = '''
select format('select %L, count(*) from %s;', c.relname, c.oid::regclass)
from pg_class c where relkind = 'r' and relname like 'churned%'
'''


def setUpModule() -> None:
    unwind_on_sigterm()
    BackupTest.cluster = Cluster()
    BackupTest.cluster.__enter__()
    unittest.addModuleCleanup(BackupTest.cluster.__exit__, None, None, None)
    BackupTest.server = GitServer(user='x-access-token', password=TOKEN)
    BackupTest.server.__enter__()
    unittest.addModuleCleanup(BackupTest.server.__exit__, None, None, None)


class OthersTest(BackupTest):
    def psql_process(self, db: str, name: str, *words: str) -> subprocess.Popen:
        env = {**self.cluster.env(db), 'PGAPPNAME': name, 'PATH': '/usr/bin:/bin'}
        child = spawn([str(self.cluster.clients / 'psql'), '-qAtX', *words], env=env,
                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(child.stdout.close)
        self.addCleanup(end, child)
        return child

    def wait_for_lock(self, name: str) -> None:
        wait_until(lambda: self.cluster.psql('postgres', f"""
            select 1 from pg_stat_activity where application_name = '{name}'
            and wait_event_type = 'Lock'"""), f'{name}, who has to wait')

    def start_and_hang(self, *args: str) -> subprocess.Popen:
        """A backup that was held up while rows came to it, until self.net.mend()."""
        self.net.cut('hang', MIDDLE)
        child = self.start('backup', *args, DATABASE_URL=self.env['DATABASE_URL'])
        self.net.wait_until_cut(30)
        return child


class Change(OthersTest):
    """TRUNCATE, or an ALTER TABLE that rewrites, would leave nothing to a snapshot."""

    def setUp(self) -> None:
        super().setUp()
        self.db = self.new_db(LARGE_SQL)
        self.net = self.wire()
        self.env['DATABASE_URL'] = self.url(self.db, self.net.port)

    def test_waits_until_all_rows_are_read(self) -> None:
        changes = {'cutter': 'truncate kept', 'emptier': 'truncate a_large',
                   'changer': 'alter table rewritten alter column id type bigint',
                   'dropper': 'drop table dropped'}
        child = self.start_and_hang('--jobs', '1')      # so that the others are read after this
        others = {name: self.psql_process(self.db, name, '-c', sql)
                  for name, sql in changes.items()}
        for name in changes:
            self.wait_for_lock(name)
        self.net.mend()
        self.finish(child, 0)
        for name, other in others.items():
            self.assertEqual((0, ''), (other.wait(30), other.stdout.read()), name)
        self.assertEqual((110000, 500, 500, 500), tuple(
            self.rows(name) for name in ('a_large', 'kept', 'rewritten', 'dropped')))
        self.assert_nothing_left(child)
        target = self.new_db()
        self.run_it('restore', 'latest', BACKPROOF_TARGET_URL=self.url(target))
        self.assertEqual('110000|500|125250', self.cluster.psql(
            target, 'select (select count(*) from a_large), (select count(*) from kept), '
            '(select sum(id) from rewritten)'))


    def test_that_comes_before_pg_dump_has_its_locks_does_not_break_the_backup(self) -> None:
        """pg_dump would wait for the change, the change for our locks, and we for pg_dump."""
        self.net.cut('hang', 1, client=b"set_config('search_path'")     # how pg_dump begins
        child = self.start('backup', BACKPROOF_LOCK_TIMEOUT='2s')
        self.net.wait_until_cut(30)
        other = self.psql_process(self.db, 'changer', '-c',
                                  'alter table rewritten alter column id type bigint')
        self.wait_for_lock('changer')
        self.net.mend()
        self.finish(child, 0)
        self.assertEqual((0, ''), (other.wait(30), other.stdout.read()))
        self.assertEqual(500, self.rows('rewritten'))
        self.assert_nothing_left(child)


class Storm(OthersTest):
    """Sessions that create, fill, rename, rewrite, truncate and drop tables all the time. They get
    slower with every backup that had to give up, so that some come through on any machine."""
    WANTED = 4
    TRIES = 20

    def setUp(self) -> None:
        super().setUp()
        self.db = self.new_db(STORM_TABLES)
        self.env.update(DATABASE_URL=self.url(self.db), BACKPROOF_LOCK_RETRIES='0',
                        BACKPROOF_LOCK_TIMEOUT='1s')

    def blow(self, name: str, sql: str) -> None:
        """Again and again, until the end of the test."""
        file = self.folder / f'{name}.sql'
        file.write_text(sql * 50)
        env = {**self.cluster.env(self.db), 'PGAPPNAME': 'storm', 'PATH': '/usr/bin:/bin'}
        script = f'while {self.cluster.clients}/psql -qAtX -f {file} >/dev/null 2>&1; do :; done'
        self.addCleanup(end, spawn(['/bin/sh', '-c', script], env=env))

    def check_restored(self) -> None:
        target = self.new_db()
        self.run_it('restore', 'latest', BACKPROOF_TARGET_URL=self.url(target))
        self.assertEqual('0|500|500|125250', self.cluster.psql(target, CHECK))
        for line in self.cluster.psql(target, self.cluster.psql(target, CHURNED)).splitlines():
            self.assertEqual('10', line.split('|')[1], line)

    def test_never_gets_an_archive_that_is_not_of_one_moment(self) -> None:
        for name, sql in (('ledgers', LEDGERS), ('truncate', TRUNCATE), ('rewrite', REWRITE),
                          ('churn1', CHURN.replace('NN', '1')),
                          ('churn2', CHURN.replace('NN', '2'))):
            self.blow(name, sql)
        wait_until(lambda: len([one for one in self.cluster.sessions()
                                if one['application_name'] == 'storm']) == 5, 'the storm')
        whole = 0
        for _ in range(self.TRIES):
            if self.comes_through():
                self.check_restored()
                whole += 1
            else:
                self.cluster.psql(self.db, 'update pace set seconds = seconds * 2')
            if whole == self.WANTED:
                break
        self.assertGreater(whole, 0, 'no backup at all came through')
        self.server.fsck(self.repo)

    def comes_through(self) -> bool:
        """Else it ended with an error that is documented, and changed nothing."""
        before = self.tip()
        child = self.start('backup')
        out, err = child.communicate(timeout=120)
        self.assert_nothing_left(child)
        if child.returncode == 0:
            self.assertNotEqual(before, self.tip())
            return True
        self.assertEqual(before, self.tip())
        self.assertEqual(7, child.returncode, out + err)
        self.assertRegex(err, 'change all the time|lock|deadlock')
        return False


class Two(OthersTest):
    """A second backup of the same database and branch, while the first one still reads."""

    def setUp(self) -> None:
        super().setUp()
        self.db = self.new_db(LARGE_SQL)
        self.net = self.wire()
        self.env['DATABASE_URL'] = self.url(self.db, self.net.port)
        self.first = self.start_and_hang()

    def finish_first(self, alone: bool = True) -> str:
        """The commit of the first one, which leaves nothing behind; another may be at work yet."""
        self.net.mend()
        result = self.finish(self.first, 0)
        if alone:
            self.assert_nothing_left(self.first)
        return re.search(r'commit\s+([0-9a-f]{40})', result.out)[1]

    def test_skips_when_told_so_and_says_who_is_at_work(self) -> None:
        second = self.start('backup', '--if-locked', 'skip')
        result = self.finish(second, 0)
        self.assertRegex(result.out + result.err, '(?i)another backup.*process [0-9]+')
        self.assertEqual('', self.tip())
        self.finish_first()
        self.assertEqual(1, self.commits())

    def test_fails_when_told_so_and_says_who_is_at_work(self) -> None:
        second = self.start('backup', '--if-locked', 'fail')
        result = self.finish(second, 7, '(?i)another backup.*process [0-9]+')
        self.assertEqual('', result.out)
        self.assertEqual('', self.tip())
        self.finish_first()
        self.assertEqual(1, self.commits())

    def test_waits_and_then_makes_its_own(self) -> None:
        second = self.start('backup', '--if-locked', 'wait')
        said = read_until(second, '(?i)another backup.*wait|wait.*another backup')
        self.assert_no_secret(said)
        self.assertEqual('', self.tip())
        first = self.finish_first(alone=False)
        self.finish(second, 0)
        self.assertEqual(2, self.commits())
        self.assertEqual(first, self.server.git(self.repo, 'rev-parse', 'main^').strip())
        self.assert_nothing_left(second)
        self.server.fsck(self.repo)

    def test_of_another_branch_need_not_wait(self) -> None:
        second = self.start('backup', '--if-locked', 'fail', '--backup-branch', 'other')
        self.finish(second, 0)
        self.assertNotEqual('', self.tip('other'))
        self.assertEqual('', self.tip())
        self.finish_first()

    def test_goes_on_when_the_first_one_dies(self) -> None:
        """What a killed backup held is free again, whether it could say so or not."""
        second = self.start('backup', '--if-locked', 'wait')
        read_until(second, '(?i)another backup.*wait|wait.*another backup')
        self.first.kill()
        self.first.communicate()
        self.net.mend()
        self.finish(second, 0)
        self.assertEqual(1, self.commits())


if __name__ == '__main__':
    unittest.main()
