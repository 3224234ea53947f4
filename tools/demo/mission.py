"""One whole mission on real parts: a wearable that runs, an agent that syncs and forwards, and what came of it."""

import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crs_core.units import PPG_SETTLING, TEMP_SETTLING, ppg_state_of, temp_state_of

from tools.board.flash import flash
from tools.board.provision import provision
from tools.conductor.conductor import Conductor
from tools.conductor.errors import ConductorError
from tools.demo.people import People
from tools.demo.summary import Summary, summarise
from tools.rig.free_port import free_port
from tools.rig.journal_check import compare
from tools.rig.laptop import CABLE_ONLY, NO_PAGE, RADIO_TOO, Laptop
from tools.rig.waiting import conductor, now_s, pass_s, under, until
from tools.rig.wearable import Wearable, WearableError

UNFLUSHED_S = 125  # the journal closes a block within 120 s, and what is not on flash is not sent
_WORN_S = 90  # of the wearable's time: a probe that was put on has settled by then
_SETTLE_S = 60.0
_SHOW_EVERY_S = 2.0

Prepare = Callable[[Wearable, Laptop], None]


@dataclass(frozen=True)
class Outcome:
    """What a mission left: who accepted, the summary, records compared with flash, events that the ward took."""

    accepted: str
    summary: Summary
    compared: int
    events: list[dict[str, Any]]

    @property
    def line(self) -> str:
        """The last line of a demonstration."""
        return self.summary.line(len(self.events))


def say(text: str) -> None:
    """Print one line of the demonstration at once, with or without a terminal."""
    print(text, flush=True)


def run(
    folder: Path, played: dict[str, Path], speed: int, prepare: Prepare | None = None, age_years: int = 54,
    link: str = "serial", air: Path | None = None, seed: int | None = None,
) -> Outcome:  # fmt: skip
    """Run one mission in `folder`; raise with what failed.

    `played` names what the wearer does: {"scenario": FILE} or {"recording": FILE}. `prepare` makes the wearable and
    the laptop know each other; by default a blank board is flashed, provisioned and enrolled, as a person would: by
    cable. `link` is then "serial" or "ble"; `air` is the chip socket of an air that this system's own Bluetooth is on.
    Without it the agent, too, gets a simulated radio. With a `seed` the wearable is worn in simulated time, and the
    run is the same each time; without one everything happens in real time.
    """
    radio = ["--ble", "nimble", *(["--air", str(air)] if air else [])] if link == "ble" else []
    board = [
        *radio,
        "--hold",
        *(["--seed", str(seed), "--chip", "demonstration"] if seed is not None else []),
    ]
    people = People(folder, speed, say)
    links = (RADIO_TOO if link == "ble" else CABLE_ONLY).replace(NO_PAGE, f"[page]\nport = {free_port()}\n")
    laptop = Laptop(folder / "bedside", config=people.config + links)
    contexts = contextlib.ExitStack()
    try:
        with Wearable(folder, *board, **played, speed=speed) as wearable:
            say(f"virtual wearable on {wearable.port}")
            if prepare:
                prepare(wearable, laptop)
            else:
                flash_and_provision(wearable, laptop, restart=seed is None)
            if seed is not None:  # a person flashes in real time, then the board is switched off and on
                wearable.stop()
                time = contexts.enter_context(Conductor(seed=seed))
                contexts.enter_context(under(time))
                wearable.start()
            if owner := conductor():
                owner.watch(people.quiet)
                contexts.callback(owner.unwatch, people.quiet)
            if link == "ble":
                say(f"the cable is pulled; the wearable advertises as {wearable.ble_address}")
                if not air:
                    laptop.use_radio(wearable.hci)
            people.sign_in(laptop)
            laptop.start("" if link == "ble" else str(wearable.link), speed)
            say("agent started")
            until(lambda: _is_linked(laptop), _SETTLE_S, "the agent's link to the wearable")
            say(f"look at the page while it runs: {laptop.ask('page', '--no-browser')['address']}")
            laptop.cytowatch("patient", "start", "--age-years", str(age_years))
            say("simulated adult bound to this wearable")
            _settle(wearable, laptop)
            _play(wearable, laptop, speed, lambda: people.look(laptop, wearable))
            until(lambda: _is_drained(laptop), _SETTLE_S, "sync and delivery of the last records")
            accepted = people.outcome(laptop)
            laptop.stop()
        compared = compare(wearable.image, laptop.database)
        say(accepted)
        say(f"store and journal agree record by record: {compared} records")
        return Outcome(accepted, summarise(laptop.database), compared, people.events)
    except (ConductorError, WearableError):
        # a wearable has no turns after its agent died in one: the cause is named, not what follows from it
        laptop.check_ended_well()
        raise
    finally:
        laptop.stop()
        contexts.close()
        people.close()


