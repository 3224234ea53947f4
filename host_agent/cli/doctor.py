"""`doctor`: look at everything that can be wrong, and say for each finding what to do."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from crs_core.code_texts import role_name

from host_agent.agent_run import without_data_s
from host_agent.clock import RealClock
from host_agent.config.model import Config
from host_agent.errors import HostAgentError
from host_agent.forward.registry import receiver_kinds
from host_agent.keys import keyfile
from host_agent.link.ownership import owners
from host_agent.link.ports import candidates
from host_agent.paths import Paths, state_paths, user_name
from host_agent.patient.phones import HOW_TO_SET
from host_agent.people.chain_heads import missing, read_elsewhere
from host_agent.plain_file import kind_of
from host_agent.store.audit import hashes_at
from host_agent.store.counters import counters
from host_agent.store.db import Tx, integrity_problems
from host_agent.store.migrate import schema_version
from host_agent.store.outbox import counts
from host_agent.store.retention import thinnings
from host_agent.store.schema import missing_parts, strange_parts
from host_agent.store.undelivered import Undelivered
from host_agent.store.undelivered import undelivered as find_undelivered
from host_agent.terminal import exits
from host_agent.terminal.config_option import ConfigOption, find_config
from host_agent.terminal.contact_findings import contact_findings
from host_agent.terminal.finding import INFO, PROBLEM, WARNING, Finding
from host_agent.terminal.heartbeat_words import heartbeat_findings
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import show
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.receiver_findings import receiver_findings
from host_agent.terminal.running_agent import NOT_ANSWERING, NOT_RUNNING, Presence, live_status, presence
from host_agent.terminal.signing import SIGN_IN, can_anybody_sign
from host_agent.text import local_time
from host_agent.views.signers import Signers, read_signers
from host_agent.views.state import read_state

_LITTLE_SPACE_BYTES = 200 * 1024 * 1024  # some months of one wearable, and the journal of SQLite itself


def doctor(
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check configuration, keys, ports, store, agent and receivers. Exit code 1 on a problem.

    Each finding says what is wrong and what to do. This looks at the equipment, never at the patient.
    """
    found = list(_examine(config))
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


def _examine(config_file: Path | None) -> Iterator[Finding]:
    try:
        paths = state_paths()
        yield Finding(INFO, "state folder", str(paths.home), "")
        paths.check(writing=True)
        for path in paths.closed_files():
            me, home = user_name(os.getuid()), paths.home
            yield Finding(PROBLEM, "state folder", f"{path} cannot be read and written by this user",
                          f"Give it back: chown -R {me} {home}; chmod -R u+rwX {home}")  # fmt: skip
        for text in paths.misplaced():
            yield Finding(PROBLEM, "state folder", text, "Another program made it: move it away.")
    except HostAgentError as error:  # nothing else can be looked at
        yield Finding(PROBLEM, "state folder", str(error), error.advice)
        return
    try:
        paths.try_writing()
    except HostAgentError as error:  # a full disk hides nothing else
        yield Finding(PROBLEM, "state folder", str(error), error.advice)
    settings = Config()
    try:
        settings = find_config(paths, config_file)
        source = config_file or (paths.config if kind_of(paths.config) else "defaults")
        yield Finding(INFO, "configuration", f"valid ({source})", "")
    except HostAgentError as error:
        yield Finding(PROBLEM, "configuration", str(error), error.advice)
    if not settings.receivers:
        tables = " or ".join(f"[[{kind}]]" for kind in receiver_kinds())
        yield Finding(WARNING, "receivers", "none is configured: alarms reach only this laptop and the wearable",
                      f"Add a table {tables}: cytowatch config --example")  # fmt: skip
    elif not settings.reaching:
        yield Finding(WARNING, "receivers", "none reaches a person: a log or a record calls nobody, and a broker only"
                      " when a [[contact]] names it",
                      "Add a receiver or a [[contact]]: cytowatch config --example")  # fmt: skip
    keys, errors = keyfile.load_all(paths.keys)
    for refused in errors:
        yield Finding(PROBLEM, "key file", str(refused), refused.advice)
    for key in keys.values():
        yield Finding(INFO, "enrolled", f"{key.device_id.hex()} as {role_name(key.role)}", "")
    if not keys:
        yield Finding(WARNING, "keys", "no wearable is enrolled", "cytowatch enrol FILE")
    yield from _ports(settings)
    live = live_status(paths)
    agent = presence(paths, live)
    yield from _agent(agent, live)
    undelivered: dict[str, list[Undelivered]] = {}
    yield from _store(paths, keys, live, agent, undelivered)
    found = list(receiver_findings(settings.receivers, undelivered, live))
    yield from found
    broken = {one.about.removeprefix("receiver ") for one in found if one.level == PROBLEM}
    yield from heartbeat_findings(settings.heartbeat, live)
    yield from contact_findings(settings, broken, _took(paths))


def _took(paths: Paths) -> set[str]:
    """Names of the receivers that took a message at some time; none when the store cannot be read."""
    try:
        with open_store(paths) as tx:
            found = {} if tx is None else counts(tx)
    except HostAgentError:  # it is a finding of its own
        return set()
    return {name for name, states in found.items() if states.get("delivered")}


