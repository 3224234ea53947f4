"""What the page costs the laptop: time and bytes for one patient with a fortnight of readings, and for a ward of 64."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from crs_core import units
from crs_core.journal import block_writer

from host_agent.clock import RealClock
from host_agent.paths import Paths
from host_agent.store.bindings import open_bindings
from host_agent.store.coverage import Coverage
from host_agent.store.db import Store, Tx
from host_agent.store.devices import ensure_device
from host_agent.store.insertion import Insertion
from host_agent.store.journals import open_journal
from host_agent.store.time_marks import Mark, keep_mark
from host_agent.sync.intake import unpack
from host_agent.views.page import page_state
from host_agent.views.trend import SPANS_H, trend
from host_agent.web.frame import Frame
from host_agent.web.signing_in import SigningIn
from tools.lab.bench.measuring import Row
from tools.rig.stored import bind_patient

_FORTNIGHT = 14 * 8640
_WARD = 64
_ONE_MS, _WARD_MS, _ONE_KB = 50.0, 200.0, 150.0
_STATUS = units.make_status(units.SITE_AXILLA, units.TEMP_VALID, units.PPG_VALID, units.WEAR_WORN)
_TIMES = 9


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        for wearables, target_ms in ((1, _ONE_MS), (_WARD, _WARD_MS)):
            path = Path(name) / f"{wearables}.db"
            now_ms = _filled(path, wearables)
            with Store(path) as store:
                yield from _page_rows(store, Path(name), wearables, target_ms, now_ms)
                if wearables == 1:
                    yield from _trend_rows(store, now_ms)


def _page_rows(store: Store, folder: Path, wearables: int, target_ms: float, now_ms: int) -> Iterator[Row]:
    frame = Frame(SigningIn(Paths(folder).accounts, RealClock(), 600.0), "boot", "bench")
    live = {"devices": [], "store_error": None}
    pieces: dict[str, str] = {}

    def page() -> None:
        state = store.read_now(lambda tx: page_state(tx, {}, now_ms, live))
        for piece in ("headline", "alarms", "wearables", "told"):
            pieces[piece] = frame.render(f"_{piece}.html", state)

    took_ms = _typical_ms(page)
    size_kb = sum(len(html.encode()) for html in pieces.values()) / 1000
    label = "page of one patient, 14 days" if wearables == 1 else f"page of {wearables} patients"
    yield f"{label}, server time", f"{took_ms:.1f} ms", f"<= {target_ms:g} ms", took_ms <= target_ms
    if wearables == 1:
        yield f"{label}, bytes", f"{size_kb:.1f} kB", f"<= {_ONE_KB:g} kB", size_kb <= _ONE_KB


def _trend_rows(store: Store, now_ms: int) -> Iterator[Row]:
    bound = store.read_now(open_bindings)[0]
    for span in SPANS_H:
        found: dict[str, Any] = {}

        def read(span: str = span, found: dict[str, Any] = found) -> None:
            found.update(store.read_now(lambda tx: trend(tx, bound, span, now_ms)))

        took_ms = _typical_ms(read)
        size_kb = len(json.dumps(found["columns"])) / 1000
        yield (
            f"course over {span}, server time",
            f"{took_ms:.1f} ms",
            f"<= {_ONE_MS:g} ms",
            took_ms <= _ONE_MS,
        )
        yield f"course over {span}, bytes", f"{size_kb:.1f} kB", f"<= {_ONE_KB:g} kB", size_kb <= _ONE_KB


def _typical_ms(work: Callable[[], None]) -> float:
    taken = []
    for _ in range(_TIMES):
        start_s = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start_s) * 1000)
    return sorted(taken)[_TIMES // 2]


def _filled(path: Path, wearables: int) -> int:
    """A store with so many patients, the first with a fortnight of readings; returns the time of the newest, UTC ms."""
    last_ms = 10_000 * _FORTNIGHT
    now_ms = 1_800_000_000_000
    with Store(path) as store:
        for number in range(wearables):
            count = _FORTNIGHT if number == 0 else 60
            store.write_now(lambda tx, number=number, count=count: _one(tx, number, count, last_ms, now_ms))  # type: ignore[misc]
    return now_ms + 2000


def _one(tx: Tx, number: int, count: int, last_ms: int, now_ms: int) -> None:
    device_id, journal_id, binding_id = (b"%s%05d" % (kind, number) for kind in (b"DEV", b"JRN", b"BND"))
    bind_patient(tx, device_id, binding_id)
    device = ensure_device(tx, device_id, now_ms)
    journal = open_journal(tx, device, journal_id, binding_id, now_ms).journal
    insertion = Insertion(tx, journal, Coverage(), now_ms)
    for first in range(0, count, 60):
        readings = [
            units.Reading(
                last_ms - 10_000 * (count - 1 - at), 3700 + at % 90, 960 + at % 30, 80, 150, _STATUS
            )
            for at in range(first, min(first + 60, count))
        ]
        raw = block_writer.encode_readings(journal_id, 1, first + 1, readings)
        for item in unpack(SimpleNamespace(data=raw), journal_id, {}):
            insertion.block(item)  # type: ignore[arg-type]
    insertion.finish()
    keep_mark(tx, device, Mark(1, last_ms, now_ms, 20), "journal")