def flash_and_provision(wearable: Wearable, laptop: Laptop, restart: bool) -> None:
    """Bring a blank board into service, site axilla, and enrol it on the bedside laptop.

    `restart`: the application starts at the end; without it with the next power-on.
    """
    report = flash(wearable.port, restart=False, say=sys.stdout)
    say(f"flashed version {report.version} in {report.seconds} s")
    sealed = wearable.folder / "wearable.enrol"
    receipt = provision(
        wearable.port, out=sealed,
        changes={"site": "axilla", "patient_call_number": "000 000", "emergency_number": "000"},
        restart=restart,
    )  # fmt: skip
    say(f"provisioned {receipt.device_id}, site axilla")
    laptop.cytowatch("enrol", str(sealed), "--code", receipt.code)
    say("enrolled on the bedside laptop")


def _settle(wearable: Wearable, laptop: Laptop) -> None:
    """Let probes that are worn from the start settle before the track begins; what is off needs no waiting."""
    deadline_ms = wearable.state()["sim_ms"] + _WORN_S * 1000
    while wearable.state()["sim_ms"] < deadline_ms:
        laptop.check_running()
        for device in laptop.devices():
            status = (device.get("live") or {}).get("status")
            if status is None:
                continue
            if temp_state_of(status) != TEMP_SETTLING and ppg_state_of(status) != PPG_SETTLING:
                return
        pass_s(0.2)


def _play(wearable: Wearable, laptop: Laptop, speed: int, look: Callable[[], None]) -> None:
    """Start the track and show live values until its end, then wait for the last block. `look`: what people do."""
    wearable.control("play")
    end_s = float(wearable.state()["track_end_s"])
    takes = "" if conductor() else f" at {speed} times real time: about {(end_s + UNFLUSHED_S) / speed:.0f} s"
    say(f"playing {end_s / 60:.1f} simulated minutes{takes}")
    deadline = now_s() + (end_s + UNFLUSHED_S) / speed + 30
    shown = now_s()
    over = False
    while (state := wearable.state())["track_s"] < end_s + UNFLUSHED_S:
        if now_s() > deadline:
            raise WearableError("the track did not reach its end in time")
        laptop.check_running()
        look()
        if state["track_s"] >= end_s and not over:
            over = True
            say(f"end of the track; the wearable closes its last block within {UNFLUSHED_S} of its seconds")
        if now_s() - shown >= _SHOW_EVERY_S and not over:
            shown = now_s()
            _show_live(laptop)
        pass_s(0.2)


def _show_live(laptop: Laptop) -> None:
    devices = laptop.devices()
    for device in devices:
        say(f"  live     {device.get('live_text') or 'no live values'}")
    if not devices:
        say("  live     the agent does not answer")


def _is_linked(laptop: Laptop) -> bool:
    laptop.check_running()
    return any(device.get("link", {}).get("state") == "open" for device in laptop.devices())


def _is_drained(laptop: Laptop) -> bool:
    """Whether everything the wearable has numbered is committed and every event has left the outbox."""
    laptop.check_running()
    return laptop.caught_up() and laptop.status().get("outbox_waiting") == 0
