"""A patient's bedside as the product stands there: a virtual wearable and laptops on its cable, all real processes.

with Bedside(tmp_path) as bedside:                # ready image, no flashing; the wearable's clock 60 times as fast
    bedside.start_agent()                         # the real `cytowatch run`, enrolled as custodian
    until(bedside.laptop.caught_up)
"""

from pathlib import Path
from typing import Any, Self

from crs_core.keys import Key

from tools.rig.image import CUSTODIAN, build_image
from tools.rig.laptop import Laptop
from tools.rig.waiting import until
from tools.rig.wearable import Wearable


class Bedside:
    """One wearable on an image that is ready to run, and the custodian's laptop. Ends everything it started."""

    def __init__(
        self, folder: Path, *options: str, speed: int = 60, scenario: str | Path = "steady_afebrile",
        image: bool = True, **built: Any,
    ) -> None:  # fmt: skip
        """`built` goes to build_image; `image` False: blank flash."""
        self.folder = folder
        self.speed = speed
        if image:
            build_image(folder / "flash.img", **built)
        self.wearable = Wearable(folder, *options, scenario=scenario, speed=speed)
        self.laptops: list[Laptop] = []
        self.laptop = self.add_laptop("bedside")

    def add_laptop(self, name: str, key: Key | None = CUSTODIAN) -> Laptop:
        """One more home directory, enrolled under `key`."""
        laptop = Laptop(self.folder / name, key)
        self.laptops.append(laptop)
        return laptop

    @property
    def port(self) -> str:
        """The link to the port, which is the same after the wearable was started again."""
        return str(self.wearable.link)

    @property
    def image(self) -> Path:
        """The file with the flash of the wearable."""
        return self.wearable.image

    def start_agent(self, laptop: Laptop | None = None) -> Laptop:
        """Start the agent of the custodian's laptop, or of another one, and wait until it has caught up."""
        laptop = laptop or self.laptop
        laptop.start(self.port, self.speed)
        until(laptop.caught_up, 20, "the agent's first sync")
        return laptop

    def start_patient(self, readings: int = 1) -> None:
        """Bind an adult by the real command; wait until the new journal is synced and so many readings are stored."""
        self.laptop.cytowatch("patient", "start", "--age-years", "54")
        until(
            lambda: self.laptop.caught_up() and self.laptop.readings() >= readings,
            20,
            "readings of the patient",
        )

    def __enter__(self) -> Self:
        self.wearable.start()
        return self

    def __exit__(self, *_: object) -> None:
        for laptop in self.laptops:
            laptop.stop()
        self.wearable.stop()
