"""Frees the heap of modules that are needed only now and then: at the start, or for one request."""

import gc
import sys


def unload_modules(*names: str) -> None:
    """Remove modules, by full name, from memory; the next import loads them again.

    Objects that are still used keep their code alive.
    """
    for name in names:
        if sys.modules.pop(name, None) is not None:
            package, _, last = name.rpartition(".")
            delattr(sys.modules[package], last)
    guard = sys.modules.get("boot_guard")
    if guard is not None:
        guard.forget_index()  # type: ignore[attr-defined]
    gc.collect()
