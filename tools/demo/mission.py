"""One whole mission on real parts: a wearable that runs, an agent that syncs and forwards, and what came of it."""

import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crs_core.units import PPG_SETTLING, TEMP_SETTLING, ppg_state_of, temp_state_of

from host_agent.control import socket as control
from host_agent.errors import HostAgentError
from host_agent.paths import Paths
from tools.board.flash import flash
from tools.board.provision import provision
from tools.demo.summary import Summary, summarise
from tools.rig.bedside import Bedside, BedsideError
from tools.rig.journal_check import compare
from tools.rig.wearable import VirtualWearable, WearableError, wait_until
from tools.rig.webhook_receiver import Receiver

UNFLUSHED_S = 125  # the journal closes a block within 120 s, and what is not on flash is not sent
WORN_S = 90  # of the wearable's time: a probe that was put on has settled by then
SETTLE_TIMEOUT_S = 60.0
SHOW_EVERY_S = 2.0

Prepare = Callable[[VirtualWearable, Bedside], None]


@dataclass(frozen=True)
class Outcome:
    """What a mission left: the store's summary, records compared with flash, events that the receiver took."""

    summary: Summary
    compared: int
    events: list[dict[str, Any]]

    @property
    def line(self) -> str:
        """The last line of a demonstration."""
        return self.summary.line(len(self.events))


def say(text: str) -> None:
    """One line of the demonstration, at once, with or without a terminal."""
    print(text, flush=True)


def run(
    folder: Path, source: list[str], speed: int, prepare: Prepare | None = None, age_years: int = 54,
    link: str = "serial", air: Path | None = None,
) -> Outcome:  # fmt: skip
    """Run one mission in `folder`; raise with what failed.

    `source` are options of the virtual wearable. `prepare` makes wearable and bedside know each other; by default a
    blank board is flashed, provisioned and enrolled, as a person would: by cable. `link` is then "serial" or "ble";
    `air` the chip socket of an air on which this system's own Bluetooth is, None: a simulated radio for the agent, too.
    """
    if link == "ble":
        source = [*source, "--ble", "nimble", *(["--air", str(air)] if air else [])]
    secret = secrets.token_hex(16)
    receiver = Receiver(secret.encode(), on_event=lambda event: say(f"  webhook  {event['text']}"))
    bedside = Bedside(folder / "bedside")
    (folder / "secret").write_text(secret + "\n")
    (folder / "secret").chmod(0o600)
    (bedside.home / "config.toml").write_text(
        f'[[webhook]]\nname = "demo"\nurl = "{receiver.url}"\nsecret_file = "{folder.resolve() / "secret"}"\n'
        f"accept_simulated = true\n[serial]\nscan_usb = false\n[ble]\nenabled = {str(link == 'ble').lower()}\n"
    )
    try:
        with VirtualWearable(folder, *source, "--hold", speed=speed) as wearable:
            say(f"virtual wearable on {wearable.port}")
            (prepare or flash_and_provision)(wearable, bedside)
            if link == "ble":
                say(f"the cable is pulled; the wearable advertises as {wearable.ble_address}")
                bedside.start("", speed, hci="" if air else wearable.hci)
            else:
                bedside.start(str(wearable.link), speed)
            say("agent started")
            wait_until(lambda: _linked(bedside), SETTLE_TIMEOUT_S, "the agent's link to the wearable")
            bedside.cytowatch("patient", "start", "--age-years", str(age_years))
            say("simulated adult bound to this wearable")
            _settle(wearable, bedside, speed)
            _play(wearable, bedside, speed)
            wait_until(lambda: _drained(bedside), SETTLE_TIMEOUT_S, "sync and delivery of the last records")
            bedside.stop()
        compared = compare(wearable.image, bedside.database)
        say(f"store and journal agree record by record: {compared} records")
        return Outcome(summarise(bedside.database), compared, list(receiver.events.values()))
    finally:
        bedside.stop()
        receiver.close()


