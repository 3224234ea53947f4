"""`pause`: take the wearable off on purpose, for charging or washing, and be back in time."""

from typing import Annotated

import typer

from host_agent.control.socket import call_now
from host_agent.errors import ConfigError
from host_agent.escalation.pauses import WHY
from host_agent.paths import default_paths
from host_agent.terminal.bundles import with_bundles
from host_agent.terminal.guarding import Guard, through_agent
from host_agent.terminal.options import DeviceOption, JsonOption
from host_agent.terminal.output import show
from host_agent.terminal.times import parse_span_s
from host_agent.terminal.words import chosen, offering
from host_agent.text import local_time, marked

LONGEST_S = 1800


@with_bundles
def pause(
    *,
    lasting: Annotated[
        str, typer.Option("--for", metavar="SPAN", help="How long from now, for example 20m; at most 30m.")
    ] = "20m",
    why: Annotated[
        str,
        typer.Option(
            "--why",
            metavar="WHY",
            autocompletion=offering(list(WHY.values())),
            help=f"Reason: one of {', '.join(WHY.values())}.",
        ),
    ] = "other",
    end: Annotated[bool, typer.Option("--end", help="End the pause now.")] = False,
    device: DeviceOption = None,
    guard: Guard,
    as_json: JsonOption = False,
) -> None:
    """Announce that the wearable comes off for a while. Nothing is measured meanwhile.

    Announce again to move the end of the pause. It needs the right `settings`, and is refused while a HIGH alarm
    about the patient or PAUSE_OVER is active. While another HIGH alarm stands, somebody must stand for the pause:
    account, reason, and the patient's pseudonym. A pause holds back NO_DATA and this laptop's own alarms of silence,
    and no other alarm. It ends by itself when the wearable measures on the body again. If it is not measuring again
    by the end, a HIGH alarm sounds: PAUSE_OVER on the wearable, and NOT_BACK on a host that hears nothing from it.
    Both are forwarded. Pauses may last 30 minutes in all. After 15 minutes of measuring the next 30 minutes are
    free.
    """
    paths = default_paths()
    socket = paths.socket
    if end:
        done = call_now(socket, "pause_end", device=device)
        show(
            done,
            [
                marked(
                    done["simulated"],
                    "The pause has ended. If the wearable is not measuring, an urgent alarm sounds.",
                )
            ],
            as_json=as_json,
        )
        return
    seconds = round(parse_span_s(lasting, "--for"))
    if not 1 <= seconds <= LONGEST_S:
        raise ConfigError(f"--for: a pause lasts 1s to 30m, found {lasting!r}.", "Announce a shorter one.")
    numbers = {name: number for number, name in WHY.items()}
    why = chosen(why, list(numbers), "--why")
    done = through_agent(paths, "pause", "pause", guard, device=device, seconds=seconds, why=numbers[why])
    lines = [
        f"Paused for {why}. Planned: not measuring, back by {local_time(done['until_utc_ms'], with_seconds=False)}.",
        "This patient is not monitored meanwhile. If it is not measuring again by then, an urgent alarm sounds.",
    ]
    show(done, [marked(done["simulated"], lines[0]), lines[1]], as_json=as_json)
