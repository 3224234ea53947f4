"""A whole ward on one laptop: 64 wearables on one real `cytowatch run`, each with a backlog and a reading each second.

The wearables are light: the firmware's session, journal and pump without its application, all in one process, each on a
terminal of its own; ten times as many readings as a wearable makes. The time is from the start of the agent's process
until it says of every wearable that it is caught up: finding each wearable's key among 64 is part of it. Afterwards the
readings go on for 20 s, then the store is held against every journal, block by block.
"""

import hashlib
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from crs_core.keys import Key

from host_agent.control.socket import call_now
from host_agent.errors import HostAgentError
from host_agent.keys import keyfile
from host_agent.paths import Paths
from host_agent.store.db import Store, Tx
from tools.lab.bench.ward_end import Held, Plan, Wearables
from tools.rig.bedside import Bedside

ROOT = Path(__file__).resolve().parents[3]
WEARABLES = 64
BACKLOG = 1440  # readings: four hours at 10 s
LIVE_S = 20.0
TARGET_MB = 200.0
_DEADLINE_S = 240.0
_JOURNAL = "SELECT journals.id FROM journals JOIN devices ON devices.id = device WHERE device_id = ?"
_FINDINGS = (
    "SELECT (SELECT count(*) FROM gaps) + (SELECT count(*) FROM forks) + (SELECT count(*) FROM disagreements)"
)

Row = tuple[str, str, str, bool | None]


def rows() -> Iterator[Row]:
    """(name, figure, target, reached)."""
    if str(ROOT / "firmware") not in sys.path:
        sys.path.insert(0, str(ROOT / "firmware"))  # crs_device is no package of the host
    plans = [_plan(n) for n in range(WEARABLES)]
    with (
        tempfile.TemporaryDirectory(prefix="cytowatch-ward-") as name,
        Wearables(Path(name), plans) as wearables,
    ):
        home = Path(name) / "home"
        bedside = _prepared(home, plans, wearables.paths)
        begun_s = time.monotonic()
        bedside.start(wearables.paths[0])
        try:
            _until(lambda: _caught_up(home) == WEARABLES, f"{WEARABLES} wearables caught up")
            took_s = time.monotonic() - begun_s
            time.sleep(LIVE_S)
            wearables.quiet()
            time.sleep(1)
            held = wearables.held()
            _until(
                lambda: _stored(bedside.database) >= sum(each.records for each in held.values()), "all stored"
            )
            assert bedside.agent is not None
            rss_mb, peak_mb = _memory_mb(bedside.agent.pid)
        finally:
            bedside.stop()
        wrong, lives = _compared(bedside.database, held), sum(each.lives for each in held.values())
        records = sum(each.records for each in held.values())
    label = f"ward of {WEARABLES} wearables"
    yield (
        f"{label}, memory of the agent",
        f"{rss_mb:.0f} MB resident, {peak_mb:.0f} MB at its peak",
        f"<= {TARGET_MB:g} MB",
        peak_mb <= TARGET_MB,
    )
    yield (
        f"{label}, records lost, doubled or changed",
        f"{wrong} of {records:,} ({lives:,} live values beside them)",
        "0",
        wrong == 0,
    )
    yield (
        f"{label}, all caught up",
        f"{took_s:.1f} s from the agent's start, {WEARABLES * BACKLOG:,} readings of backlog",
        "nothing asked",
        None,
    )


def _plan(n: int) -> Plan:
    key = Key(0x1000 + n, 1, hashlib.sha256(b"%d" % n).digest(), f"bed {n}")
    return Plan(b"WARD%04d" % n, key, b"BIND%04d" % n, BACKLOG)


def _prepared(home: Path, plans: list[Plan], ports: list[str]) -> Bedside:
    bedside = Bedside(home)
    paths = Paths(home).ensure()
    names = ", ".join(f'"{port}"' for port in ports[1:])
    (home / "config.toml").write_text(f"[serial]\nscan_usb = false\nports = [{names}]\n")
    for plan in plans:
        key = plan.key
        keyfile.save(paths.keys, keyfile.DeviceKey(plan.device_id, key.key_id, key.key, key.role, key.name))
    with Store(paths.database) as store:
        store.write_now(lambda tx: _bind(tx, plans))
    return bedside


def _bind(tx: Tx, plans: list[Plan]) -> None:
    for number, plan in enumerate(plans, 1):
        tx.execute(
            "INSERT INTO devices (id, device_id, first_seen_utc_ms, last_seen_utc_ms) VALUES (?, ?, 0, 0)",
            (number, plan.device_id),
        )
        tx.execute(
            "INSERT INTO bindings VALUES (?, ?, NULL, ?, '', 'active', 0, NULL, '')",
            (number, plan.binding_id, number),
        )


def _caught_up(home: Path) -> int:
    try:
        devices: list[dict[str, Any]] = call_now(Paths(home).socket, "status", timeout_s=10)["devices"]
    except (HostAgentError, OSError):
        return 0
    return sum(bool(device["caught_up"]) for device in devices)


def _stored(database: Path) -> int:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as store:
        return int(store.execute("SELECT count(*) FROM readings").fetchone()[0])


def _compared(database: Path, held: dict[bytes, Held]) -> int:
    """How many blocks or records differ between the journals and the store, in either direction."""
    wrong = 0
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as store:
        for device_id, each in held.items():
            [journal] = store.execute(_JOURNAL, (device_id,)).fetchone()
            rows = store.execute("SELECT first_seq, raw FROM blocks WHERE journal = ?", (journal,))
            stored = [(first_seq, hashlib.sha256(raw).digest()) for first_seq, raw in rows]
            wrong += len(stored) - len(dict(stored)) + len(dict(stored).items() ^ each.blocks.items())
            counted = store.execute("SELECT count(*) FROM readings WHERE journal = ?", (journal,))
            wrong += abs(counted.fetchone()[0] - each.records)
        return wrong + int(store.execute(_FINDINGS).fetchone()[0])


def _memory_mb(pid: int) -> tuple[float, float]:
    """(resident now, at its peak) of a process."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) / 1000, int(fields["VmHWM"].split()[0]) / 1000


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + _DEADLINE_S
    while not condition():
        if time.monotonic() > deadline_s:
            raise RuntimeError(f"{what}: not within {_DEADLINE_S:g} s")
        time.sleep(0.25)
