"""`service`: the agent as a service of this computer, which starts by itself and is started again when it hangs."""

from typing import Annotated, Any

import typer

from host_agent.paths import Paths, default_paths
from host_agent.platform.service.installed import (
    Answer,
    ServiceError,
    Standing,
    demand_own,
    marked_text,
    run_command,
    standing,
)
from host_agent.platform.service.installed import install as put_in
from host_agent.platform.service.installed import remove as take_out
from host_agent.platform.service.of_this_system import service_of
from host_agent.platform.service.program import Service, this_program
from host_agent.terminal import exits
from host_agent.terminal.bundles import with_bundles
from host_agent.terminal.config_option import ConfigOption, find_config
from host_agent.terminal.guarding import Guard, through_agent
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import nothing, show
from host_agent.terminal.running_agent import live_status

service = typer.Typer(
    help="The agent as a service of this computer: it starts by itself, and is started again when it hangs.",
    no_args_is_help=True,
)
SystemOption = Annotated[
    bool, typer.Option("--system", help="Of the whole system instead of this user (systemd).")
]
AsOption = Annotated[
    str | None, typer.Option("--as", metavar="NAME", help="With --system: the user whose state folder it is.")
]
_WORDS = {
    Standing.NONE: "not installed",
    Standing.CURRENT: "installed",
    Standing.OLDER: "installed for another version, folder or configuration",
    Standing.CHANGED: "installed, and changed by hand since",
    Standing.FOREIGN: "another program's, or an administrator forbids it",
}


@service.command("install")
@with_bundles
def install_service(
    *,
    config: ConfigOption = None,
    system: SystemOption = False,
    as_user: AsOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the file and the commands, and change nothing.")
    ] = False,
    guard: Guard,
    as_json: JsonOption = False,
) -> None:
    """Install the service and start it. Giving the command again changes nothing that is as it should be.

    The agent then starts with the computer, outlives logout, and is started again when it ends or hangs. A file of
    another program, or one that was changed by hand, is never overwritten. A service that is replaced interrupts
    monitoring for some seconds: while a HIGH alarm stands, somebody must stand for it.
    """
    paths = default_paths() if not system else None
    wanted = service_of(this_program(config), is_system=system, user=as_user)
    if dry_run:
        commands = [" ".join(command) for command in (*wanted.take_in, wanted.start)]
        plan: dict[str, Any] = {"file": str(wanted.file), "text": marked_text(wanted), "commands": commands}
        show(plan, [f"{wanted.file}:", *marked_text(wanted).splitlines(), "", *commands], as_json=as_json)
        return
    before = demand_own(wanted)
    if paths is not None:
        # a service with a configuration that is refused would only start again and again
        find_config(paths, config)
        _make_way(paths, wanted, before, guard)
    is_new, problems = put_in(wanted)
    words = f"Installed {wanted.file} and started it." if is_new else "It is installed already, and it runs."
    lines = [words, wanted.survives, *filter(None, (wanted.limits,)), *problems]
    data = {
        "installed": True,
        "changed": is_new,
        "file": str(wanted.file),
        "kind": wanted.kind,
        "problems": problems,
    }
    show(data, [*lines, "See it at any time: cytowatch service status"], as_json=as_json)


@service.command("status")
def service_status(
    system: SystemOption = False,
    as_user: AsOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show whether the service is installed and runs. Exit code 0: it runs; 1: it does not; 4: it is not installed."""
    wanted = service_of(this_program(config), is_system=system, user=as_user)
    found, told = standing(wanted), _told(run_command(wanted.ask))
    data = {
        "kind": wanted.kind, "file": str(wanted.file), "standing": str(found), "text": _WORDS[found],
        "state": told.get("ActiveState"), "enabled": told.get("UnitFileState"), "pid": int(told.get("MainPID") or 0),
        "restarts": int(told.get("NRestarts") or 0), "says": told.get("StatusText", ""),
    }  # fmt: skip
    if found == Standing.NONE:
        nothing("The service is not installed. Install it: cytowatch service install", data, as_json=as_json)
    lines = [f"{wanted.file}: {data['text']}."]
    if found == Standing.OLDER:
        lines.append("Install it again with the same options, or remove it.")
    running = told.get("ActiveState") == "active"
    lines.append(
        f"It runs, pid {data['pid']}, started again {data['restarts']} times. {data['says']}".strip()
        if running
        else f"It does not run: {told.get('ActiveState', 'nothing is known')} {told.get('SubState', '')}".strip()
        + "."
    )
    lines += [wanted.survives, *filter(None, (wanted.limits,))]
    show(data, lines, as_json=as_json)
    if not running:
        raise typer.Exit(exits.FAILED)


@service.command("remove")
@with_bundles
def remove_service(
    *,
    system: SystemOption = False,
    as_user: AsOption = None,
    config: ConfigOption = None,
    guard: Guard,
    as_json: JsonOption = False,
) -> None:
    """Stop the service and delete it. Nobody is monitored by this laptop afterwards.

    While a HIGH alarm stands, somebody must stand for it: account, reason, and the patient's pseudonym. What is stored
    stays. Exit code 4 when it was not installed.
    """
    wanted = service_of(this_program(config), is_system=system, user=as_user)
    data = {"removed": False, "file": str(wanted.file), "kind": wanted.kind}
    if demand_own(wanted) == Standing.NONE:
        nothing("The service is not installed.", data, as_json=as_json)
    paths = default_paths()
    live = live_status(paths)
    if live is not None and live["pid"] == _pid(wanted):
        through_agent(paths, "stop", "stop", guard)
    take_out(wanted)
    show(
        {**data, "removed": True},
        [f"Removed {wanted.file}. This laptop does not monitor any more."],
        as_json=as_json,
    )


def _make_way(paths: Paths, wanted: Service, before: Standing, guard: Guard) -> None:
    """An agent that was started by hand is in the way; one of the service that is replaced is stopped in order."""
    live = live_status(paths)
    if live is None:
        return
    if live["pid"] != _pid(wanted):
        raise ServiceError(
            f"An agent that was started by hand monitors already, pid {live['pid']}.",
            f"Stop it (Ctrl-C in its window, or kill {live['pid']}), then give the command again at once.",
        )
    if before == Standing.OLDER:
        through_agent(paths, "stop", "stop", guard)


def _pid(wanted: Service) -> int:
    return int(_told(run_command(wanted.ask)).get("MainPID") or 0)


def _told(answer: Answer) -> dict[str, Any]:
    """`Name=value` lines of systemctl; what another manager says is not read any further."""
    return dict(line.split("=", 1) for line in answer.text.splitlines() if "=" in line and answer.code == 0)
