"""How the rig starts processes: as any program does, or inside `loaded()` as forks of ones that loaded their program.

A life of a few simulated seconds is short beside the start of Python; `loaded` is for whoever lives many of them.
"""

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

from tools.conductor.nursery import CYTOWATCH, WEARABLE, Nursery

_nurseries: dict[str, Nursery] = {}


@contextlib.contextmanager
def loaded() -> Iterator[None]:
    """Until the block ends, wearables and the agents and commands of a conductor start with their program loaded."""
    with Nursery(CYTOWATCH) as cytowatch, Nursery(WEARABLE) as wearable:
        _nurseries.update({
            "tools.conductor.run_cytowatch": cytowatch, "tools.virtual_wearable": wearable,
        })  # fmt: skip
        try:
            yield
        finally:
            _nurseries.clear()


def popen(command: Sequence[str], **options: Any) -> Any:
    """As `subprocess.Popen`."""
    nursery = _nurseries.get(command[2]) if command[1:2] == ["-m"] else None
    return nursery.popen(command, **options) if nursery else subprocess.Popen(command, **options)
