"""Which kinds of receiver there are. A kind is the file of its name in `kinds/`, and one line here."""

import functools
import importlib
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import ValidationError
from pydantic.errors import PydanticUserError

from host_agent.errors import ConfigError, HalfRegistered, HostAgentError
from host_agent.forward import kinds
from host_agent.forward.delivery import Forwarder
from host_agent.forward.heartbeat import HeartbeatSection
from host_agent.forward.receiver import Receiver
from host_agent.text import without_secrets

_LINES = ("webhook", "fhir", "mail", "mqtt", "desktop", "syslog", "apprise")


@functools.cache
def receiver_kinds() -> Mapping[str, type[Receiver]]:
    """The model of each kind by the name of its table; HalfRegistered names a kind of which a part is missing."""
    files = {path.stem for folder in kinds.__path__ for path in Path(folder).glob("*.py")} - {"__init__"}
    for kind in sorted(files - set(_LINES)):
        raise HalfRegistered(
            f"The receiver kind {kind} has a file in host_agent/forward/kinds and no line in the registry.",
            f'Add "{kind}" to _LINES in host_agent/forward/registry.py.',
        )
    for kind in sorted(set(_LINES) - files):
        raise HalfRegistered(
            f"The receiver kind {kind} has a line in the registry and no file.",
            f"Add host_agent/forward/kinds/{kind}.py.",
        )
    if len(set(_LINES)) < len(_LINES):
        twice = next(kind for kind in _LINES if _LINES.count(kind) > 1)
        raise HalfRegistered(
            f"The receiver kind {twice} has two lines in the registry.",
            "Delete one in host_agent/forward/registry.py.",
        )
    return {kind: _model(kind) for kind in _LINES}


def _model(kind: str) -> type[Receiver]:
    try:
        module = importlib.import_module(f"host_agent.forward.kinds.{kind}")
    except Exception as error:  # whatever is wrong in the file, its kind is named, without a traceback
        raise HalfRegistered(
            f"The receiver kind {kind} cannot be loaded: {type(error).__name__}: {error}.",
            f"Repair host_agent/forward/kinds/{kind}.py.",
        ) from error
    models = [
        found
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, Receiver) and found.__module__ == module.__name__
    ]
    if len(models) != 1:
        raise HalfRegistered(
            f"The receiver kind {kind} needs one subclass of Receiver in its file and has {len(models)}.",
            "Compare it with host_agent/forward/kinds/webhook.py.",
        )
    if missing := list(_missing(models[0])):
        raise HalfRegistered(
            f"The receiver kind {kind} is not complete: {', '.join(missing)}.",
            f"Complete host_agent/forward/kinds/{kind}.py.",
        )
    models[0].kind = kind
    return models[0]


def _missing(model: type[Receiver]) -> list[str]:
    fields = model.model_fields
    examples = getattr(model, "example", {})
    if not isinstance(examples, dict):
        return ["its example is no table"]
    if not isinstance(model.secrets, tuple):
        return ["its secrets are no tuple of names"]
    missing = [f"it has no method {method}" for method in sorted(model.__abstractmethods__)]
    missing += [
        f"the key {name} has no description" for name, field in fields.items() if not field.description
    ]
    missing += [
        f"the key {name} has no example"
        for name, field in fields.items()
        if field.is_required() and name not in examples
    ]
    missing += [
        f"the secret {secret} has no key {secret}_{place}"
        for secret in model.secrets
        for place in ("file", "env")
        if f"{secret}_{place}" not in fields
    ]
    if not model.__dict__.get("__doc__"):
        missing.append("its model has no docstring")
    if not missing:
        missing += _wrong_example(model, examples)
    return missing


def _wrong_example(model: type[Receiver], examples: dict[str, object]) -> list[str]:
    """Why the model refuses its own example."""
    try:
        model.model_validate(examples)
    except ValidationError as error:
        wrong = [
            str(one["loc"][0]) if one["loc"] else one["msg"] for one in error.errors(include_input=False)
        ]
        return [f"its example is refused at {place}" for place in dict.fromkeys(wrong)]
    except PydanticUserError as error:
        return [str(error).splitlines()[0]]
    return []


def forwarder_of(receiver: Receiver | HeartbeatSection, utc_ms: Callable[[], int]) -> Forwarder:
    """What delivers to this receiver; HalfRegistered names what the kind's forwarder lacks, ConfigError a secret."""
    try:
        forwarder = receiver.forwarder(utc_ms)
    except HostAgentError:
        raise
    except Exception as error:
        raise ConfigError(
            f"{receiver.kind} {receiver.name}: cannot be used ({type(error).__name__}: {without_secrets(str(error))}).",
            "Check its keys in the configuration.",
        ) from error
    lacks = [part for part in ("name", "accept_simulated", "send", "close") if not hasattr(forwarder, part)]
    if lacks:
        raise HalfRegistered(
            f"The receiver kind {receiver.kind} has a forwarder without {', '.join(lacks)}.",
            f"Complete host_agent/forward/kinds/{receiver.kind}.py.",
        )
    return forwarder
