"""Figures about the running agent, as Prometheus reads them. No label names a patient, a person or a place.

A wearable is named by the first eight characters of its id, which are drawn at random. Figures of a store that cannot
be read are left out, and `cytowatch_store_ok` is 0: a figure that is missing is never shown as it was before.
"""

import asyncio
import logging
import shutil
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from crs_core import code_texts, codes

from host_agent.config.metrics import Place
from host_agent.control.parts import Parts
from host_agent.errors import ConfigError, StoreError
from host_agent.escalation.checks.silence_facts import newest_reading
from host_agent.store.acceptances import Standing, standing_episodes
from host_agent.store.counters import counters
from host_agent.store.db import Tx
from host_agent.store.devices import devices
from host_agent.store.figures import Queue, events_made, queues, records_missing
from host_agent.sync.live import View

if TYPE_CHECKING:
    from prometheus_client import Metric

_LOG = logging.getLogger(__name__)
_ANSWER_S = 10.0
_NAME_CHARS = 8


class Stored(NamedTuple):
    """What the store says, in one snapshot; `bounds_ms`: how far off the time of a wearable's newest reading may be."""

    queues: list[Queue]
    events: int
    missing: dict[int, int]
    counters: dict[str, int]
    standing: list[Standing]
    bounds_ms: dict[bytes, int]


class Metrics:
    """`parts` of the running agent, `database` its file. `run` serves them; `collect` is for the library."""

    def __init__(self, parts: Parts, database: Path, place: Place) -> None:
        """ConfigError when the library is not installed."""
        try:
            import prometheus_client  # noqa: F401, PLC0415 most laptops have nobody who asks
        except ImportError:
            raise ConfigError(
                "metrics.listen: prometheus-client is not installed.",
                "Type: pip install 'cytowatch[metrics]'",
            ) from None
        self._parts, self._database, self._place = parts, database, place
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Answer until cancelled. A place that is taken is logged, and tried again by whoever keeps this running."""
        from prometheus_client import CollectorRegistry, start_http_server  # noqa: PLC0415

        self._loop = asyncio.get_running_loop()
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        try:
            server, thread = start_http_server(self._place.port, self._place.host, registry)
        except OSError as error:
            _LOG.warning("nobody can read metrics at %s:%d: %s", *self._place, error.strerror or error)
            return
        _LOG.info("metrics at http://%s:%d/metrics", *self._place)
        try:
            await asyncio.Event().wait()
        finally:
            # a request that is answered needs this loop
            await asyncio.to_thread(server.shutdown)
            server.server_close()
            thread.join(_ANSWER_S)

    def describe(self) -> Iterable["Metric"]:
        """None before the first request: they need the agent's loop."""
        return ()

    def collect(self) -> Iterator["Metric"]:
        """Called in a thread of the server; a loop that hangs makes the request fail, which is the truth."""
        assert self._loop is not None
        yield from asyncio.run_coroutine_threadsafe(self.figures(), self._loop).result(_ANSWER_S)

    async def figures(self) -> list["Metric"]:
        """Everything, now."""
        parts = self._parts
        stored: Stored | None = None
        try:
            async with asyncio.timeout(_ANSWER_S / 2):
                stored = await parts.store.read(partial(_stored, now_ms=parts.clock.utc_ms()))
        except (StoreError, TimeoutError):
            pass
        made = [*self._agent(stored is not None), *self._wearables(), *self._receivers()]
        return [*made, *(_of_store(stored, parts.clock.utc_ms()) if stored is not None else ())]

    def _agent(self, store_is_read: bool) -> Iterator["Metric"]:
        parts = self._parts
        yield _gauge("simulation", "1 in a simulation", [({}, int(parts.clock.speed != 1.0))])
        is_ok = store_is_read and parts.live.store_error is None
        yield _gauge("store_ok", "1 while the store is read and takes writes", [({}, int(is_ok))])
        files = [self._database, self._database.with_name(self._database.name + "-wal")]
        sizes = [one.stat().st_size for one in files if one.exists()]
        yield _gauge("store_bytes", "size of the store with its log", [({}, sum(sizes))])
        free = shutil.disk_usage(self._database.parent).free
        yield _gauge("disk_free_bytes", "free where the store lies", [({}, free)])
        if parts.heartbeat is not None:
            state = parts.heartbeat.values()
            age_s: list[tuple[dict[str, str], float]] = (
                [({}, state["heard_age_s"])] if state["heard_age_s"] is not None else []
            )
            yield _gauge("heartbeat_age_seconds", "since the watcher outside heard the agent", age_s)
            is_well = not state["why_not"] and not state["error"]
            yield _gauge("heartbeat_ok", "1 while signs of life are sent and taken", [({}, int(is_well))])

    def _wearables(self) -> Iterator["Metric"]:
        live, now_s = self._parts.live, self._parts.clock.monotonic()
        views = [live.view(device_id) for device_id in sorted({*self._parts.keys(), *live.views})]

        def each(values: Iterable[tuple[View, float | None]]) -> list[tuple[dict[str, str], float]]:
            return [
                ({"wearable": _name(view.device_id)}, value) for view, value in values if value is not None
            ]

        ages = [
            (one, now_s - (live.data_before_s if one.stored_s is None else one.stored_s)) for one in views
        ]
        yield _gauge(
            "newest_reading_age_seconds", "since a reading of the wearable was last stored", each(ages)
        )
        lives = [(one, None if one.live_s is None else now_s - one.live_s) for one in views]
        yield _gauge("live_age_seconds", "since its live values last moved", each(lives))
        synced = [(one, int(one.is_caught_up)) for one in views]
        yield _gauge("synced", "1 while it is in session and all it has is here", each(synced))

    def _receivers(self) -> Iterator["Metric"]:
        workers = list(self._parts.workers)
        outcomes = [
            ({"receiver": one.name, "outcome": outcome}, number)
            for one in workers
            for outcome, number in one.counters._asdict().items()
        ]
        yield _counter(
            "delivery_attempts", "attempts since the agent started, by what came of them", outcomes
        )
        failing = [({"receiver": one.name}, int(bool(one.last_error))) for one in workers]
        yield _gauge("receiver_failing", "1 when the last attempt failed", failing)
        unsaved = [({"receiver": one.name}, len(one.undelivered())) for one in workers]
        yield _gauge("deliveries_in_memory", "not delivered, and in no store", unsaved)