def _ports(settings: Config) -> Iterator[Finding]:
    owned = {os.path.realpath(owner.port): owner for owner in owners()}
    for owner in owned.values():
        if owner.released_until_utc_ms:
            until = local_time(owner.released_until_utc_ms)
            yield Finding(WARNING, f"port {owner.port}", f"lent by the agent with pid {owner.pid} until {until}",
                          f"Take it back now: cytowatch release {owner.port} --back")  # fmt: skip
        else:
            yield Finding(INFO, f"port {owner.port}", f"owned by the agent with pid {owner.pid} (home {owner.home})",
                          f"To use it with another program: {owner.release_command}")  # fmt: skip
    for found in candidates(settings.serial.ports, scan_usb=settings.serial.scan_usb):
        path = Path(found.port)
        if os.path.realpath(found.port) in owned:
            continue
        if not path.exists():
            yield Finding(WARNING, f"port {found.port}", "is configured, but it is not there",
                          "Plug the wearable in, or correct serial.ports.")  # fmt: skip
        elif not os.access(path, os.R_OK | os.W_OK):
            yield Finding(PROBLEM, f"port {found.port}", "may not be opened by this user",
                          "Give this user access to serial ports (on Linux: group dialout); log in again.")  # fmt: skip
        else:
            yield Finding(INFO, f"port {found.port}", f"free ({found.why})", "")


def _agent(agent: Presence, live: dict[str, Any] | None) -> Iterator[Finding]:
    if agent.gap is not None:
        yield Finding(WARNING, "agent", agent.gap.text(), "")
    if live is None:
        level = PROBLEM if agent.state == NOT_ANSWERING else WARNING
        yield Finding(level, "agent", agent.text, agent.advice)
        return
    yield Finding(INFO, "agent", f"running, pid {live['pid']}", "")
    if live["store_error"]:
        yield Finding(
            PROBLEM,
            "agent",
            f"cannot store: {live['store_error']}",
            "Free disk space, or repair the state folder.",
        )
    yield from _laptop(live["laptop"] or {})
    for port in live["ports"]:
        if port["state"] in ("refused", "at_repl", "lost"):
            yield Finding(
                PROBLEM,
                f"link {port['port']}",
                f"{port['state'].replace('_', ' ')}: {port['reason']}",
                port["advice"],
            )
    for port, numbers in live["link_counters"].items():
        counted = ", ".join(f"{name} {value}" for name, value in sorted(numbers.items()) if value)
        if counted:
            yield Finding(INFO, f"link {port}", f"counters since start: {counted}", "")


def _laptop(laptop: dict[str, Any]) -> Iterator[Finding]:
    advices = {
        "silent": (PROBLEM, "Turn the sound on and louder, take headphones off, then: cytowatch test-sound"),
        "off": (WARNING, "Alarms call the receivers and sound on the wearable alone: set sound.enabled."),
        "may_sleep": (WARNING, "Look here again afterwards: cytowatch doctor"),
        "on_battery": (WARNING, "Without power this laptop monitors nobody."),
    }
    for about, one in laptop.items():
        level, advice = advices.get(one["state"], (INFO, ""))
        yield Finding(level, f"this laptop, {about}", one["text"], advice)


def _store(
    paths: Paths,
    keys: dict[bytes, keyfile.DeviceKey],
    live: dict[str, Any] | None,
    agent: Presence,
    undelivered: dict[str, list[Undelivered]],
) -> Iterator[Finding]:
    """Fills `undelivered` by receiver on the way."""
    if sys.platform != "win32" and paths.home.exists():
        stat = os.statvfs(paths.home)
        free = stat.f_bavail * stat.f_frsize
        if free < _LITTLE_SPACE_BYTES:
            yield Finding(
                PROBLEM,
                "disk",
                f"{free // 1_000_000} MB free",
                "Free disk space. Without it the agent acknowledges nothing to the wearable.",
            )
    try:
        with open_store(paths) as tx:
            if tx is None:
                yield Finding(INFO, "store", "nothing has been stored here yet", "")
                return
            yield from _soundness(tx, paths.database)
            now_ms = live["now_utc_ms"] if live else RealClock().utc_ms()
            state = read_state(tx, keys, now_ms, live, without_data_s=without_data_s(paths.home))
            yield from _signers(read_signers(tx))
            if not can_anybody_sign(tx, paths):
                text = "the key of no account is on this computer: nobody can sign here"
                yield Finding(WARNING, "accounts", text, f"The administrator signs one in: {SIGN_IN}")
            yield from _chain(tx, paths)
            counted = counters(tx)
            for row in find_undelivered(tx, RealClock().utc_ms()):
                undelivered.setdefault(row.target, []).append(row)
            removed = thinnings(tx)
    except HostAgentError as error:
        yield Finding(PROBLEM, "store", str(error), error.advice)
        return
    if counted:
        text = ", ".join(f"{name} {value}" for name, value in counted.items())
        yield Finding(INFO, "store", f"counters: {text}", "")
    if removed:
        number = sum(one.readings for one in removed)
        at = local_time(max(one.run_utc_ms for one in removed), with_date=True)
        text = f"{number} readings of earlier patients were removed as configured, last at {at}"
        yield Finding(INFO, "store", text, "See them: cytowatch history --kind thinned")
    yield from _kept(state, agent)
    for device in state["devices"]:
        yield from _wearable(device, paths.keys)


