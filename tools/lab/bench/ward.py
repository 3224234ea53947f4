"""A whole ward on one laptop: 64 wearables on one real `cytowatch run`, each with a backlog and a reading each second.

The wearables are light: the firmware's session, journal and pump without its application, all in one process, each on
its own terminal, with ten times as many readings as a real wearable. The time is from the start of the agent's process
until it has caught up with every wearable, including the search for each wearable's key among 64. Afterwards the
readings go on for 20 s, then the store is compared with every journal, block by block.
"""

import hashlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from crs_core.keys import Key

from host_agent.keys import keyfile
from host_agent.store.contents import contents
from host_agent.store.db import Store
from tools.lab.bench.measuring import Row
from tools.lab.bench.ward_end import Journaled, Plan, Wearables
from tools.rig.laptop import Laptop, device_key
from tools.rig.stored import bind_patient
from tools.rig.waiting import until

ROOT = Path(__file__).resolve().parents[3]
WEARABLES = 64
BACKLOG = 1440  # readings: four hours at 10 s
LIVE_S = 20.0
TARGET_MB = 200.0
_DEADLINE_S = 240.0


def rows() -> Iterator[Row]:
    plans = [_plan(n) for n in range(WEARABLES)]
    folder = tempfile.TemporaryDirectory(prefix="cytowatch-ward-")
    with folder as name, Wearables(Path(name), plans) as wearables:
        home = Path(name) / "home"
        laptop = _prepared(home, plans, wearables.paths)
        begun_s = time.monotonic()
        laptop.start(wearables.paths[0])
        try:
            until(lambda: _caught_up(laptop) == WEARABLES, _DEADLINE_S, f"{WEARABLES} wearables caught up")
            took_s = time.monotonic() - begun_s
            time.sleep(LIVE_S)
            wearables.quiet()
            time.sleep(1)
            journals = wearables.journals()
            records = sum(each.records for each in journals.values())
            until(lambda: laptop.readings() >= records, _DEADLINE_S, "all stored")
            assert laptop.agent is not None
            rss_mb, peak_mb = _memory_mb(laptop.agent.pid)
        finally:
            laptop.stop()
        wrong, lives = _differences(laptop, journals), sum(each.lives for each in journals.values())
    label = f"ward of {WEARABLES} wearables"
    figure = f"{rss_mb:.0f} MB resident, {peak_mb:.0f} MB at its peak"
    yield f"{label}, memory of the agent", figure, f"<= {TARGET_MB:g} MB", peak_mb <= TARGET_MB
    figure = f"{wrong} of {records:,} ({lives:,} live values at the same time)"
    yield f"{label}, records lost, doubled or changed", figure, "0", wrong == 0
    figure = f"{took_s:.1f} s from the agent's start, {WEARABLES * BACKLOG:,} readings of backlog"
    yield f"{label}, all caught up", figure, "no target", None


def _plan(n: int) -> Plan:
    key = Key(0x1000 + n, 1, hashlib.sha256(b"%d" % n).digest(), f"bed {n}")
    return Plan(b"WARD%04d" % n, key, b"BIND%04d" % n, BACKLOG)


def _prepared(home: Path, plans: list[Plan], ports: list[str]) -> Laptop:
    names = ", ".join(f'"{port}"' for port in ports[1:])
    laptop = Laptop(home, config=f"[serial]\nscan_usb = false\nports = [{names}]\n")
    for plan in plans:
        keyfile.save(laptop.paths.keys, device_key(plan.key, plan.device_id))
    with Store(laptop.database) as store:
        for plan in plans:
            store.write_now(lambda tx, plan=plan: bind_patient(tx, plan.device_id, plan.binding_id))  # type: ignore[misc]
    return laptop


def _caught_up(laptop: Laptop) -> int:
    return sum(bool(device["caught_up"]) for device in laptop.devices())


def _differences(laptop: Laptop, journals: dict[bytes, Journaled]) -> int:
    """How many blocks or records differ between the journals and the store, in either direction."""
    wrong = 0
    for each in journals.values():
        stored = laptop.read(lambda tx, each=each: contents(tx, each.journal_id))  # type: ignore[misc]
        assert stored is not None
        blocks = {first_seq: hashlib.sha256(raw).digest() for first_seq, raw in stored.blocks.items()}
        wrong += len(stored.twice) + len(blocks.items() ^ each.blocks.items())
        wrong += abs(len(stored.readings) - each.records)
    found = laptop.totals()
    return wrong + found.gaps + found.forks + found.disagreements


def _memory_mb(pid: int) -> tuple[float, float]:
    """(resident now, at its peak) of a process."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) / 1000, int(fields["VmHWM"].split()[0]) / 1000
