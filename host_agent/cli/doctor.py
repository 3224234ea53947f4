"""`doctor`: look at everything that can be wrong, and say for each what to do."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from host_agent.cli.status import live_status
from host_agent.clock import RealClock
from host_agent.config.model import Config
from host_agent.errors import HostAgentError
from host_agent.forward.secret import read_secret
from host_agent.keys import keyfile
from host_agent.link.ownership import owners
from host_agent.link.ports import candidates
from host_agent.paths import Paths, default_paths
from host_agent.store.db import integrity_problems
from host_agent.terminal import exits
from host_agent.terminal.config_option import ConfigOption, find_config
from host_agent.terminal.output import show
from host_agent.terminal.reading_store import open_store
from host_agent.text import local_time
from host_agent.views.state import read_state

_LITTLE_SPACE_BYTES = 200 * 1024 * 1024  # some months of one wearable, and the journal of SQLite itself
INFO, WARNING, PROBLEM = "info", "warning", "problem"


class Finding(NamedTuple):
    """One line of the report."""

    level: str
    about: str
    text: str
    advice: str


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")] = False,
) -> None:
    """Check configuration, keys, ports and their owners, store, agent and receivers. Exit 1 on a problem."""
    paths = default_paths()
    found = list(_examine(paths, config))
    worst = any(finding.level == PROBLEM for finding in found)
    lines = []
    for finding in found:
        lines.append(f"{finding.level:8} {finding.about}: {finding.text}")
        if finding.advice:
            lines.append(f"{'':8}   {finding.advice}")
    count = sum(finding.level == PROBLEM for finding in found)
    lines.append(
        f"{count} problem{'s' if count != 1 else ''} found. This looks at the equipment, never at the patient."
    )
    show({"findings": [finding._asdict() for finding in found], "problems": count}, lines, as_json=as_json)
    raise typer.Exit(exits.FAILED if worst else exits.DONE)


def _examine(paths: Paths, config_file: Path | None) -> Iterator[Finding]:
    yield Finding(INFO, "state folder", str(paths.home), "")
    settings = Config()
    try:
        settings = find_config(paths, config_file)
        source = config_file or (paths.config if paths.config.exists() else "defaults")
        yield Finding(INFO, "configuration", f"valid ({source})", "")
    except HostAgentError as error:
        yield Finding(PROBLEM, "configuration", str(error), error.advice)
    for hook in settings.webhook:
        try:
            read_secret(hook)
        except HostAgentError as error:
            yield Finding(PROBLEM, f"receiver {hook.name}", str(error), error.advice)
    if not settings.webhook:
        yield Finding(WARNING, "receivers", "none is configured: alarms reach nobody beyond laptop and wearable",
                      "Add a [[webhook]] table: cytowatch config --example")  # fmt: skip
    keys, errors = keyfile.load_all(paths.keys)
    for refused in errors:
        yield Finding(PROBLEM, "key file", str(refused), refused.advice)
    for key in keys.values():
        yield Finding(INFO, "enrolled", f"{key.device_id.hex()} as {keyfile.ROLE_NAMES[key.role]}", "")
    if not keys:
        yield Finding(WARNING, "keys", "no wearable is enrolled", "cytowatch enrol FILE")
    yield from _ports(settings)
    live = live_status(paths)
    yield from _agent(live)
    yield from _store(paths, keys, live)


def _ports(settings: Config) -> Iterator[Finding]:
    owned = {os.path.realpath(owner.port): owner for owner in owners()}
    for owner in owned.values():
        if owner.released_until_utc_ms:
            until = local_time(owner.released_until_utc_ms)
            yield Finding(WARNING, f"port {owner.port}", f"lent until {until} by the agent with pid {owner.pid}",
                          f"Take it back now: cytowatch release {owner.port} --back")  # fmt: skip
        else:
            yield Finding(INFO, f"port {owner.port}", f"owned by the agent with pid {owner.pid} (home {owner.home})",
                          f"To use it with another program: {owner.release_command}")  # fmt: skip
    for found in candidates(settings.serial.ports, scan_usb=settings.serial.scan_usb):
        path = Path(found.port)
        if os.path.realpath(found.port) in owned:
            continue
        if not path.exists():
            yield Finding(WARNING, f"port {found.port}", "is configured and not there",
                          "Plug the wearable in, or correct serial.ports.")  # fmt: skip
        elif not os.access(path, os.R_OK | os.W_OK):
            yield Finding(PROBLEM, f"port {found.port}", "may not be opened by this user",
                          "Give this user access to serial ports (on Linux: group dialout); log in again.")  # fmt: skip
        else:
            yield Finding(INFO, f"port {found.port}", f"free ({found.why})", "")


def _agent(live: dict[str, Any] | None) -> Iterator[Finding]:
    if live is None:
        yield Finding(WARNING, "agent", "not running: nothing is synced or forwarded", "cytowatch run")
        return
    yield Finding(INFO, "agent", f"running, pid {live['pid']}", "")
    if live["store_error"]:
        yield Finding(
            PROBLEM,
            "agent",
            f"cannot store: {live['store_error']}",
            "Free disk space, or mend the state folder.",
        )
    for port in live["ports"]:
        if port["state"] in ("refused", "at_repl", "lost"):
            yield Finding(
                PROBLEM,
                f"link {port['port']}",
                f"{port['state'].replace('_', ' ')}: {port['reason']}",
                port["advice"],
            )
    for port, counters in live["link_counters"].items():
        counted = ", ".join(f"{name} {value}" for name, value in sorted(counters.items()) if value)
        if counted:
            yield Finding(INFO, f"link {port}", f"counters since start: {counted}", "")


def _store(
    paths: Paths, keys: dict[bytes, keyfile.DeviceKey], live: dict[str, Any] | None
) -> Iterator[Finding]:
    if sys.platform != "win32" and paths.home.exists():
        stat = os.statvfs(paths.home)
        free = stat.f_bavail * stat.f_frsize
        if free < _LITTLE_SPACE_BYTES:
            yield Finding(
                PROBLEM,
                "disk",
                f"{free // 1_000_000} MB free",
                "Free space: without it nothing is acknowledged.",
            )
    try:
        with open_store(paths) as tx:
            if tx is None:
                yield Finding(INFO, "store", "nothing was ever stored here", "")
                return
            problems = integrity_problems(tx)
            for problem in problems:
                yield Finding(PROBLEM, "store", problem, "Stop the agent, keep a copy, restore a backup.")
            if not problems:
                yield Finding(INFO, "store", f"{paths.database} is sound", "")
            state = read_state(tx, keys, live["now_utc_ms"] if live else RealClock().utc_ms())
            counters = tx.execute(
                "SELECT name, sum(value) FROM counters GROUP BY name ORDER BY name"
            ).fetchall()
            removed = tx.execute("SELECT sum(readings), max(run_utc_ms) FROM thinnings").fetchone()
    except HostAgentError as error:
        yield Finding(PROBLEM, "store", str(error), error.advice)
        return
    if counters:
        yield Finding(
            INFO, "store", "counters: " + ", ".join(f"{name} {value}" for name, value in counters), ""
        )
    if removed[0]:
        at = local_time(removed[1], with_date=True)
        text = f"{removed[0]} readings of patients who left were removed as configured, last at {at}"
        yield Finding(INFO, "store", text, "Which: cytowatch history --kind thinned")
    yield from _deliveries(state)
    bound = [device for device in state["devices"] if device["patient"]]
    if bound and live is None:
        yield Finding(PROBLEM, "agent", f"not running although {len(bound)} bound wearable(s) should be watched",
                      "Start it now: cytowatch run")  # fmt: skip
    for device in state["devices"]:
        for alarm in device["alarms"]:
            if alarm["raised_by"] == "host":
                text = f"{alarm['priority']} {alarm['name']}: {alarm['text']}"
                yield Finding(PROBLEM, f"wearable {device['device_id']}", text, alarm["detail"])


def _deliveries(state: dict[str, Any]) -> Iterator[Finding]:
    for target, states in state["deliveries"].items():
        why = state["delivery_errors"].get(target)
        about = f"receiver {target}"
        if states.get("refused"):
            yield Finding(PROBLEM, about, f"{states['refused']} events refused; {why}",
                          "See its log and `cytowatch history --kind deliveries`.")  # fmt: skip
        elif states.get("pending") and why:
            yield Finding(PROBLEM, about, f"{states['pending']} events wait; {why}",
                          "The agent keeps trying. Check address and network.")  # fmt: skip
        if states.get("withheld"):
            yield Finding(INFO, about, f"{states['withheld']} simulated events withheld", "")