def flash_and_provision(wearable: VirtualWearable, bedside: Bedside) -> None:
    """Bring a blank board into service, site axilla, and enrol it on the bedside laptop."""
    report = flash(wearable.port, restart=False, say=sys.stdout)
    say(f"flashed version {report.version} in {report.seconds} s")
    sealed = wearable.folder / "wearable.enrol"
    receipt = provision(
        wearable.port, out=sealed,
        changes={"site": "axilla", "patient_call_number": "000 000", "emergency_number": "000"},
    )  # fmt: skip
    say(f"provisioned {receipt.device_id}, site axilla")
    bedside.cytowatch("enrol", str(sealed), "--code", receipt.code)
    say("enrolled on the bedside laptop")


def _settle(wearable: VirtualWearable, bedside: Bedside, speed: int) -> None:
    """Let probes that are worn from the start settle before the track begins; what is off needs no waiting."""
    deadline_ms = wearable.control(cmd="state")["sim_ms"] + WORN_S * 1000
    while wearable.control(cmd="state")["sim_ms"] < deadline_ms:
        _check_agent(bedside)
        for device in _devices(bedside):
            status = (device.get("live") or {}).get("status")
            if status is None:
                continue
            if temp_state_of(status) != TEMP_SETTLING and ppg_state_of(status) != PPG_SETTLING:
                return
        time.sleep(0.2)


def _play(wearable: VirtualWearable, bedside: Bedside, speed: int) -> None:
    """Start the track and show live values until its end, then wait for the last block."""
    wearable.control(cmd="play")
    end_s = float(wearable.control(cmd="state")["track_end_s"])
    say(
        f"playing {end_s / 60:.1f} simulated minutes at {speed} times real time: "
        f"about {(end_s + UNFLUSHED_S) / speed:.0f} s"
    )
    deadline = time.monotonic() + (end_s + UNFLUSHED_S) / speed + 30
    shown = 0.0
    over = False
    while (state := wearable.control(cmd="state"))["track_s"] < end_s + UNFLUSHED_S:
        if time.monotonic() > deadline:
            raise WearableError("the track did not reach its end in time")
        _check_agent(bedside)
        if state["track_s"] >= end_s and not over:
            over = True
            say(f"end of the track; the wearable closes its last block within {UNFLUSHED_S} of its seconds")
        if time.monotonic() - shown >= SHOW_EVERY_S and not over:
            shown = time.monotonic()
            _show_live(bedside)
        time.sleep(0.2)


def _check_agent(bedside: Bedside) -> None:
    code = bedside.agent.poll() if bedside.agent else None
    if code is not None:
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit {code}"
        raise BedsideError(f"the agent {how}; its last words:\n{bedside.log.read_text()[-800:]}")


def _status(bedside: Bedside) -> dict[str, Any]:
    """What the running agent says; {} while it does not answer."""
    try:
        answer: dict[str, Any] = control.call_now(Paths(bedside.home).socket, "status", timeout_s=5)
    except HostAgentError:
        return {}
    return answer


def _devices(bedside: Bedside) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _status(bedside).get("devices", [])
    return found


def _show_live(bedside: Bedside) -> None:
    devices = _devices(bedside)
    for device in devices:
        say(f"  live     {device.get('live_text') or 'no live values'}")
    if not devices:
        say("  live     the agent does not answer")


def _linked(bedside: Bedside) -> bool:
    _check_agent(bedside)
    return any(device.get("link", {}).get("state") == "open" for device in _devices(bedside))


def _drained(bedside: Bedside) -> bool:
    """Whether everything the wearable has numbered is committed and every event has left the outbox."""
    _check_agent(bedside)
    status = _status(bedside)
    devices = status.get("devices", [])
    return bool(devices) and all(d.get("caught_up") for d in devices) and status.get("outbox_waiting") == 0
