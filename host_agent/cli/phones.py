"""`phones`: whom the texts about a wearable say to call."""

from typing import Annotated

import typer

from host_agent.control.socket import call_now
from host_agent.paths import default_paths
from host_agent.patient.phones import CALL, EMERGENCY, check
from host_agent.terminal.options import DeviceOption, JsonOption
from host_agent.terminal.output import show


def phones(
    *,
    call_number: Annotated[
        str | None,
        typer.Option("--call-number", metavar="NUMBER", help="The care team's number, e.g. +49 30 1234567."),
    ] = None,
    emergency_number: Annotated[
        str | None,
        typer.Option(
            "--emergency-number", metavar="NUMBER", help="The emergency service's number, e.g. 112."
        ),
    ] = None,
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the two phone numbers of the wearable in session, or set them. Every text about it carries both.

    The wearable keeps them and uses them at once. Call each number before you rely on it. `patient start` refuses a
    wearable without both. Needs the running agent, and the right `settings` to set them.
    """
    numbers = {CALL: call_number, EMERGENCY: emergency_number}
    given = {setting: number.strip() for setting, number in numbers.items() if number is not None}
    check(given)
    done = call_now(default_paths().socket, "phones", numbers=given, device=device)
    care_team, emergency = done[CALL] or "NUMBER NOT SET", done[EMERGENCY] or "NUMBER NOT SET"
    data = {
        "device_id": done["device_id"],
        "care_team": done[CALL] or None,
        "emergency": done[EMERGENCY] or None,
    }
    text = f"Wearable {done['device_id']}: care team {care_team}, emergency {emergency}."
    show(data, [text, *(["Call each number once, to hear who answers."] if given else [])], as_json=as_json)
