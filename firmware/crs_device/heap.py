"""Give back the heap of modules that were needed once: at the start, or for a rare request."""

import gc
import sys


def unload_modules(*names: str) -> None:
    """Forget modules by full name; the next import loads them again. Objects still held keep their code alive."""
    for name in names:
        if sys.modules.pop(name, None) is not None:
            package, _, last = name.rpartition(".")
            delattr(sys.modules[package], last)
    guard = sys.modules.get("boot_guard")
    if guard is not None:
        guard.forget_index()  # type: ignore[attr-defined]
    gc.collect()
