"""The product against real BlueZ, scenario by scenario; runs in the guest (see the README): `make test-bluez`.

Prints `scenario: NAME | passed in 1.2 s (what it saw)` or `scenario: NAME | FAILED: why` for each, then how many
passed; with --json one object instead. Exit 0 when all passed, 1 otherwise, 2 when asked wrongly.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tools.lab.bluez_lane import on_mission
from tools.lab.bluez_lane.bluez_bedside import BluezBedside
from tools.rig import radio_scenarios
from tools.rig.image import build_image
from tools.rig.radio_scenarios import Scenario, name_of

EACH_S = 240.0
_LOG_BYTES = 1500

# One after the other with one wearable: a later one begins with what those before it left.
SCENARIOS: Sequence[Scenario] = (
    *radio_scenarios.LINK,
    *radio_scenarios.PAIRING,
    *radio_scenarios.AGENT,
    on_mission.whole_mission,
)


class Outcome(NamedTuple):
    """How one scenario went; `detail` is what it saw, or why it failed."""

    name: str
    passed: bool
    seconds: float
    detail: str

    def line(self) -> str:
        """One line of the summary: the scenario, whether it passed, and its time or what went wrong."""
        if self.passed:
            return f"scenario: {self.name} | passed in {self.seconds:.1f} s ({self.detail})"
        return f"scenario: {self.name} | FAILED: {self.detail}"


async def run_one(scenario: Scenario, bedside: BluezBedside) -> Outcome:
    """Run it within its time; whatever it raises is its failure."""
    name = name_of(scenario)
    begun_s = time.monotonic()
    try:
        async with asyncio.timeout(EACH_S):
            detail = await scenario(bedside)
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        detail = " ".join(f"{type(error).__name__}: {error}".split())
        return Outcome(name, False, time.monotonic() - begun_s, detail)
    return Outcome(name, True, time.monotonic() - begun_s, detail)


async def run_all(scenarios: Sequence[Scenario], image: Path | None, as_json: bool) -> list[Outcome]:
    """Run each scenario in turn; print each outcome as soon as there is one."""
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="bluez-") as folder:
        async with BluezBedside.open(Path(folder), image) as bedside:
            for scenario in scenarios:
                outcomes.append(await run_one(scenario, bedside))
                if not as_json:
                    print(outcomes[-1].line(), flush=True)
            if not all(outcome.passed for outcome in outcomes):
                for name, log in (("wearable", bedside.wearable.log), ("laptop", bedside.laptop.log)):
                    words = log.read_text()[-_LOG_BYTES:] if log.exists() else ""
                    print(f"the {name}'s last words: {words}", file=sys.stderr)
    return outcomes


def main() -> int:
    """Run the scenarios that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m tools.lab.bluez_lane.scenarios", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    parser.add_argument(
        "--only",
        action="append",
        metavar="WORD",
        help="only scenarios whose names hold this word; repeatable",
    )
    parser.add_argument("--image", type=Path, metavar="FILE", help="a flash image made by --make-image")
    parser.add_argument(
        "--make-image",
        type=Path,
        metavar="FILE",
        help="make the wearable's flash image, on the host too, and end",
    )
    arguments = parser.parse_args()
    if arguments.make_image:
        build_image(arguments.make_image)
        on_mission.make_unbound(arguments.make_image)
        return 0
    words = arguments.only or [""]
    asked = [scenario for scenario in SCENARIOS if any(word in name_of(scenario) for word in words)]
    outcomes = asyncio.run(run_all(asked, arguments.image, arguments.json))
    passed = sum(outcome.passed for outcome in outcomes)
    if arguments.json:
        print(
            json.dumps({"passed": passed, "of": len(outcomes), "scenarios": [o._asdict() for o in outcomes]})
        )
    else:
        print(f"bluez: {passed} of {len(outcomes)} passed")
    return 0 if passed == len(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
