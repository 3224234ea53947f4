"""`status`: what is known of every wearable, from the store, with what the running agent adds."""

from collections.abc import Iterator
from typing import Any

from host_agent import NOTICE
from host_agent.clock import RealClock
from host_agent.keys import keyfile
from host_agent.paths import default_paths
from host_agent.sync.battery import battery_text
from host_agent.terminal.broken import broken_line, leave_when_broken
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import nothing, show
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.running_agent import least_ages, live_status
from host_agent.text import (
    heart_rate_text,
    local_of_iso,
    local_time,
    marked,
    prompt_names,
    saturation_text,
    span_text,
    temperature_at_text,
)
from host_agent.views.state import read_state

_LIVE_IS_NOW_S = 10.0  # a wearable in session sends its values each second
_BATTERY_IS_NOW_S = 1200.0  # asked for every 10 min


def status(
    as_json: JsonOption = False,
) -> None:
    """Show link, newest reading, grade and alarms of every wearable. Works without the agent.

    Below the wearable's own grade there is one line for each scale. This laptop computes it from what people entered
    and from what the wearable measures now. The line `asked` shows what people are asked to enter: due now, or
    missed. The alarm PROMPT_MISSED sounds for a missed entry. A wearable whose data cannot be read has a line that
    says so, and the exit code is 1. While the agent runs, `battery` shows the percentage
    and the hours left; the agent asks for them every 10 minutes.
    """
    paths = default_paths()
    keys, errors = keyfile.load_all(paths.keys)
    live = live_status(paths)
    now_ms = live["now_utc_ms"] if live else RealClock().utc_ms()
    with open_store(paths) as tx:
        data = read_state(tx, keys, now_ms, least_ages(live))
    data |= {
        "notice": NOTICE,
        "agent_running": live is not None,
        "key_errors": [str(error) for error in errors],
    }
    if live:
        by_id = {entry["device_id"]: entry for entry in live["devices"]}
        for device in data["devices"]:
            seen = by_id.get(device["device_id"], {})
            device |= {
                name: seen.get(name)
                for name in (
                    "link",
                    "caught_up",
                    "live",
                    "live_text",
                    "live_utc_ms",
                    "live_age_s",
                    "battery",
                    "battery_age_s",
                )
            }
        data["agent"] = {
            name: live[name] for name in ("pid", "simulation_speed", "store_error", "targets", "ports")
        }
    if not data["devices"]:
        nothing("No wearable is known here. Enrol one: cytowatch enrol FILE", data, as_json=as_json)
    show(data, _lines(data, now_ms), as_json=as_json)
    leave_when_broken({one["device_id"]: one["broken"] for one in data["devices"] if one["broken"]})


def _lines(data: dict[str, Any], now_ms: int) -> Iterator[str]:
    yield NOTICE
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
    else:
        yield "The agent is not running: nothing is synced or forwarded now. Start it: cytowatch run"
        yield "Below is what was stored before."
    if data["agent_running"]:
        yield from _port_lines(data["agent"]["ports"])
    for device in data["devices"]:
        yield ""
        yield from _isolated_lines(device, data["agent_running"], now_ms)
    for alarm in data["agent_alarms"]:
        yield _alarm_line(alarm)
    if data["deliveries"]:
        yield ""
    for target, states in sorted(data["deliveries"].items()):
        numbers = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
        error = data["delivery_errors"].get(target)
        yield f"Receiver {target}: {numbers}" + (f". {error}" if error else "")
    for text in data["key_errors"]:
        yield f"Key file left out: {text}"


def _port_lines(ports: list[dict[str, Any]]) -> Iterator[str]:
    """Ports on which no wearable answered: the lines of no wearable show them."""
    for port in ports:
        if port["device_id"] is None:
            yield f"Port {port['port']}: {port['state'].replace('_', ' ')}: {port['reason']}"
            if port["advice"]:
                yield f"            {port['advice']}"


