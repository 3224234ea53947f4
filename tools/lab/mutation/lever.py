"""Replaces a function that has mutants by a stand-in that calls the active one and records the call.

mutmut's own stand-in reads the environment at every call and makes the grader many times slower.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

MutantDict = dict  # the name that changed sources annotate with

reached: set[str] = set()  # functions called since the last clear()
in_force: dict[str, list[Callable[..., Any]]] = {}  # function -> the one that its stand-in calls


def wrap_in_trampoline(mutants: dict[str, Callable[..., Any]]) -> Callable[..., Any]:
    """Decorator that mutmut writes before each changed function; `mutants` is filled after the definition."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        owner = function.__qualname__.rpartition(".")[0]
        name = f"{function.__module__}.x{f'ǁ{owner}ǁ' if owner else '_'}{function.__name__}"
        called = in_force[name] = [function]

        @wraps(function)
        def stand_in(*args: Any, **kwargs: Any) -> Any:
            reached.add(name)
            return called[0](*args, **kwargs)

        return stand_in

    return decorate
