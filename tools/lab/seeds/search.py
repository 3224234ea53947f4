"""Many lives, several at once: `lives` gives what became of each, in the order in which they ended."""

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Collection, Generator, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from tools.rig.micropython import ROOT


class Lived(NamedTuple):
    """One life. `events`: the numbers of its events. `faults`: none is a life as it should be."""

    seed: int
    faults: list[str]
    digest: str
    harms: dict[str, int]
    events: list[int]
    seconds: float


class _Worker:
    """One process that lives one life after the other."""

    def __init__(self, folder: Path) -> None:
        self.seed: int | None = None
        self.log = folder / "worker.log"
        folder.mkdir(parents=True)
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tools.lab.seeds.worker", str(folder)], cwd=ROOT, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                env={**os.environ, "PYTHONHASHSEED": "0"}, start_new_session=True,
            )  # fmt: skip
        assert self._process.stdout is not None
        self.answers = self._process.stdout

    def ask(self, seed: int, **asked: Any) -> None:
        """Let it live the life of a seed."""
        self.seed = seed
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended: its answer says so
            self._process.stdin.write(json.dumps({"seed": seed, **asked}) + "\n")
            self._process.stdin.flush()

    def lived(self) -> Lived:
        """Its answer. A worker that has ended left a fault."""
        line = self.answers.readline()
        seed, self.seed = self.seed, None
        assert seed is not None
        if line:
            return Lived(**json.loads(line))
        words = self.log.read_text().strip().splitlines()
        return Lived(
            seed, [f"the life ended with its process: {words[-1] if words else ''}"], "", {}, [], 0.0
        )

    def end(self) -> None:
        """Kill it; what it started ends with it."""
        self._process.kill()
        self._process.communicate()


def lives(
    folder: Path, seeds: Iterable[int], jobs: int = 1, changes: Collection[str] = (),
    only: Collection[int] | None = None, keep: bool = False,
) -> Generator[Lived, None, None]:  # fmt: skip
    """Live the life of each seed; `folder` holds them, and with `keep` those with a fault stay. Close it to stop."""
    asked = {"changes": list(changes), "only": None if only is None else sorted(only), "keep": keep}
    waiting = iter(seeds)
    workers: list[_Worker] = []
    count = 0
    try:
        while True:
            while len(workers) < jobs and (seed := next(waiting, None)) is not None:
                count += 1
                workers.append(_Worker(folder / f"worker{count}"))
                workers[-1].ask(seed, **asked)
            if not workers:
                return
            ready, _, _ = select.select([worker.answers for worker in workers], [], [])
            for worker in [worker for worker in workers if worker.answers in ready]:
                lived = worker.lived()
                has_ended = not lived.digest and not lived.events
                seed = None if has_ended else next(waiting, None)
                if seed is None:
                    workers.remove(worker)
                    worker.end()
                else:
                    worker.ask(seed, **asked)
                yield lived
    finally:
        for worker in workers:
            worker.end()


def smallest(folder: Path, found: Lived, changes: Collection[str] = (), tries: int = 20) -> list[int]:
    """The events of a life without which its fault does not come: one after the other is left out."""
    kept = list(found.events)
    for number in found.events:
        fewer = [other for other in kept if other != number]
        if tries <= 0:
            break
        tries -= 1
        (lived,) = lives(folder / f"without{number}", [found.seed], changes=changes, only=fewer)
        if lived.faults and kind(lived.faults[0]) == kind(found.faults[0]):
            kept = fewer
    return kept


def kind(fault: str) -> str:
    """A fault without its numbers and names."""
    return " ".join(word for word in fault.split() if word.isalpha())
