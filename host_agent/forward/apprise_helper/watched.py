"""Every HTTP request of Apprise: no redirect is followed, nothing comes from the environment, the answer is kept."""

from typing import Any, NamedTuple

import requests

from host_agent.forward.objection import objection_in

_READ_CHARACTERS = 4000


class Answer(NamedTuple):
    """What came back for one request; `objection` says why it is no success, "" when nothing speaks against it."""

    status: int
    objection: str


class Watch:
    """From its making on, requests of this process go through it. `answers` holds what came back."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        plain = requests.Session.request

        def request(session: requests.Session, *arguments: Any, **settings: Any) -> requests.Response:
            session.trust_env = False
            settings["allow_redirects"] = False
            answer = plain(session, *arguments, **settings)
            self.answers.append(Answer(answer.status_code, objection(answer.status_code, answer.text)))
            return answer

        requests.Session.request = request  # type: ignore[assignment]


def objection(status: int, text: str) -> str:
    """Why an answer is no success, whatever its sender's library makes of it."""
    if 300 <= status < 400:
        return f"HTTP {status}: a redirect, which is not followed"
    if not 200 <= status < 300:
        return f"HTTP {status}"
    text = text[:_READ_CHARACTERS].strip()
    if text[:1] == "<" and "<html" in text[:1000].lower():
        return f"HTTP {status}, but a web page answered instead of the service"
    said = "it says that it failed" if "failed with error" in text else objection_in(text)
    return f"HTTP {status}, but {said}" if said else ""
