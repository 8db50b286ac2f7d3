"""Query parameters of the fake GitHub's lists: filters, date ranges and pages."""
from __future__ import annotations

from urllib.parse import urlencode

from fake_github_call import Answer, Call, Refusal
from fake_github_model import parse_time

STATUSES = ('queued', 'in_progress', 'completed', 'waiting', 'requested', 'pending')
CONCLUSIONS = ('action_required', 'cancelled', 'failure', 'neutral', 'skipped', 'stale', 'success',
               'timed_out')


def filters(query: dict[str, str]) -> list:
    """One test for each filter of the query; see "List workflow runs"."""
    tests = []
    for name, value in query.items():
        if name == 'actor':
            tests.append(lambda run, v=value: run.actor == v)
        elif name == 'branch':
            tests.append(lambda run, v=value: run.branch == v)
        elif name == 'event':
            tests.append(lambda run, v=value: run.event == v)
        elif name == 'head_sha':
            tests.append(lambda run, v=value: run.sha == v)
        elif name == 'check_suite_id':
            tests.append(lambda run, v=value: str(run.id + 1000) == v)
        elif name == 'created':
            low, high = created_range(value)
            tests.append(lambda run, a=low, b=high: a <= int(run.created_at) <= b)
        elif name == 'status':
            if value not in STATUSES + CONCLUSIONS:         # wording not verified
                raise Refusal(422, f'Invalid status: {value}')
            tests.append(lambda run, v=value: v in (run.status, run.conclusion))
    return tests


def created_range(value: str) -> tuple[float, float]:
    """First and last second of GitHub's date search syntax: X, >=X, >X, <=X, <X, A..B, *..B, A..*

    A day without a time means the whole day.
    """
    endless = float('inf')

    def span(text: str) -> tuple[float, float]:
        try:
            # A '+' of a zone that was not percent-encoded arrives as a blank.
            first = parse_time(text.replace(' ', '+'))
        except ValueError:                                  # wording not verified
            raise Refusal(422, f'Invalid created filter: {value}') from None
        assert first is not None
        return first, first + (86399 if len(text) == 10 else 0)

    if '..' in value:
        low, high = value.split('..', 1)
        return (-endless if low == '*' else span(low)[0],
                endless if high == '*' else span(high)[1])
    for sign in ('>=', '<=', '>', '<'):
        if value.startswith(sign):
            first, last = span(value[len(sign):])
            return {'>=': (first, endless), '<=': (-endless, last), '>': (last + 1, endless),
                    '<': (-endless, first - 1)}[sign]
    return span(value)


def number(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, '')
    return max(1, int(text)) if text.isdigit() else default


def paged(call: Call, key: str, items: list, render, limit: int | None = None) -> Answer:
    per_page, page = min(100, number(call, 'per_page', 30)), number(call, 'page', 1)
    reachable = items[:limit]
    last = max(1, -(-len(reachable) // per_page))
    body = {'total_count': len(items),
            key: [render(item) for item in reachable[(page - 1) * per_page:page * per_page]]}
    pages = {}
    if page > 1:
        pages.update(prev=page - 1, first=1)
    if page < last:
        pages.update(next=page + 1, last=last)
    links = [f'<{call.api}{call.path}?{urlencode({**call.query, "page": str(target)})}>; '
             f'rel="{rel}"' for rel, target in pages.items()]
    return Answer(200, body, {'Link': ', '.join(links)} if links else {})
