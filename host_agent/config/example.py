"""Print the configuration as a complete commented file, from the model itself, so that it cannot lag behind it."""

import json
import textwrap
import typing
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from host_agent.config.model import Config
from host_agent.config.problems import expectation
from host_agent.forward.receiver import Receiver


def example() -> str:
    """TOML with every key at its default; tables that may be many are switched off by a `#` without a blank."""
    parts = [
        "# CytoWatch agent configuration. Research prototype, not a medical device.",
        "# Every key is shown with its default. A line that starts with `#key =` is off. Remove the # to use it.",
        "",
    ]
    for name, model in sections():
        values = getattr(model, "example", None)
        if values is not None:
            parts += _table(f"[[{name}]]", model, values, live=False)
        else:
            parts += _table(f"[{name}]", model, {}, live=True)
    return "\n".join(parts).rstrip() + "\n"


def key_rows() -> list[tuple[str, str, str, str]]:
    """(key path, what it takes, default, description) for every key."""
    rows = []
    for section, model in sections():
        for name, field in _keys(model):
            default = (
                "mandatory" if field.is_required() else _toml(field.get_default(call_default_factory=True))
            )
            rows.append((f"{section}.{name}", expectation(field), default, field.description or ""))
    return rows


def sections() -> list[tuple[str, type[BaseModel]]]:
    """(name, model) of every table of the file."""
    out: list[tuple[str, type[BaseModel]]] = []
    for name, field in Config.model_fields.items():
        arguments = typing.get_args(field.annotation)
        model = arguments[0] if arguments else field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            out.append((name, model))
    return out


def _keys(model: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    """Keys in the order in which a person needs them: of a receiver its name, its kind's own, then the common ones."""
    common = [name for name in Receiver.model_fields if name != "name"] if issubclass(model, Receiver) else []
    return sorted(model.model_fields.items(), key=lambda item: (item[0] in common, item[0] != "name"))


def _table(header: str, model: type[BaseModel], values: dict[str, Any], *, live: bool) -> list[str]:
    off = "" if live else "#"
    lines = [*_comment(model.__doc__ or ""), off + header]
    for name, field in _keys(model):
        lines += _comment(f"{field.description} Takes {expectation(field)}.")
        lines.append(_assignment(name, field, values, off))
    return [*lines, ""]


def _assignment(name: str, field: FieldInfo, values: dict[str, Any], off: str) -> str:
    value = values[name] if name in values else field.get_default(call_default_factory=True)
    if value is None:  # TOML has no null: an unset key is shown switched off twice
        return f"# {name} = (not set)"
    return f"{off}{name} = {_toml(value)}"


def _toml(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(" ".join(text.split()), 100)]
