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

    def environment(self, lives: int) -> dict[str, str]:
        """What its interpreter is told of the board, in its `lives`-th life: another one draws other numbers."""
        seed = {} if self.seed is None else {"VW_SEED": str(self.seed * 1_000_003 + lives)}
        return {
            "VW_IMAGE": str(self.image.resolve()),
            "VW_ERASE_MS": str(self.erase_ms),
            "VW_SPEED": str(self.speed),
            "VW_CHIP_ID": self.chip_id,
            **(self.radio.environment() if self.radio else {}),
            **seed,
        }


def chip_id_of(text: str) -> str:
    """The unique id of a chip, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
