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
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tools.lab.bluez_lane import on_agent, on_link, on_mission, on_pairing
from tools.lab.bluez_lane.bed import Bed
from tools.rig.image import build_image

EACH_S = 240.0
_LOG_BYTES = 1500

Scenario = Callable[[Bed], Awaitable[str]]

# One after the other with one wearable: a later one begins with what those before it left.
SCENARIOS: Sequence[Scenario] = (
    on_link.found_by_service_and_tag,
    on_link.session_and_status,
    on_pairing.stranger_gets_nothing,
    on_pairing.wrong_passkey_refused,
    on_pairing.paired_reads_what_is_measured,
    on_pairing.bond_outlives_a_power_cut,
    on_pairing.forgotten_on_the_laptop_pairs_again,
    on_agent.agent_syncs_the_backlog,
    on_agent.agent_returns_after_a_power_cut,
    on_agent.agent_says_that_the_adapter_is_off,
    on_mission.whole_mission,
)


class Outcome(NamedTuple):
    """How one scenario went; `detail` is what it saw, or why it failed."""

    name: str
    passed: bool
    seconds: float
    detail: str

    def line(self) -> str:
        """For people."""
        if self.passed:
            return f"scenario: {self.name} | passed in {self.seconds:.1f} s ({self.detail})"
        return f"scenario: {self.name} | FAILED: {self.detail}"


def name_of(scenario: Scenario) -> str:
    """Its function's name as words."""
    return str(scenario.__name__).replace("_", " ")


async def run_one(scenario: Scenario, bed: Bed) -> Outcome:
    """Run it within its time; whatever it raises is its failure."""
    name = name_of(scenario)
    begun_s = time.monotonic()
    try:
        async with asyncio.timeout(EACH_S):
            detail = await scenario(bed)
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        detail = " ".join(f"{type(error).__name__}: {error}".split())
        return Outcome(name, False, time.monotonic() - begun_s, detail)
    return Outcome(name, True, time.monotonic() - begun_s, detail)


async def run_all(scenarios: Sequence[Scenario], image: Path | None, as_json: bool) -> list[Outcome]:
    """Each scenario in turn, each told as soon as it is over."""
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="bed-") as folder:
        async with Bed.open(Path(folder), image) as bed:
            for scenario in scenarios:
                outcomes.append(await run_one(scenario, bed))
                if not as_json:
                    print(outcomes[-1].line(), flush=True)
            if not all(outcome.passed for outcome in outcomes):
                for name, log in (("wearable", bed.wearable.log), ("laptop", bed.laptop.log)):
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
