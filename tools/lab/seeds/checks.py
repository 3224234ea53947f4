"""What must hold after a life, and whenever its agent is dead: sentences for what does not."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from crs_core import codes
from crs_core.errors import CoreError
from littlefs import LittleFSError

from host_agent.errors import HostAgentError
from host_agent.store.alarm_changes import alarm_changes
from host_agent.store.db import Tx, open_read_only
from host_agent.store.host_alarms import host_alarms
from host_agent.store.journals import all_journals
from host_agent.store.outbox import deliveries
from host_agent.store.undelivered import undelivered
from host_agent.terminal import exits
from tools.lab.soak.verdict import judge
from tools.rig.image import read_image
from tools.rig.laptop import Laptop

if TYPE_CHECKING:
    from tools.lab.seeds.life import Life

_SAME_MOMENT_S = 0.5
_FINE = (exits.DONE, exits.NOT_RUNNING, exits.NO_DATA)


def broken_promises(record: Path, laptop: Laptop) -> Iterator[str]:
    """Acknowledgements that the store cannot keep, and a wearable that two links were in session with at once."""
    if not record.exists():
        return
    lines = [line.split() for line in record.read_text().splitlines()]
    cursors = laptop.read(_cursors) or {}
    acked: dict[str, int] = defaultdict(int)
    for words in lines:
        if words[0] == "ack":
            acked[words[1]] = max(acked[words[1]], int(words[2]))
    for journal, seq in acked.items():
        if seq > cursors.get(journal, 0):
            yield f"records up to {seq} were acknowledged and the store has them up to {cursors.get(journal, 0)}"
    yield from _two_owners(lines)


def _two_owners(lines: list[list[str]]) -> Iterator[str]:
    since: dict[str, tuple[str, float]] = {}  # link -> the wearable, from when
    told: set[str] = set()
    for words in lines:
        if words[0] == "ack":
            continue
        what, link, device, at = words
        owner = since.pop(link, None)
        if what == "open":
            since[link] = (device, float(at))
        elif owner is not None:
            for other, (device, other_since_s) in since.items():
                both_s = float(at) - max(owner[1], other_since_s)
                if device == owner[0] and both_s > _SAME_MOMENT_S and device not in told:
                    told.add(device)
                    yield f"two links, {Path(link).name} and {Path(other).name}, were in session with one wearable"


def _cursors(tx: Tx) -> dict[str, int]:
    return {journal.journal_id.hex(): journal.cursor for journal in all_journals(tx)}


def missing(life: "Life") -> str:
    """What has not come to rest yet, "" when all has."""
    cursors = life.laptop.read(_cursors) or {}
    for wearable, archive in zip(life.wearables, life.archives, strict=True):
        stored = cursors.get(archive.journal_id.hex(), 0)
        if stored < archive.must_have:
            return f"the store has {stored} of {archive.must_have} records of {wearable.name}"
    waiting = life.laptop.read(lambda tx: sum(one.state == "pending" for one in deliveries(tx)))
    if waiting:
        return f"{waiting} events wait"
    return next(iter(life.laptop.read(lambda tx: list(_untold(tx, life))) or []), "")


def at_the_end(life: "Life") -> Iterator[str]:
    """Everything, once all processes have ended."""
    for wearable, archive in zip(life.wearables, life.archives, strict=True):
        try:
            read_image(wearable.image)
            verdict = judge(archive, life.laptop.database)
        except (LittleFSError, CoreError, HostAgentError) as error:
            yield f"{wearable.name}: {type(error).__name__}: {error}"
            continue
        yield from verdict.losses + verdict.duplicates + verdict.misstated + verdict.content
    with closing(open_read_only(life.laptop.database)) as tx:
        yield from _alarms(tx)
        yield from _untold(tx, life)
    if life.receiver.refused:
        yield f"the receiver could not believe {len(life.receiver.refused)} requests: {life.receiver.refused[0]}"
    for words in (("verify",), ("audit", "verify"), ("history",), ("status",)):
        done = life.laptop.cytowatch(*words, check=False)
        if done.returncode not in _FINE:
            said = (done.stderr or done.stdout).strip().splitlines()
            yield f"cytowatch {' '.join(words)}: exit {done.returncode}: {said[-1] if said else ''}"


def _alarms(tx: Tx) -> Iterator[str]:
    """Every HIGH alarm of a patient became one event."""
    sent = {one.event_key for one in deliveries(tx)}
    for journal in all_journals(tx):
        if journal.binding is None:
            continue
        for change in alarm_changes(tx, journal.id):
            if change.priority != codes.PRIORITY_HIGH:
                continue
            part = f"{journal.journal_id.hex()}-"
            end = f"-{change.seq}-alarm-{change.alarm}"
            keys = [key for key in sent if part in key and key.endswith(end)]
            if len(keys) != 1:
                yield f"the HIGH alarm {change.alarm} of record {change.seq} has {len(keys)} events"


def _untold(tx: Tx, life: "Life") -> Iterator[str]:
    """HIGH alarms that stand, that nobody received, and of which no standing alarm says so.

    One that has ended and waits is sent late: `missing` waits for it. One that a receiver refused for good, and that
    then ended, is in `cytowatch deliveries` and nobody is called for it.
    """
    if any(alarm.alarm == codes.NOBODY_REACHED and alarm.ended_utc_ms is None for alarm in host_alarms(tx)):
        return
    received = {event["alarm"]["id"] for event in life.receiver.events.values() if event.get("alarm")}
    for one in undelivered(tx, life.laptop_utc_ms()):
        if one.priority == codes.PRIORITY_HIGH and one.stands and one.alarm not in received:
            yield f"the HIGH alarm {one.alarm} is {one.state}, and nobody is told: {one.last_error}"


def of_logs(folder: Path) -> Iterator[str]:
    """Tracebacks."""
    for log in sorted(folder.rglob("*.log")):
        text = log.read_text(errors="replace")
        if "Traceback (most recent call last)" in text:
            last = text[text.index("Traceback (most recent call last)") :].splitlines()
            error = next((line for line in last[1:] if line and not line.startswith(" ")), "")
            yield f"a traceback in {log.relative_to(folder)}: {error}"


def digest(life: "Life") -> str:
    """A hash of the journals, the store and the deliveries."""
    left = hashlib.sha256()
    for wearable in life.wearables:
        left.update(wearable.image.read_bytes())
    left.update(life.laptop.database.read_bytes())
    left.update(json.dumps(list(life.receiver.events.values())).encode())
    return left.hexdigest()
