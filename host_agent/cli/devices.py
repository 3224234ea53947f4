"""`devices`: enrolled wearables, and ports that may be one."""

from host_agent.agent_run import without_data_s
from host_agent.clock import RealClock
from host_agent.keys import keyfile
from host_agent.link.ownership import find_owner
from host_agent.link.ports import candidates
from host_agent.paths import default_paths
from host_agent.terminal.broken import leave_when_broken
from host_agent.terminal.config_option import ConfigOption, find_config
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import nothing, say, show
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.running_agent import live_status
from host_agent.text import local_of_iso, table
from host_agent.views.state import read_state


def devices(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List enrolled wearables, and ports that may lead to one."""
    paths = default_paths()
    keys, errors = keyfile.load_all(paths.keys)
    live = live_status(paths)
    now_ms = live["now_utc_ms"] if live else RealClock().utc_ms()
    with open_store(paths) as tx:
        state = read_state(tx, keys, now_ms, live, without_data_s=without_data_s(paths.home))
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
        say(f"error: {error}", f"  {error.advice}")
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
    leave_when_broken({one["device_id"]: one["broken"] for one in state["devices"] if one["broken"]})
