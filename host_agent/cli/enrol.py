"""`enrol`, `devices`, `hosts`: which wearables this laptop may talk to, and which hosts a wearable knows."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from host_agent.cli.status import live_status
from host_agent.clock import RealClock
from host_agent.control.socket import call_now
from host_agent.errors import ConfigError
from host_agent.keys import keyfile
from host_agent.keys.enrolment import open_sealed
from host_agent.link.ownership import find_owner
from host_agent.link.ports import candidates
from host_agent.paths import default_paths
from host_agent.terminal.config_option import ConfigOption, find_config
from host_agent.terminal.options import DeviceOption, JsonOption
from host_agent.terminal.output import nothing, show, table
from host_agent.terminal.reading_store import open_store
from host_agent.text import local_of_iso
from host_agent.views.state import read_state

hosts = typer.Typer(
    help="The hosts that a wearable knows. Needs the running agent and the wearable in session.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(enrol)
    app.command()(devices)
    app.add_typer(hosts, name="hosts")


def enrol(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The enrolment file that provisioning wrote.")],
    code: Annotated[
        str | None,
        typer.Option(
            "--code",
            metavar="CODE",
            envvar="CYTOWATCH_CODE",
            help="The one-time code; asked for when left out.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Take over the key of a wearable from a sealed enrolment file."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror}).", "Check the path.") from None
    enrolment = open_sealed(data, code if code is not None else _ask_code())
    role = {name: number for number, name in keyfile.ROLE_NAMES.items()}[enrolment.role]
    paths = default_paths().ensure()
    key = keyfile.DeviceKey(enrolment.device_id, enrolment.key_id, enrolment.key, role, enrolment.name)
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
            f"The file is spent: delete {file}. A running agent uses the key at its next attempt.",
        ],
        as_json=as_json,
    )


def _ask_code() -> str:
    if not sys.stdin.isatty():
        raise ConfigError(
            "The one-time code is missing, and there is no terminal to ask for it.",
            "Give --code CODE or set CYTOWATCH_CODE.",
        )
    return str(typer.prompt("One-time code", hide_input=True, err=True))


def devices(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List enrolled wearables and the ports that may be one."""
    paths = default_paths()
    keys, errors = keyfile.load_all(paths.keys)
    now_ms = RealClock().utc_ms()
    with open_store(paths) as tx:
        state = read_state(tx, keys, now_ms)
    live = live_status(paths)
    links = {entry["device_id"]: entry["link"] for entry in live["devices"]} if live else {}
    known = [
        {
            "device_id": entry["device_id"], "name": entry["name"], "role": entry["role"],
            "enrolled": bytes.fromhex(entry["device_id"]) in keys, "site": entry["site"],
            "simulated": entry["simulated"], "last_seen": entry["last_seen"],
            "link": links.get(entry["device_id"], {}).get("state"),
            "port": links.get(entry["device_id"], {}).get("port"),
        }
        for entry in state["devices"]
    ]  # fmt: skip
    serial = find_config(paths, config).serial
    ports = []
    for found in candidates(serial.ports, scan_usb=serial.scan_usb):
        owner = find_owner(found.port)
        ports.append({"port": found.port, "why": found.why, "owner_pid": owner.pid if owner else None})
    data = {
        "devices": known,
        "ports": ports,
        "key_errors": [str(error) for error in errors],
        "agent_running": live is not None,
    }
    for error in errors:
        print(f"error: {error}\n  {error.advice}", file=sys.stderr)
    if not known and not ports:
        nothing(
            "No wearable is enrolled and no port looks like one. Enrol one: cytowatch enrol FILE",
            data,
            as_json=as_json,
        )
    lines = table(
        ("WEARABLE", "NAME", "ROLE", "SITE", "LINK", "LAST SEEN", ""),
        [
            (d["device_id"], d["name"], d["role"] or "not enrolled", d["site"] or "not known",
             d["link"] or ("never opened" if live else "agent not running"),
             local_of_iso(d["last_seen"], with_date=True) if d["last_seen"] else "never",
             "SIMULATED" if d["simulated"] else "")
            for d in known
        ],
    ) if known else ["No wearable is enrolled: cytowatch enrol FILE"]  # fmt: skip
    if ports:
        lines += ["", *table(("PORT", "WHY", "OWNER"), [
            (p["port"], p["why"], f"agent, pid {p['owner_pid']}" if p["owner_pid"] else "") for p in ports
        ])]  # fmt: skip
    show(data, lines, as_json=as_json)


@hosts.command("list")
def list_hosts(device: DeviceOption = None, as_json: JsonOption = False) -> None:
    """Show the hosts whose keys the wearable holds."""
    answer = call_now(default_paths().socket, "hosts", device=device)
    rows = [
        (host["key_id"], host["role"], host["name"], "this host" if host["this_host"] else "")
        for host in answer["hosts"]
    ]
    show(
        answer,
        [f"Wearable {answer['device_id']}:", *table(("KEY ID", "ROLE", "NAME", ""), rows)],
        as_json=as_json,
    )


@hosts.command("revoke")
def revoke_host(
    key_id: Annotated[str, typer.Argument(metavar="KEYID", help="The key id shown by `hosts list`.")],
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the wearable forget a host: it is refused from then on. Only the custodian may."""
    try:
        valid = 0 < int(key_id, 16) < 1 << 32
    except ValueError:
        valid = False
    if not valid:
        raise ConfigError(
            f"KEYID: expected 8 hex digits as shown by `hosts list`, found {key_id!r}.",
            "Run `cytowatch hosts list`.",
        )
    answer = call_now(default_paths().socket, "revoke", key_id=key_id, device=device)
    show(
        answer,
        [f"Wearable {answer['device_id']} refuses key {answer['key_id']} from now on."],
        as_json=as_json,
    )
