"""`hosts`: the hosts that a wearable knows."""

from typing import Annotated

import typer

from host_agent.control.socket import call_now
from host_agent.errors import ConfigError
from host_agent.paths import default_paths
from host_agent.terminal.bundles import with_bundles
from host_agent.terminal.guarding import Guard, through_agent
from host_agent.terminal.options import DeviceOption, JsonOption
from host_agent.terminal.output import show
from host_agent.text import table

hosts = typer.Typer(
    help="The hosts (laptops) that a wearable knows. Needs the running agent and the wearable in session.",
    no_args_is_help=True,
)


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
@with_bundles
def revoke_host(
    *,
    key_id: Annotated[str, typer.Argument(metavar="KEYID", help="Key id, as `hosts list` shows it.")],
    device: DeviceOption = None,
    guard: Guard,
    as_json: JsonOption = False,
) -> None:
    """Make the wearable forget a host. It then refuses that host. Needs the right `bind`.

    While a HIGH alarm stands, somebody must stand for it: account, reason, and the patient's pseudonym.
    """
    try:
        valid = 0 < int(key_id, 16) < 1 << 32
    except ValueError:
        valid = False
    if not valid:
        raise ConfigError(
            f"KEYID: expected 8 hex digits as shown by `hosts list`, found {key_id!r}.",
            "Run `cytowatch hosts list`.",
        )
    answer = through_agent(default_paths(), "revoke", "revoke", guard, key_id=key_id, device=device)
    show(
        answer,
        [f"Wearable {answer['device_id']} refuses key {answer['key_id']} from now on."],
        as_json=as_json,
    )
