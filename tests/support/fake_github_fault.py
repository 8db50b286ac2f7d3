"""Scripted faults of the fake GitHub.

| kind                 | handled | what the client gets                              |
|----------------------|---------|---------------------------------------------------|
| status               | no      | `status`, `headers` and `body` as given           |
| rate_limit_primary   | no      | 403 (or `status`), none left for `seconds`        |
| rate_limit_secondary | no      | 403 (or `status`), `retry_after` when given       |
| reset_before         | no      | connection reset                                  |
| hang                 | no      | nothing, until it gives up or the fake stops      |
| error_after_accept   | YES     | 500 (or `status`)                                 |
| reset_after_accept   | YES     | connection reset, no answer                       |
| hang_after_accept    | YES     | nothing, until it gives up or the fake stops      |
| slow                 | YES     | the answer, `seconds` late                        |
| garbage              | YES     | a body that is not JSON                           |
| truncated            | YES     | half of the body that Content-Length promises     |

A rate_limit_primary with until_reset begins with the first request it meets and refuses all that
match, for `seconds` by the server's clock: whoever waits for the reset is served.
"""
from __future__ import annotations

import re
from dataclasses import dataclass, field

from fake_github_call import DOCS, Answer, error, rate_headers

BEFORE = ('status', 'rate_limit_primary', 'rate_limit_secondary', 'reset_before', 'hang')
AFTER = ('error_after_accept', 'reset_after_accept', 'hang_after_accept', 'slow', 'garbage',
         'truncated')


@dataclass
class Fault:
    kind: str
    method: str = '*'
    path_regex: str = ''                # searched for in path?query
    times: int | None = 1               # None: for ever
    after: int = 0                      # let so many matching requests pass first
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: object = None
    seconds: float = 60
    retry_after: int | None = None
    until_reset: bool = False
    reset_at: float | None = None       # set when until_reset meets its first request

    def __post_init__(self) -> None:
        if self.until_reset:
            if self.kind != 'rate_limit_primary':
                raise ValueError(f'until_reset does not go with {self.kind}')
            self.times = None
        if self.kind not in BEFORE + AFTER:
            raise ValueError(f'unknown fault kind {self.kind!r}')

    def matches(self, method: str, target: str) -> bool:
        if self.until_reset and target == '/rate_limit':    # costs nothing, so it is never refused
            return False
        return self.method in ('*', method) and re.search(self.path_regex, target) is not None

    @property
    def handles(self) -> bool:
        return self.kind in AFTER

    def answer(self, now: float) -> Answer:
        """What is answered in place of the real thing (kinds that answer at all)."""
        if self.kind == 'rate_limit_primary':
            result = error(self.status or 403, 'API rate limit exceeded for user ID 583231.')
            reset = now + self.seconds if self.reset_at is None else self.reset_at
            result.headers.update(rate_headers(5000, 0, int(reset)))
        elif self.kind == 'rate_limit_secondary':
            result = error(self.status or 403, 'You have exceeded a secondary rate limit. Please '
                           'wait a few minutes before you try again.',
                           f'{DOCS}/overview/rate-limits-for-the-rest-api'
                           '#about-secondary-rate-limits')
        elif self.kind == 'error_after_accept':
            result = error(self.status or 500, 'Server Error')
        elif self.kind == 'garbage':
            result = Answer(self.status or 200, '{"message": <html>no such JSON</html>',
                            {'Content-Type': 'application/json; charset=utf-8'})
        else:
            result = error(self.status or 503, 'Service Unavailable')
        if self.body is not None:
            result.body = self.body
        if self.retry_after is not None:
            result.headers['Retry-After'] = str(self.retry_after)
        result.headers.update(self.headers)
        return result


class Faults:
    """The faults still to come. The caller holds the state's lock."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        self.waiting.append(fault)
        return fault

    def take(self, method: str, target: str, now: float) -> Fault | None:
        self.waiting = [fault for fault in self.waiting
                        if fault.reset_at is None or int(fault.reset_at) > now]
        for fault in self.waiting:
            if not fault.matches(method, target):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            if fault.until_reset and fault.reset_at is None:
                fault.reset_at = now + fault.seconds
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
            return fault
        return None
