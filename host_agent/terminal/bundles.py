"""Options that belong together, written once as a NamedTuple and given to a command as one argument.

class Who(NamedTuple):
    account: AccountOption = None
    device: DeviceOption = None

@app.command()
@with_bundles
def grade(*, scale: ScaleOption, who: Who) -> None: ...
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, get_type_hints


def with_bundles(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each field of every argument that is a NamedTuple, in the order of the fields."""
    signature = inspect.signature(command)
    bundles = {
        name: one.annotation for name, one in signature.parameters.items() if _is_bundle(one.annotation)
    }

    @functools.wraps(command)
    def run(**given: Any) -> None:
        for name, bundle in bundles.items():
            given[name] = bundle(**{field: given.pop(field) for field in bundle._fields})
        command(**given)

    options = [option for one in signature.parameters.values() for option in _options(one)]
    run.__signature__ = signature.replace(parameters=options)  # type: ignore[attr-defined]
    run.__annotations__ = {option.name: option.annotation for option in options}
    return run


def _is_bundle(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")


def _options(one: inspect.Parameter) -> Iterator[inspect.Parameter]:
    if not _is_bundle(one.annotation):
        yield one
        return
    for field, kind in get_type_hints(one.annotation, include_extras=True).items():
        default = one.annotation._field_defaults[field]
        yield inspect.Parameter(field, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