def _isolated_lines(device: dict[str, Any], running: bool, now_ms: int) -> list[str]:
    """The lines of one wearable; where they cannot be made, the line that says so, and its alarms."""
    if not device["broken"]:
        try:
            return list(_device_lines(device, running, now_ms))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            device["broken"] = f"{type(error).__name__}: {error}"
    return [broken_line(device["device_id"], device["broken"]), *map(_alarm_line, device["alarms"])]


def _device_lines(device: dict[str, Any], running: bool, now_ms: int) -> Iterator[str]:
    name = f" ({device['name']})" if device["name"] else ""
    yield marked(
        device["simulated"],
        f"Wearable {device['device_id']}{name}, thermometer at {device['site'] or 'a site not known'}",
    )
    if running:
        link = device.get("link") or {"state": "never opened"}
        sync = ", synced" if device.get("caught_up") else ", syncing" if link["state"] == "open" else ""
        reason = f": {link['reason']}" if link.get("reason") and link["state"] != "open" else ""
        yield f"  link      {link['state'].replace('_', ' ')}{sync}{reason}"
        if link.get("advice"):
            yield f"            {link['advice']}"
    patient = device["patient"]
    if patient:
        day = f", Day +{patient['day']}" if patient["day"] is not None else ""
        state = "" if patient["state"] == "active" else f" ({patient['state']})"
        yield f"  patient   {patient['id']}{day}{state}"
    else:
        yield "  patient   nobody is bound: nothing is graded. Bind: cytowatch patient start"
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
    if device["context_waiting"]:
        yield f"  context   entries not yet on the wearable: {device['context_waiting']}"
    for alarm in device["alarms"]:
        yield _alarm_line(alarm)


def _measured_lines(device: dict[str, Any], now_ms: int) -> Iterator[str]:
    """What the wearable measures, by which calibration, on what battery, or for how long it is taken off."""
    if device.get("live"):
        age_s = device["live_age_s"]
        when = "now      " if age_s <= _LIVE_IS_NOW_S else f"heard     {span_text(age_s)} ago:"
        yield f"  {when} {device['live_text']}"
    if device.get("battery") and device["battery"]["heard_utc_ms"] is not None:
        yield f"  battery   {_battery_text(device['battery'], device.get('battery_age_s'), now_ms)}"
    if device["pause"]:
        yield f"  pause     {marked(device['simulated'], _pause_text(device['pause']))}"
    yield f"  stored    {_reading_text(device['newest_reading'])}"
    if device["calibration"]:
        yield f"  sensors   {device['calibration']['words']}"


def _battery_text(values: dict[str, Any], age_s: int | None, now_ms: int) -> str:
    if age_s is None:
        age_s = (now_ms - values["heard_utc_ms"]) // 1000
    age = f"{span_text(age_s)} ago: " if age_s > _BATTERY_IS_NOW_S else ""
    return f"{age}{battery_text(values)}"


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


def _pause_text(pause: dict[str, Any]) -> str:
    by = local_of_iso(pause["until"], with_seconds=False)
    if pause["left_s"] <= 0:
        return f"for {pause['why']}, planned until {by}. Its end is not stored"
    return f"paused for {pause['why']}, {-(-pause['left_s'] // 60)} min left, back by {by}: not measuring, planned"


def _reading_text(reading: dict[str, Any] | None) -> str:
    if reading is None:
        return "no reading yet"
    age_s = reading["age_s"]
    age = "at a time not known" if age_s is None else f"{span_text(age_s)} ago"
    return marked(
        reading["simulated"],
        f"{age}: {temperature_at_text(reading['temp_cc'], reading['site'], reading['temp_state'])},"
        f" SpO2 {saturation_text(reading['spo2_tenths'], reading['ppg_state'])},"
        f" heart rate {heart_rate_text(reading['hr_bpm'])}",
    )


def _alarm_line(alarm: dict[str, Any]) -> str:
    since = f" since {local_of_iso(alarm['since'], with_seconds=False)}" if alarm["since"] else ""
    detail = f" ({alarm['detail']})" if alarm["detail"] else ""
    text = marked(alarm["simulated"], alarm["text"])
    return f"  ALARM     {alarm['priority']} {alarm['name']}{since}: {text}{detail}"
