"""What the endpoints of the fake GitHub share: the state, the rendering, reading a JSON body."""
from __future__ import annotations

import json

from fake_github_call import Call, Refusal
from fake_github_render import Render
from fake_github_state import State


class Endpoints:
    def __init__(self, state: State) -> None:
        self.state = state

    def render(self, call: Call) -> Render:
        return Render(self.state, call.api, call.web, self.state.clock.now())


def json_object(call: Call, docs: str) -> dict:
    try:
        body = json.loads(call.body)
    except ValueError:
        raise Refusal(400, 'Problems parsing JSON', docs) from None
    if not isinstance(body, dict):
        raise Refusal(400, 'Body should be a JSON object', docs)
    return body
