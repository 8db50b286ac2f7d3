"""What the parts of the fake GitHub hand to each other: a request, an answer, a refusal."""
from __future__ import annotations

import json
from dataclasses import dataclass, field

from fake_github_model import Token

DOCS = 'https://docs.github.com/rest'


@dataclass
class Call:
    """One request as the endpoints see it."""
    method: str
    path: str                       # still percent-encoded, without /api/v3
    query: dict[str, str]
    headers: dict[str, str]         # names in lower case
    body: bytes
    api: str                        # the address of the API as the client wrote it
    web: str
    request_id: str
    token: Token | None = None      # filled in when the request is authenticated
    spent: bool = False             # it counted against the token's budget
    accepted: str = ''              # the permission that the endpoint wants, when it wants one
    version: str = '2022-11-28'
    match: dict[str, str] = field(default_factory=dict)


@dataclass
class Answer:
    status: int
    body: object = None             # an object is sent as JSON, text as it is
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        if self.body is None:
            return b''
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body, separators=(',', ':')).encode()


class Refusal(Exception):
    def __init__(self, status: int, message: str, docs: str = DOCS, **headers: str) -> None:
        super().__init__(message)
        self.answer = error(status, message, docs, **headers)


def error(status: int, message: str, docs: str = DOCS, **headers: str) -> Answer:
    body = {'message': message, 'documentation_url': docs, 'status': str(status)}
    return Answer(status, body, {k.replace('_', '-'): v for k, v in headers.items()})


def not_found() -> Refusal:
    return Refusal(404, 'Not Found')


def rate_headers(limit: int, remaining: int, reset: int) -> dict[str, str]:
    return {'X-RateLimit-Limit': str(limit), 'X-RateLimit-Remaining': str(remaining),
            'X-RateLimit-Reset': str(reset), 'X-RateLimit-Used': str(limit - remaining),
            'X-RateLimit-Resource': 'core'}
