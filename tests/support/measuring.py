"""What the benchmarks share: their database, and a program's time and memory."""
from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

MIB = 1 << 20
ACCOUNT, EVENT = 128, 164   # bytes that one row takes in the table

SQL = '''
CREATE TABLE account (aid integer, bid integer, abalance integer, filler character(84));
INSERT INTO account SELECT n, n / 100000 + 1, n % 9973, md5(n::text)
FROM generate_series(1, {accounts}) AS n;
ALTER TABLE account ADD PRIMARY KEY (aid);
CREATE TABLE event (id bigint, at timestamptz, body jsonb);
INSERT INTO event SELECT n, timestamptz '2024-01-01 00:00+00' + n * interval '1 second',
    jsonb_build_object('kind', (ARRAY['view', 'click', 'buy'])[n % 3 + 1], 'session', md5(n::text),
                       'page', '/product/' || n % 5000, 'load', (n % 977) / 10.0)
FROM generate_series(1, {events}) AS n;
ALTER TABLE event ADD PRIMARY KEY (id);
VACUUM ANALYZE;
'''


def bench_sql(accounts: int, events: int) -> str:
    """Statements that make a table like pgbench's accounts and one of JSON events, of these sizes
    in MiB."""
    return SQL.format(accounts=accounts * MIB // ACCOUNT, events=events * MIB // EVENT)


def memory_bound(jobs: int) -> int:
    """What the program may use, whatever the size of the database."""
    return (64 + 16 * jobs) * MIB


@dataclass
class Measured:
    seconds: float
    peak: int = 0                                       # of the program itself, in bytes
    children: dict[str, int] = field(default_factory=dict)      # of what it started, by name


def proc_peak(pid: int) -> tuple[str, int]:
    """The name of a process and the most memory it had so far."""
    status = Path(f'/proc/{pid}/status').read_text()
    values = dict(line.split(':\t', 1) for line in status.splitlines() if ':\t' in line)
    return values['Name'], int(values.get('VmHWM', '0 kB').split()[0]) * 1024


def descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f'/proc/{pid}/task').iterdir():
        for child in map(int, (task / 'children').read_text().split()):
            found += [child, *descendants(child)]
    return found


def look(pid: int, result: Measured) -> None:
    try:
        own, peak = proc_peak(pid)
        result.peak = max(result.peak, peak)
        for child in descendants(pid):
            name, peak = proc_peak(child)
            if name != own:         # between fork and exec
                result.children[name] = max(result.children.get(name, 0), peak)
    except (OSError, KeyError):
        pass        # one of them ended while we looked


def measure(argv: list[str], env: dict[str, str]) -> Measured:
    """The kernel counts the peak, so looking now and then misses only the last moment."""
    with tempfile.TemporaryFile() as log:
        started = time.monotonic()
        child = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        result = Measured(0)
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid != 0:
                break
            look(child.pid, result)
            time.sleep(0.01)
        child.returncode = os.waitstatus_to_exitcode(status)
        result.seconds = time.monotonic() - started
        # This one counts the children as well: an upper bound that no sampling can miss.
        if usage.ru_maxrss * 1024 < result.peak or not result.children:
            result.peak = usage.ru_maxrss * 1024
        if child.returncode != 0:
            log.seek(0)
            raise RuntimeError(f'{argv[0]} failed: {log.read().decode(errors="replace").strip()}')
        return result
