"""One simulated patient's bedside under harm: a virtual wearable and an agent, and what was seen of them.

`live` lets time pass and looks after both: a process that ends by itself is a finding and is started again, as a
service manager would. Everything that was started here ends in `__exit__`, by its own process id.
"""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tools.lab.soak.archive import Archive
from tools.lab.soak.harmed_laptop import HarmedLaptop
from tools.rig.image import SETTINGS
from tools.rig.waiting import now_s, pass_s, until
from tools.rig.wearable import WearableError, ready

SPEED = 60  # one reading in a second of the wearable's time: about 60 in a real second
EACH_SECOND = {**SETTINGS, "reading_interval_s": "1"}
_LOOK_S = 1.0
_BEGIN_S = 60.0
_STUCK_S = 120.0


class StuckError(Exception):
    """Wearable and agent run, but no record arrives any more; the message holds the agent's last words."""


class HarmedBedside:
    """Wearable and agent in `folder`. Use as a context manager; then `begin`."""

    def __init__(self, folder: Path, scenario: Path, wearable_seed: int) -> None:
        self.folder = folder
        self.wearable = ready(
            folder, "--seed", str(wearable_seed), speed=SPEED, scenario=scenario, settings=EACH_SECOND, binding_id=None,
            slots="ab",
        )  # fmt: skip
        self.port = str(self.wearable.link)
        self.laptop = HarmedLaptop(folder / "soaked")
        self.archive = Archive()
        self.findings: list[str] = []
        self.on_look: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        self.wearable.start()
        return self

    def __exit__(self, *_: object) -> None:
        impatient = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must leave nothing running
        try:
            self.laptop.stop()
            self.wearable.stop()
        finally:
            signal.signal(signal.SIGINT, impatient)

    def begin(self) -> None:
        """Start the agent and bind a simulated patient; from then on there is one journal."""
        self.start_agent()
        until(self.laptop.caught_up, _BEGIN_S, "the first session")
        self.laptop.cytowatch("patient", "start", "--age-years", "54")
        until(lambda: self.laptop.caught_up() and self.laptop.readings(), _BEGIN_S, "first readings")

    def start_agent(self) -> None:
        """Start the agent; its disk has room."""
        self.laptop.start(self.port, SPEED)

    def kill_wearable(self) -> None:
        """Kill -9, and look into the flash that it leaves."""
        self.wearable.kill()
        self.archive.look(self.wearable.image)

    def live(self, seconds: float) -> None:
        """Let so much time pass."""
        deadline = now_s() + seconds
        while True:
            self._look_after()
            left_s = deadline - now_s()
            if left_s < 1e-6:
                return
            pass_s(min(left_s, _LOOK_S))

    def _look_after(self) -> None:
        if how := self.laptop.ended_by_itself():
            self.findings.append(f"the agent ended by itself, {how}")
            self.laptop.agent = None
            self.start_agent()
        try:
            self.wearable.state()
        except WearableError as error:
            self.findings.append(str(error))
            self.kill_wearable()
            self.wearable.start()
        self.on_look()

    def end(self) -> None:
        """Everything the wearable has numbered goes to the store; then both end. StuckError when it does not."""
        self.kill_wearable()
        must_have = self.archive.must_have = self.archive.head
        self.wearable.start()
        if self.laptop.agent is None:
            self.start_agent()
        last, since = -1, now_s()
        while not (self.laptop.caught_up() and self.laptop.cursor() >= must_have):
            cursor = self.laptop.cursor()
            if cursor != last:
                last, since = cursor, now_s()
            if now_s() - since > _STUCK_S:
                log = self.laptop.log.read_text()[-1500:]
                raise StuckError(f"the store stays at {cursor} of {must_have} records; the agent: {log}")
            self.live(1.0)
        code = self.laptop.stop()
        if code != 0:
            self.findings.append(f"the agent, asked to stop, ended with exit {code}")
        self.kill_wearable()