def _kept(state: dict[str, Any], agent: Presence) -> Iterator[Finding]:
    """What the store says of deliveries that were withheld and of wearables that a patient wears."""
    for target, states in state["deliveries"].items():
        if states.get("withheld"):
            text = f"{states['withheld']} simulated events were withheld, as configured"
            yield Finding(INFO, f"receiver {target}", text, "")
    bound = [device for device in state["devices"] if device["patient"]]
    if bound and agent.state == NOT_RUNNING:
        yield Finding(PROBLEM, "agent", f"not running, but wearables bound to a patient must be watched: {len(bound)}",
                      "Start it now: cytowatch run")  # fmt: skip


def _wearable(device: dict[str, Any], folder: Path) -> Iterator[Finding]:
    about = f"wearable {device['device_id']}" + (f" ({device['name']})" if device["name"] else "")
    if device["broken"]:
        yield Finding(PROBLEM, about, f"its data is not understood: {device['broken']}",
                      "Look at the patient and at the wearable itself. Report this as a bug.")  # fmt: skip
    yield Finding(INFO, about, device["state"]["text"], "")
    if device["patient"] and keyfile.is_missing(folder, bytes.fromhex(device["device_id"])):
        text = "a patient wears it, and its key is not on this laptop"
        yield Finding(PROBLEM, about, text, keyfile.HOW_TO_GET_A_KEY)
    if device["call"] and None in device["call"].values():
        missing = " and ".join(
            name.replace("_", " ") for name, number in device["call"].items() if not number
        )
        level = PROBLEM if device["patient"] else WARNING
        yield Finding(level, about, f"no number is known to call: {missing}", f"Set both: {HOW_TO_SET}")
    for alarm in device["alarms"]:
        if alarm["raised_by"] == "host":
            text = f"{alarm['priority']} {alarm['name']}: {alarm['text']}"
            yield Finding(PROBLEM, about, text, alarm["detail"])


def _soundness(tx: Tx, database: Path) -> Iterator[Finding]:
    problems = integrity_problems(tx)
    for problem in problems:
        yield Finding(
            PROBLEM,
            "store",
            problem,
            "Stop the agent, keep a copy of the state folder, restore a backup.",
        )
    for part in strange_parts(tx, schema_version(tx)):
        yield Finding(PROBLEM, "store", f"{part} is not of this program: it may change what is written",
                      "Stop the agent, then: cytowatch backup copy.db, cytowatch restore copy.db")  # fmt: skip
    for part in missing_parts(tx, schema_version(tx)):
        yield Finding(PROBLEM, "store", f"{part} is missing: somebody took it out of the file",
                      "Stop the agent, then: cytowatch backup copy.db, cytowatch restore copy.db")  # fmt: skip
    if not problems:
        yield Finding(INFO, "store", f"{database} is not damaged", "")


def _signers(signers: Signers) -> Iterator[Finding]:
    add = "cytowatch account add NAME --role clinician"
    second = f"The administrator signs in the second one: {SIGN_IN}"
    if not signers.has_code:
        second = (
            "Make the administrator code (cytowatch account administrator) and give it to somebody who is no clinician."
            " With it they stand behind the second one: cytowatch account vouch NAME --administrator"
        )
    number = len(signers.clinicians)
    if not number:
        yield Finding(WARNING, "accounts", "no clinician has an account: nobody can sign anything", add)
    elif number == 1:
        text = f"{signers.clinicians[0]} is the only clinician: nobody can countersign a death"
        yield Finding(WARNING, "accounts", text, second)
    elif len(signers.without_partner) == number:
        names = ", ".join(signers.clinicians)
        text = f"nobody can countersign a death: one person may have made the accounts of all clinicians ({names})"
        yield Finding(WARNING, "accounts", text, second)
    else:
        yield Finding(INFO, "accounts", f"{number} clinicians can sign", "")
    if signers.code_made_by is not None and signers.code_made_utc_ms is not None:
        at = local_time(signers.code_made_utc_ms, with_date=True)
        text = f"the administrator code was made by {signers.code_made_by} at {at}, after the installation"
        yield Finding(INFO, "accounts", text, "Check that somebody who is no clinician keeps it.")


def _chain(tx: Tx, paths: Paths) -> Iterator[Finding]:
    elsewhere = read_elsewhere(paths)
    hashes = hashes_at(tx, [one.rows for one in elsewhere.heads])
    found = [text for text in (*elsewhere.faults, *(missing(hashes, one) for one in elsewhere.heads)) if text]
    for text in found:
        yield Finding(PROBLEM, "audit chain", text, "See all of it: cytowatch audit verify")
