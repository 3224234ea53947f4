"""`status`: what is known of every wearable, from the store, with what the running agent adds."""

import collections
from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple

import typer
from crs_core import codes

from host_agent import NOTICE
from host_agent.agent_run import Gap, without_data_s
from host_agent.clock import RealClock
from host_agent.errors import ConfigError, HostAgentError, StoreError
from host_agent.keys import keyfile
from host_agent.paths import default_paths
from host_agent.patient.contact import Contact
from host_agent.patient.phones import HOW_TO_SET
from host_agent.sync.live import live_values_text
from host_agent.terminal import exits
from host_agent.terminal.broken import broken_line, leave_when_broken
from host_agent.terminal.heartbeat_words import heartbeat_text
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import nothing, show
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.running_agent import NOT_ANSWERING, Presence, in_memory, live_status, presence
from host_agent.terminal.watching import redraw_until_ctrl_c
from host_agent.text import (
    local_of_iso,
    local_time,
    marked,
    prompt_names,
    span_text,
    without_secrets,
)
from host_agent.views.context_rows import waits_for
from host_agent.views.device_state import READING_INTERVAL_S
from host_agent.views.reading_text import reading_text
from host_agent.views.state import read_state
from host_agent.views.state_facts import age_s


def status(
    watch: Annotated[
        bool, typer.Option("--watch", help="Draw it again each 2 s, until Ctrl-C. On a terminal only.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show alarms, state, newest reading and grade of every wearable. Works without the agent.

    Every alarm that stands comes first, the most urgent one on top, and below it what is known of its sound. The line
    `state` says whether the wearable measures now, is paused, or cannot be heard. Below the wearable's own grade there
    is one line for each scale. This laptop computes it from what people entered and from what the wearable measures
    now. The line `asked` shows what people are asked to enter: due now, or missed. A wearable whose data cannot be
    read has a line that says so, and the exit code is 1. While the agent runs, `battery` shows the percentage and the
    hours left; the agent asks for them every 10 minutes.
    """
    if watch:
        if as_json:
            raise ConfigError("--watch cannot be combined with --json.", "Use one or the other.")
        redraw_until_ctrl_c(_frame)
        return
    look = _look()
    if look.store_error is not None:
        if look.live is None:
            raise look.store_error
        alone = {"agent_running": True, "store_unreadable": str(look.store_error), "agent": look.live}
        show(alone, _live_alone(look.live, look.store_error), as_json=as_json)
        raise typer.Exit(exits.FAILED)
    data = look.data
    if not data["devices"]:
        nothing(_nobody(look), data, as_json=as_json)
    show(data, _lines(data, look.now_ms), as_json=as_json)
    leave_when_broken({one["device_id"]: one["broken"] for one in data["devices"] if one["broken"]})


class _Look(NamedTuple):
    """What store and agent say now. `data` is empty when the store cannot be read: `store_error` says why."""

    data: dict[str, Any]
    live: dict[str, Any] | None
    agent: Presence
    now_ms: int
    store_error: StoreError | None


def _look() -> _Look:
    paths = default_paths()
    keys, errors = keyfile.load_all(paths.keys)
    live = live_status(paths)
    agent = presence(paths, live)
    now_ms = live["now_utc_ms"] if live else RealClock().utc_ms()
    try:
        with open_store(paths) as tx:
            data = read_state(tx, keys, now_ms, live, without_data_s=without_data_s(paths.home))
    except StoreError as error:
        return _Look({}, live, agent, now_ms, error)
    for device in data["devices"]:
        is_missing = keyfile.is_missing(paths.keys, bytes.fromhex(device["device_id"]))
        device["key_missing"] = bool(device["patient"]) and is_missing
    data |= {
        "notice": NOTICE,
        "agent_running": live is not None,
        "presence": agent.values(),
        "key_errors": [str(error) for error in errors],
    }
    if live:
        data["agent"] = {
            name: live.get(name)
            for name in ("pid", "simulation_speed", "store_error", "targets", "ports", "heartbeat", "laptop")
        }
    return _Look(data, live, agent, now_ms, None)


def _frame() -> list[str]:
    """The lines of this moment. What cannot be read now may be read in two seconds: it is said, and ends nothing."""
    try:
        look = _look()
        if look.store_error is not None:
            if look.live is not None:
                return _live_alone(look.live, look.store_error)
            raise look.store_error
    except HostAgentError as error:
        return [NOTICE, f"error: {error}", f"  {error.advice}"]
    return (
        list(_lines(look.data, look.now_ms)) if look.data["devices"] else [NOTICE, *_nobody(look).split("\n")]
    )


def _nobody(look: _Look) -> str:
    silent = f"{look.agent.text} {look.agent.advice}\n" if look.agent.state == NOT_ANSWERING else ""
    return f"{silent}No wearable is known here. Enrol one: cytowatch enrol FILE"


def _live_alone(live: dict[str, Any], error: StoreError) -> list[str]:
    """A store that cannot be read hides nothing that the running agent says; whose data it is stays unsaid."""
    return [
        NOTICE,
        f"Agent running, pid {live['pid']}. It is {local_time(live['now_utc_ms'])}.",
        f"What is stored cannot be read: {error} {error.advice}",
        *(
            f"Wearable {one['device_id']}, {one['link']['state']}: {one['live_text']}"
            for one in live["devices"]
        ),
    ]


def _lines(data: dict[str, Any], now_ms: int) -> Iterator[str]:
    yield NOTICE
    yield from _alarm_lines(data)
    if data["agent_running"]:
        agent = data["agent"]
        fast = (
            f", clock {agent['simulation_speed']:g} times as fast (simulation)"
            if agent["simulation_speed"] != 1
            else ""
        )
        yield f"Agent running, pid {agent['pid']}{fast}. It is {local_time(now_ms)}."
        if agent["store_error"]:
            yield f"The agent cannot store: {agent['store_error']}"
        if agent["heartbeat"]:
            yield f"Watcher outside: {heartbeat_text(agent['heartbeat'])}"
        yield from _laptop_lines(agent["laptop"] or {})
    else:
        yield f"{data['presence']['text']} {data['presence']['advice']}"
        yield "Below is what was stored before."
    if data["presence"]["gap"]:
        yield f"{Gap(**data['presence']['gap']).text()}."
    if data["agent_running"]:
        yield from _port_lines(data["agent"]["ports"])
    for device in data["devices"]:
        yield ""
        yield from _isolated_lines(device, data["agent_running"], now_ms)
    if data["deliveries"]:
        yield ""
    for target, states in sorted(data["deliveries"].items()):
        numbers = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
        error = data["delivery_errors"].get(target)
        yield f"Receiver {target}: {numbers}" + (f". {error}" if error else "")
    unsaved = collections.Counter(one["receiver"] for one in in_memory(data.get("agent")))
    for target, number in sorted(unsaved.items()):
        error = data["agent"]["targets"][target]["last_error"]
        yield f"Receiver {target}: {number} not delivered, in the agent's memory alone. {without_secrets(error)}"
    for text in data["key_errors"]:
        yield f"Key file left out: {text}"


def _laptop_lines(laptop: dict[str, Any]) -> Iterator[str]:
    """What is known of its sound, its sleep and its battery."""
    for about, one in laptop.items():
        if one["state"] not in ("unneeded", "unknown"):
            yield f"This laptop, {about}: {one['text']}."


def _port_lines(ports: list[dict[str, Any]]) -> Iterator[str]:
    """Ports on which no wearable answered: the lines of no wearable show them."""
    for port in ports:
        if port["device_id"] is None:
            yield f"Port {port['port']}: {port['state'].replace('_', ' ')}: {port['reason']}"
            if port["advice"]:
                yield f"            {port['advice']}"


def _alarm_lines(data: dict[str, Any]) -> Iterator[str]:
    """Every alarm before anything else, the most urgent first."""
    alarms = [alarm for device in data["devices"] for alarm in device["alarms"]] + data["agent_alarms"]
    for alarm in sorted(alarms, key=lambda one: -codes.PRIORITY_NAMES.index(one["priority"])):
        yield str(alarm["text"])
        if alarm.get("sound"):
            yield f"       {alarm['sound']}"
        elif alarm.get("accepted_by"):
            yield f"       accepted by {alarm['accepted_by']}, until {local_of_iso(alarm['accepted_until'])}"
    if alarms:
        yield ""


def _isolated_lines(device: dict[str, Any], running: bool, now_ms: int) -> list[str]:
    """The lines of one wearable; where they cannot be made, the line that says so. Its alarms stand above."""
    if not device["broken"]:
        try:
            return list(_device_lines(device, running, now_ms))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            device["broken"] = f"{type(error).__name__}: {error}"
    return [broken_line(device["device_id"], device["broken"])]


def _device_lines(device: dict[str, Any], running: bool, now_ms: int) -> Iterator[str]:
    name = f" ({device['name']})" if device["name"] else ""
    yield marked(
        device["simulated"],
        f"Wearable {device['device_id']}{name}, thermometer at {device['site'] or 'a site not known yet'}",
    )
    yield f"  state     {device['state']['text']}"
    if running:
        link = device.get("link") or {"state": "never opened"}
        sync = ", synced" if device.get("caught_up") else ", syncing" if link["state"] == "open" else ""
        reason = f": {link['reason']}" if link.get("reason") and link["state"] != "open" else ""
        yield f"  link      {link['state'].replace('_', ' ')}{sync}{reason}"
        if link.get("advice"):
            yield f"            {link['advice']}"
    patient = device["patient"]
    if device["key_missing"]:
        yield f"  key       not on this laptop, which cannot hear it. {keyfile.HOW_TO_GET_A_KEY}"
    if patient:
        day = f", Day {patient['day']:+d}" if patient["day"] is not None else ""
        text = device["patient_text"]
        doubt = f". {text[0].upper()}{text[1:]}." if text else ""
        yield f"  patient   {patient['id']}{day}{doubt}"
    else:
        yield f"  patient   {device['patient_text']}"
    yield from _call_lines(device)
    yield from _measured_lines(device, now_ms)
    if device["grade"]:
        old = "not known now, the data is too old. Last: " if device["grade"]["stale"] else ""
        yield f"  grade     {old}{marked(device['grade']['simulated'], device['grade']['text'])}"
    elif patient:
        yield "  grade     none yet"
    yield from _people_lines(device)
    for record in device["signed"]:
        at = local_of_iso(record["at"], with_date=True)
        yield f"  signed    {marked(record['simulated'], f'{at}: ' + record['text'])}"
    waits = waits_for(device if running else None)
    if device["context_waiting"]:
        yield f"  context   entries on this laptop only: {device['context_waiting']}, {waits}"
    if device["context_dropped"]:
        number = device["context_dropped"]
        yield f"  context   entries that the wearable dropped at its restart: {number}, {waits}"


def _call_lines(device: dict[str, Any]) -> Iterator[str]:
    """Whom to call; a number that is missing is said as loudly as an alarm."""
    call = device["call"]
    if call is None:
        return
    yield f"  call      {Contact(care_team=call['care_team'] or '', emergency=call['emergency'] or '').call}"
    if not (call["care_team"] and call["emergency"]):
        yield f"            Set both: {HOW_TO_SET}"


def _measured_lines(device: dict[str, Any], now_ms: int) -> Iterator[str]:
    """What the wearable measures, by which calibration and on what battery."""
    live = device.get("live")
    if live is not None:
        values = marked(device["simulated"], live_values_text(live))
        heard_s = age_s(device.get("live_age_s"), device["live_utc_ms"], now_ms) or 0
        if device["shows_live"]:
            late = f", {span_text(heard_s)} ago" if heard_s > READING_INTERVAL_S else ""
            yield f"  now       {values}{late}"
        else:
            yield f"  heard     {span_text(heard_s)} ago: {values}"
    if device["battery_text"]:
        yield f"  battery   {device['battery_text']}"
    yield f"  stored    {reading_text(device['newest_reading'])}"
    if device["calibration"]:
        yield f"  sensors   {device['calibration']['words']}"


def _people_lines(device: dict[str, Any]) -> Iterator[str]:
    """The grades over what people entered, and what people are asked for."""
    if not device["patient"]:
        return
    for grade in device["grades"].values():
        yield f"  scale     {marked(device['simulated'], grade['text'])}"
    if not device["grades"]:
        yield "  scales    other scales need entries: cytowatch context set"
    due, missed = device["prompts"]["due"], device["prompts"]["missed"]
    asked = [f"Due now: {prompt_names(due)}."] if due else []
    asked += [f"Missed: {prompt_names(missed)}."] if missed else []
    if asked:
        yield f"  asked     {' '.join(asked)}"
