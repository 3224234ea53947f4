"""A form that a file describes: any text with `${field}` in it, for services that no other form fits.

`${alarm.name}` is the field of the event as text that fits between the quotes of JSON; null and a missing object are an
empty text. `${json:alarm}` is the whole value as JSON, with its quotes. Beside the fields of FORMATS.md there are
`${id}`, `${stage}`, `${title}` (the first sentence of the text) and `${priority_number}` (1 LOW, 2 MEDIUM, 3 HIGH).
`$$` is a dollar sign. The file is tried with an example of every kind of event before anything is sent.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from host_agent.errors import ConfigError
from host_agent.forward.delivery import Delivery
from host_agent.forward.event_payload import EventPayload
from host_agent.forward.forms.examples import EXAMPLES
from host_agent.forward.forms.form import Form, Target
from host_agent.forward.http_answer import Request
from host_agent.forward.message import Message, read_message
from host_agent.forward.packing import JSON_TYPE
from host_agent.text_file import TextFileError, read_text_file

_PLACE = re.compile(r"\$(?:(\$)|\{(json:)?([A-Za-z_][\w.]*)\}|())", re.ASCII)
PROVES = "the receiver's program answered 2xx; its words are not read"
_LARGEST_BYTES = 65_536
_NUMBERS = {"LOW": 1, "MEDIUM": 2, "HIGH": 3}
# What may be null, and then hides what is below it.
_OPEN = ("grade", "accept", "episode")


class TemplateError(ValueError):
    """A template that does not render; `line` is where."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


def load(path: Path, owner: str, *, as_json: bool) -> Form:
    """The form that the file describes; ConfigError names the file and the line that does not render."""
    try:
        text = read_text_file(
            path, largest_bytes=_LARGEST_BYTES, advice="Check `template_file` in the configuration."
        )
    except TextFileError as error:
        raise ConfigError(f"{owner}: the template {path} {error.why}", error.advice) from None
    try:
        for event in EXAMPLES:
            check(text, event, as_json=as_json)
    except TemplateError as error:
        raise ConfigError(
            f"{owner}: the template {path}, line {error.line}: {error}.",
            "Fields are those of host_agent/FORMATS.md. Then: cytowatch config --check",
        ) from None
    headers = {"Content-Type": JSON_TYPE if as_json else "text/plain; charset=utf-8"}

    def request(message: Message, target: Target, delivery: Delivery) -> Request:
        try:
            made = render(text, message, as_json=as_json)
        except (
            TemplateError
        ):  # an event made by another version: without one field the text still must arrive
            made = render(text, message, as_json=as_json, is_strict=False)
        return Request(target.url, headers, made.encode(errors="replace"))

    return Form(request, proves=PROVES, needs_words=False)


def check(text: str, event: Mapping[str, Any], *, as_json: bool) -> None:
    """Render one event; TemplateError says in which line it fails, or that the result is no JSON."""
    made = render(text, read_message(Delivery("example", json.dumps(event).encode())), as_json=as_json)
    if not made.strip():
        raise TemplateError(1, "it renders nothing")
    if as_json:
        try:
            json.loads(made)
        except json.JSONDecodeError as error:
            # what is missing is missing behind the last word before the place where the reader gave up
            line = made[: error.pos].rstrip().count("\n") + 1
            raise TemplateError(line, f"with {event['name']} it is no JSON: {error.msg}") from None


def render(text: str, message: Message, *, as_json: bool, is_strict: bool = True) -> str:
    """`text` with the values of one message. A field that does not exist is an error, or empty when not `is_strict`."""
    fields = {
        **message.event, "id": message.id, "key": message.key, "stage": message.stage, "text": message.text,
        "title": message.headline[0], "priority_number": _NUMBERS.get(message.priority, 3),
    }  # fmt: skip

    def value(found: re.Match[str]) -> str:
        if found[1]:
            return "$"
        line = text.count("\n", 0, found.start()) + 1
        if found[3] is None:
            raise TemplateError(line, "a $ stands alone; write $$ for a dollar sign, or ${field}")
        try:
            inner = _field(fields, found[3])
        except KeyError:
            if is_strict:
                raise TemplateError(line, f"there is no field {found[3]}") from None
            inner = None
        if found[2]:
            return json.dumps(inner, ensure_ascii=False)
        if isinstance(inner, dict | list):
            if is_strict:
                raise TemplateError(line, f"{found[3]} is no single value; write ${{json:{found[3]}}}")
            inner = None
        plain = "" if inner is None else _plain(inner)
        return json.dumps(plain, ensure_ascii=False)[1:-1] if as_json else plain

    return _PLACE.sub(value, text)


def _field(fields: Mapping[str, Any], path: str) -> Any:
    """The value at a path with dots; KeyError when no event has such a field, None where this one has it not."""
    here: Any = fields
    names = path.split(".")
    for depth, name in enumerate(names):
        if here is None:
            return None if names[0] in _OPEN or is_known(names[: depth + 1]) else _unknown(path)
        if not isinstance(here, dict):
            return _unknown(path)
        if name not in here and not is_known(names[: depth + 1]):
            return _unknown(path)
        here = here.get(name)
    return here


def _unknown(path: str) -> Any:
    raise KeyError(path)


def is_known(names: list[str]) -> bool:
    """Whether the type of events has a field at this path."""
    table: Any = EventPayload
    for name in names:
        fields = getattr(table, "__annotations__", None)
        if fields is None or name not in fields:
            return False
        table = _table_of(fields[name])
    return True


def _table_of(annotation: Any) -> Any:
    """The typed table in an annotation such as `Alarm | None`."""
    for part in getattr(annotation, "__args__", (annotation,)):
        if hasattr(part, "__total__"):
            return part
    return None


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
