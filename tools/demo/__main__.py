"""The whole mission in about a minute, on real parts and without hardware: `make demo`.

A virtual wearable is flashed and provisioned, an agent enrolled and started, a simulated adult bound, and a fever or a
recording played. The last line says what reached the laptop and the webhook; exit 0, or 1 with what failed.
"""

import argparse
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from host_agent import control
from host_agent.errors import HostAgentError
from host_agent.paths import Paths
from tools.build_firmware import BuildError
from tools.demo.bedside import Bedside, BedsideError
from tools.demo.journal_check import JournalDiffersError, compare
from tools.demo.summary import summarise
from tools.demo.wearable import ROOT, VirtualWearable, WearableError, wait_until
from tools.flash import flash
from tools.port import PortError
from tools.provision import ProvisionError, provision
from tools.webhook_receiver import Receiver

SCENARIO = ROOT / "tools/scenarios/fever.toml"
SCENARIO_SPEED = 15.0
RECORDING_SPEED = 60.0
UNFLUSHED_S = 125  # the journal closes a block within 120 s, and what is not on flash is not sent
SETTLE_TIMEOUT_S = 60.0
SHOW_EVERY_S = 2.0


def say(text: str) -> None:
    """One line of the demonstration, at once, with or without a terminal."""
    print(text, flush=True)


def show_event(event: dict[str, Any]) -> None:
    """Print what the webhook receiver got."""
    say(f"  webhook  {event['text']}")


def show_live(bedside: Bedside) -> None:
    """Print the newest live values that the agent holds."""
    try:
        status = control.call_now(Paths(bedside.home).socket, "status", timeout_s=5)
    except HostAgentError as error:
        say(f"  live     {error}")
        return
    for device in status.get("devices", []):
        say(f"  live     {device.get('live_text') or device.get('link', {}).get('state', 'no reading yet')}")


def play(wearable: VirtualWearable, bedside: Bedside, speed: float) -> None:
    """Start the track and show live values until its end and the last block's are past."""
    wearable.control(cmd="play")
    end_s = float(wearable.control(cmd="state")["track_end_s"])
    say(f"playing {end_s / 60:.1f} simulated minutes at {speed:g} times real time")
    deadline = time.monotonic() + (end_s + UNFLUSHED_S) / speed + 30
    shown = 0.0
    while (state := wearable.control(cmd="state"))["track_s"] < end_s + UNFLUSHED_S:
        if time.monotonic() > deadline:
            raise WearableError("the track did not reach its end in time")
        if bedside.agent is None or bedside.agent.poll() is not None:
            raise BedsideError(f"the agent ended: {bedside.log.read_text()[-800:]}")
        if time.monotonic() - shown >= SHOW_EVERY_S and state["track_s"] < end_s:
            shown = time.monotonic()
            show_live(bedside)
        time.sleep(0.2)


def drained(bedside: Bedside) -> bool:
    """Whether everything the wearable has numbered is committed and every event has left the outbox."""
    try:
        status = control.call_now(Paths(bedside.home).socket, "status", timeout_s=5)
    except HostAgentError:
        return False
    devices = status.get("devices", [])
    return bool(devices) and all(d.get("caught_up") for d in devices) and status.get("outbox_waiting") == 0


def run(folder: Path, source: list[str], speed: float) -> str:
    """Run one demonstration in `folder`; return the last line; raise with what failed."""
    secret = secrets.token_hex(16)
    receiver = Receiver(secret.encode(), on_event=show_event)
    bedside = Bedside(folder / "bedside")
    (folder / "secret").write_text(secret + "\n")
    (folder / "secret").chmod(0o600)
    (bedside.home / "config.toml").write_text(
        f'[[webhook]]\nname = "demo"\nurl = "{receiver.url}"\nsecret_file = "{folder / "secret"}"\n'
        "accept_simulated = true\n"
    )
    try:
        with VirtualWearable(folder, *source, "--hold", speed=speed) as wearable:
            say(f"virtual wearable on {wearable.port}")
            report = flash(wearable.port, restart=False, say=sys.stdout)
            say(f"flashed version {report.version} in {report.seconds} s")
            receipt = provision(
                wearable.port, out=folder / "wearable.enrol",
                changes={"site": "axilla", "patient_call_number": "000 000", "emergency_number": "000"},
            )  # fmt: skip
            say(f"provisioned {receipt.device_id}, site axilla")
            bedside.cytowatch("enrol", str(folder / "wearable.enrol"), "--code", receipt.code)
            bedside.start(str(wearable.link), speed)
            say("enrolled; agent started")
            wait_until(lambda: _linked(bedside), SETTLE_TIMEOUT_S, "the agent's link to the wearable")
            bedside.cytowatch("patient", "start", "--age-years", "54")
            say("simulated adult bound to this wearable")
            play(wearable, bedside, speed)
            wait_until(lambda: drained(bedside), SETTLE_TIMEOUT_S, "sync and delivery of the last records")
            bedside.stop()
        checked = compare(wearable.image, bedside.database)
        say(f"store and journal agree record by record: {checked} records")
        return summarise(bedside.database).line(len(receiver.events))
    finally:
        bedside.stop()
        receiver.close()


def _linked(bedside: Bedside) -> bool:
    try:
        status = control.call_now(Paths(bedside.home).socket, "status", timeout_s=5)
    except HostAgentError:
        return False
    return any(device.get("link", {}).get("state") == "open" for device in status.get("devices", []))


def main() -> int:
    """Exit 0 after the last line, 1 when a step failed, 2 for a bad recording."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--scenario", type=Path, default=SCENARIO, help="a scenario (default: a fever)")
    source.add_argument("--recording", type=Path, help="a CSV file: t_s,temp_c,spo2_pct,hr_bpm[,pi_pct]")
    parser.add_argument(
        "--speed", type=float, help=f"default {SCENARIO_SPEED:g}, a recording {RECORDING_SPEED:g}"
    )
    parser.add_argument("--keep", type=Path, help="keep image, store and logs in this folder")
    options = parser.parse_args()
    if options.recording:
        chosen, speed = ["--recording", str(options.recording.resolve())], options.speed or RECORDING_SPEED
    else:
        chosen, speed = ["--scenario", str(options.scenario.resolve())], options.speed or SCENARIO_SPEED
    say("CytoWatch demonstration: SIMULATED wearer. Research prototype, not a medical device.")
    with tempfile.TemporaryDirectory(prefix="cytowatch-demo-") as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            say(run(folder, chosen, speed))
        except (
            WearableError, BedsideError, PortError, BuildError, ProvisionError, HostAgentError, JournalDiffersError,
            subprocess.TimeoutExpired,
        ) as error:  # fmt: skip
            print(f"demo failed: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("demo stopped", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
