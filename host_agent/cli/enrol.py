"""`enrol`: take over the key of a wearable."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from crs_core.code_texts import role_of

from host_agent.errors import ConfigError, HostAgentError
from host_agent.keys import keyfile
from host_agent.keys.enrolment import open_sealed
from host_agent.paths import default_paths
from host_agent.terminal.bundles import with_bundles
from host_agent.terminal.guarding import Guard, beside_agent
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import show
from host_agent.text_file import read_text_file


@with_bundles
def enrol(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Enrolment file that provisioning wrote.")],
    code: Annotated[
        str | None,
        typer.Option(
            "--code",
            metavar="CODE",
            envvar="CYTOWATCH_CODE",
            help="The one-time code. When left out: CYTOWATCH_CODE, or the command asks.",
        ),
    ] = None,
    guard: Guard,
    as_json: JsonOption = False,
) -> None:
    """Take the key of a wearable from its sealed enrolment file.

    A key that replaces one while a HIGH alarm stands needs somebody who stands for it: account, reason, pseudonym.
    """
    enrolment = open_sealed(
        read_text_file(file, typed=True).encode(), code if code is not None else _ask_code()
    )
    paths = default_paths().ensure()
    key = keyfile.DeviceKey(
        enrolment.device_id, enrolment.key_id, enrolment.key, role_of(enrolment.role), enrolment.name, enrolment.site
    )  # fmt: skip
    if _replaces(paths.keys, key):
        beside_agent(paths, "enrol", guard, key.device_id)
    replaced = keyfile.path_of(paths.keys, key.device_id).exists()
    keyfile.save(paths.keys, key)
    known = {
        "device_id": key.device_id.hex(),
        "key_id": f"{key.key_id:08x}",
        "role": enrolment.role,
        "name": enrolment.name,
        "site": enrolment.site,
        "replaced": replaced,
    }
    again = " This replaces the key it had here." if replaced else ""
    show(
        known,
        [
            f"Enrolled wearable {key.device_id.hex()} as {enrolment.role} ({enrolment.name}),"
            f" site {enrolment.site}.{again}",
            f"Delete {file} now; it is not needed again. A running agent uses the key when it next tries the wearable.",
        ],
        as_json=as_json,
    )


def _replaces(folder: Path, key: keyfile.DeviceKey) -> bool:
    """Whether another key of this wearable is there, or one that cannot be read."""
    path = keyfile.path_of(folder, key.device_id)
    try:
        return path.exists() and keyfile.load(path) != key
    except HostAgentError:
        return True


def _ask_code() -> str:
    if not sys.stdin.isatty():
        raise ConfigError(
            "The one-time code is missing, and there is no terminal to ask for it.",
            "Give --code CODE or set CYTOWATCH_CODE.",
        )
    return str(typer.prompt("One-time code", hide_input=True, err=True))
