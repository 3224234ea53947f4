"""Print the configuration as a complete commented file, from the model itself, so that it cannot lag behind it."""

import json
import textwrap
import typing
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from host_agent.config.model import Config, WebhookSection
from host_agent.config.problems import expectation

_WEBHOOK_VALUES: dict[str, Any] = {
    "name": "ward",
    "url": "https://alarms.example.org/cytowatch",
    "secret_file": "/etc/cytowatch/ward.secret",
}


def example() -> str:
    """TOML with every key at its default; the webhook table is switched off by a `#` without a blank."""
    parts = [
        "# CytoWatch agent configuration. Research prototype, not a medical device.",
        "# Every key is shown with its default. A line `#key = value` is switched off: remove the # to use it.",
        "",
    ]
    for name, field in Config.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            parts += _table(f"[{name}]", model, {}, live=True)
    parts += _table("[[webhook]]", WebhookSection, _WEBHOOK_VALUES, live=False)
    return "\n".join(parts).rstrip() + "\n"


def key_rows() -> list[tuple[str, str, str, str]]:
    """(key path, what it takes, default, description) for every key."""
    rows = []
    for section, model in _sections():
        for name, field in model.model_fields.items():
            default = (
                "mandatory" if field.is_required() else _toml(field.get_default(call_default_factory=True))
            )
            rows.append((f"{section}.{name}", expectation(field), default, field.description or ""))
    return rows


def _sections() -> list[tuple[str, type[BaseModel]]]:
    out: list[tuple[str, type[BaseModel]]] = []
    for name, field in Config.model_fields.items():
        arguments = typing.get_args(field.annotation)
        model = arguments[0] if arguments else field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            out.append((name, model))
    return out


def _table(header: str, model: type[BaseModel], values: dict[str, Any], *, live: bool) -> list[str]:
    off = "" if live else "#"
    lines = [*_comment(model.__doc__ or ""), off + header]
    for name, field in model.model_fields.items():
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