def _stored(tx: Tx, now_ms: int) -> Stored:
    newest = {one.device_id: newest_reading(tx, one.id) for one in devices(tx)}
    bounds_ms = {device_id: found[1] for device_id, found in newest.items() if found is not None}
    standing = standing_episodes(tx, now_ms)
    return Stored(queues(tx), events_made(tx), records_missing(tx), counters(tx), standing, bounds_ms)


def _of_store(stored: Stored, now_ms: int) -> Iterator["Metric"]:
    found = [({"receiver": one.target, "state": one.state}, one.number) for one in stored.queues]
    yield _gauge("deliveries", "messages by receiver and what became of them", found)
    oldest = [
        ({"receiver": one.target}, max(0.0, (now_ms - one.oldest_utc_ms) / 1000))
        for one in stored.queues
        if one.state == "pending"
    ]
    yield _gauge("delivery_oldest_age_seconds", "age of the oldest message that waits", oldest)
    yield _counter("messages", "different messages that were ever made", [({}, stored.events)])
    standing = {(name, taken): 0 for name in codes.PRIORITY_NAMES[1:] for taken in ("yes", "no")}
    for one in stored.standing:
        standing[codes.PRIORITY_NAMES[one.priority], "yes" if one.state == "accepted" else "no"] += 1
    alarms = [({"priority": name, "accepted": taken}, number) for (name, taken), number in standing.items()]
    yield _gauge("alarms", "alarms that stand", alarms)
    bounds = [({"wearable": _name(device_id)}, ms / 1000) for device_id, ms in stored.bounds_ms.items()]
    yield _gauge("clock_error_seconds", "by how much the time of its newest reading may be off", bounds)
    missing = [
        ({"reason": code_texts.GAP_TEXTS.get(reason, str(reason))}, number)
        for reason, number in stored.missing.items()
    ]
    yield _counter("records_missing", "records that wearables said they cannot give", missing)
    yield _counter(
        "counted", "counters of the store", [({"name": name}, one) for name, one in stored.counters.items()]
    )


def _name(device_id: bytes) -> str:
    return device_id.hex()[:_NAME_CHARS]


def _gauge(name: str, help_: str, samples: Iterable[tuple[dict[str, str], float]]) -> "Metric":
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415

    return _filled(GaugeMetricFamily, name, help_, samples)


def _counter(name: str, help_: str, samples: Iterable[tuple[dict[str, str], float]]) -> "Metric":
    from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415

    return _filled(CounterMetricFamily, name, help_, samples)


def _filled(kind: Any, name: str, help_: str, samples: Iterable[tuple[dict[str, str], float]]) -> "Metric":
    rows = list(samples)
    labels = list(rows[0][0]) if rows else []
    family: Metric = kind(f"cytowatch_{name}", help_, labels=labels)
    for values, number in rows:
        family.add_metric(list(values.values()), number)  # type: ignore[attr-defined]
    return family
