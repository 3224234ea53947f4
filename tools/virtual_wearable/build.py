"""How a virtual board is built, and who its chip is."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tools.virtual_wearable.radio import Radio


@dataclass(frozen=True)
class Build:
    """How the board is built: the options of the command line that concern the chip."""

    image: Path
    speed: int = 1
    heap: str = "192wK"
    erase_ms: int = 50
    bps: int = 0
    off_ms: int = 200
    once: bool = False
    radio: Radio | None = None
    seed: int | None = None  # what the chip draws its random bytes from; None: from this computer's source
    chip_id: str = "0000000000000000"


def chip_id_of(text: str) -> str:
    """The unique id of a chip, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
