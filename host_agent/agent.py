"""The composition root: builds the parts, runs them in one task group, stops them in order.

State is in SQLite and on the wearable; a kill at any moment loses nothing. `run_agent` returns when asked to stop
(SIGTERM, SIGINT, the control socket) and raises HostAgentError when it cannot start.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from crs_core import codes
from crs_core.wire import message as wire

from host_agent.clock import Clock, RealClock, ScaledClock
from host_agent.config.model import Config
from host_agent.control.handlers import Commands
from host_agent.control.socket import ControlServer
from host_agent.errors import StoreError
from host_agent.escalation.derive import Escalation, Target
from host_agent.escalation.events import Event
from host_agent.escalation.moment import resolve_moment
from host_agent.escalation.prompt_watch import PromptWatch
from host_agent.escalation.urgent import from_memory, host_finding, unjournaled
from host_agent.escalation.watchdog import Finding, Limits
from host_agent.escalation.watchdog_runner import Heard, Watchdog, ensure_device_quietly
from host_agent.forward.base import Delivery, Forwarder
from host_agent.forward.secret import read_secret
from host_agent.forward.webhook import Webhook
from host_agent.forward.worker import Worker
from host_agent.keys import keyfile
from host_agent.keys.keyfile import DeviceKey
from host_agent.link.serial import open_serial
from host_agent.link.supervisor import LinkReport, LinkState
from host_agent.paths import Paths
from host_agent.patient.binding_rows import reconcile
from host_agent.people.rule_sending import known_rules
from host_agent.people.sender import ContextSender, Session
from host_agent.store.db import Store, Tx
from host_agent.store.host_alarms import end_alarm, raise_alarm
from host_agent.store.journals import NO_BINDING
from host_agent.store.records import IncomingBlock, IncomingGap
from host_agent.store.retention import Retention
from host_agent.store.rows import Journal
from host_agent.sync.links import Links, OpenPort
from host_agent.sync.live import Hooks, Monitor, View
from host_agent.sync.runner import SyncRunner
from host_agent.sync.verify import Verifier

_LOG = logging.getLogger(__name__)
_RESTART_S = 1.0


class Agent:
    """One agent on one state folder."""

    def __init__(
        self,
        paths: Paths,
        config: Config,
        ports: Iterable[str] = (),
        speed: float = 1.0,
        open_port: OpenPort = open_serial,
    ) -> None:
        """`ports` come on top of the configured ones; `speed` other than 1 is for simulations only."""
        self.paths = paths
        self.config = config
        self.link_clock: Clock = RealClock()
        self.clock: Clock = self.link_clock if speed == 1.0 else ScaledClock(speed)
        self.is_simulation = speed != 1.0
        self.key_errors: list[str] = []
        self._stop = asyncio.Event()
        self._background: set[asyncio.Task[Any]] = set()
        self.store = Store(paths.ensure().database, self.clock)
        try:
            self.workers = [self._worker(forwarder, hook) for forwarder, hook in self._forwarders()]
        except BaseException:
            self.store.close()
            raise
        self._loop: asyncio.AbstractEventLoop | None = None
        self.verifier = Verifier(self.store.read_now(known_rules))
        self.escalation = Escalation(
            [Target(hook.name, hook.accept_simulated) for hook in config.webhook],
            resolve=resolve_moment,
            link_utc_ms=self.link_clock.utc_ms,
            agent_simulated=self.is_simulation,
            on_event=self._wake_from_thread,
        )
        self.context_sender = ContextSender(
            self.store, self.escalation, self._bound_sessions, self.clock, self.link_clock
        )
        self.monitor = Monitor(
            self.clock,
            Hooks(self._wake, self._on_open, self._on_unstored, self._on_unjournaled),
        )
        self.links = Links(
            paths, config, ports, keys=self.keys, make_runner=self._make_runner, on_report=self._on_report,
            clock=self.link_clock, open_port=open_port,
        )  # fmt: skip
        self.watchdog = Watchdog(
            self.store,
            self.escalation,
            Limits(**config.watchdog.model_dump()).with_real_time_for_links(speed),
            self.clock,
            heard=self._heard,
            resolve=resolve_moment,
            from_memory=self._finding_from_memory,
        )
        self.prompts = PromptWatch(
            self.store,
            self.escalation,
            self.clock,
            resolve=resolve_moment,
            from_memory=self._finding_from_memory,
        )

    def keys(self) -> Mapping[bytes, DeviceKey]:
        """The enrolled wearables, read anew each time: an enrolment counts at once."""
        found, errors = keyfile.load_all(self.paths.keys)
        texts = [f"{error} {error.advice}" for error in errors]
        if texts != self.key_errors:
            self.key_errors = texts
            for text in texts:
                _LOG.error("key file left out: %s", text)
        return found

    def stop(self) -> None:
        """Ask `run` to end; safe from a signal handler of the loop."""
        self._stop.set()

    async def run(self, on_ready: Callable[[], None] = lambda: None) -> None:
        """Until `stop`. Every part ends before this returns; the store is closed last."""
        self._loop = asyncio.get_running_loop()
        control = ControlServer(self.paths.socket, Commands(self).handlers())
        try:
            await control.start()
            async with asyncio.TaskGroup() as group:
                jobs = [(f"target {worker.name}", worker.run) for worker in self.workers]
                jobs += [("watchdog", self.watchdog.run), ("links", partial(self.links.run, group))]
                jobs += [("context", self.context_sender.run), ("prompts", self.prompts.run)]
                if keep_days := self.config.store.keep_days:
                    jobs.append(("retention", Retention(self.store, keep_days, self.clock).run))
                tasks = [group.create_task(self._keep_up(name, job), name=name) for name, job in jobs]
                on_ready()
                await self._stop.wait()
                _LOG.info("stopping")
                for task in [*tasks, *self.links.tasks.values()]:
                    task.cancel()
        finally:
            await control.close()
            for worker in self.workers:
                await worker.close()
            for task in list(self._background):
                task.cancel()
            await asyncio.gather(*self._background, return_exceptions=True)
            self.store.close()

    # -- links -----------------------------------------------------------------------------------------------------

    async def _keep_up(self, name: str, job: Callable[[], Awaitable[None]]) -> None:
        """A bug in one part must not end the others, nor that part: it is logged and started again."""
        while True:
            try:
                await job()
            except Exception:
                _LOG.exception("internal error in %s; it starts again", name)
                await self.link_clock.sleep(_RESTART_S)

    def _make_runner(self, name: str, only_device: bytes | None) -> SyncRunner:
        return SyncRunner(
            self.store,
            self.keys,
            board_clock=self.clock,
            derive=self.escalation,
            listener=self.monitor,
            verifier=self.verifier,
            link_clock=self.link_clock,
            only_device=only_device,
            on_text=lambda line: _LOG.info("%s says: %s", name, line),
        )

    def _on_report(self, before: LinkReport | None, report: LinkReport) -> None:
        self.monitor.on_report(before, report)
        at_repl = report.state == LinkState.AT_REPL
        was_at_repl = before is not None and before.state == LinkState.AT_REPL
        if (at_repl and not was_at_repl) or report.state == LinkState.OPEN:
            self._spawn(self._note_repl(report, at_repl))

    async def _note_repl(self, report: LinkReport, at_repl: bool) -> None:
        """A board without a running application monitors nobody: HIGH, until a session opens again."""
        enrolled = list(self.keys())
        device_id = report.device_id or (enrolled[0] if len(enrolled) == 1 else None)

        def keep(tx: Tx) -> None:
            now_ms = self.clock.utc_ms()
            device = ensure_device_quietly(tx, device_id, now_ms) if device_id else None
            if at_repl:
                raise_alarm(
                    tx, self.escalation, device=device, alarm=codes.DEVICE_AT_REPL,
                    priority=codes.PRIORITY_HIGH, detail=f"on {report.port}", utc_ms=now_ms,
                )  # fmt: skip
            else:
                for where in {device, None}:
                    end_alarm(tx, self.escalation, device=where, alarm=codes.DEVICE_AT_REPL, utc_ms=now_ms)

        with contextlib.suppress(StoreError):
            await self.store.write(keep)

    # -- what the monitor hears ------------------------------------------------------------------------------------

    def _heard(self) -> Mapping[bytes, Heard]:
        views = self.monitor.views
        return {
            device_id: Heard(views[device_id].live_s, views[device_id].has_data)
            if device_id in views
            else Heard(None, False)
            for device_id in self.keys()
        }

    def _bound_sessions(self) -> list[Session]:
        """Wearables that are in session and bound here."""
        engines = [runner.engine for runner in self.links.runners.values()]
        return [
            Session(engine.journal.binding, engine.client)
            for engine in engines
            if engine is not None and engine.journal is not None and engine.journal.binding is not None
        ]

    def _on_open(self, view: View) -> None:
        self.context_sender.wake()
        if view.journal is not None and view.status is not None:
            self._spawn(self._reconcile(view.journal, view.status.binding_id))

    async def _reconcile(self, journal: Journal, wearable_binding: bytes) -> None:
        with contextlib.suppress(StoreError):
            await self.store.write(
                lambda tx: reconcile(tx, journal.device, wearable_binding, self.clock.utc_ms())
            )

    def _on_unstored(
        self, journal: Journal, items: Sequence[IncomingBlock | IncomingGap], error: StoreError
    ) -> None:
        self._spawn(self._alarm_from_memory(journal, items, error))

    async def _alarm_from_memory(
        self, journal: Journal, items: Sequence[IncomingBlock | IncomingGap], error: StoreError
    ) -> None:
        now_ms = self.clock.utc_ms()
        for event in await from_memory(self.store, journal, items, resolve_moment, now_ms):
            self._offer(event)
        finding = Finding(codes.STORE_FAULT, codes.PRIORITY_HIGH, str(error))
        self._offer(
            host_finding(None, finding, simulated=self.is_simulation, utc_ms=now_ms, run=self._run_key())
        )

    def _on_unjournaled(self, view: View, doorbell: Any) -> None:
        if view.journal is not None and view.status is not None and view.status.binding_id != NO_BINDING:
            self._spawn(self._alarm_unjournaled(view.journal, view.status, doorbell))

    async def _alarm_unjournaled(self, journal: Journal, status: Any, doorbell: Any) -> None:
        events = await unjournaled(
            self.store, journal, status.boot, doorbell,
            simulated=bool(status.flags & wire.STATUS_SIMULATED), resolve=resolve_moment,
            utc_ms=self.clock.utc_ms(),
        )  # fmt: skip

        def post_all(tx: Tx) -> None:
            for event in events:
                self.escalation.post(tx, event, None)

        try:
            await self.store.write(post_all)
        except StoreError:
            for event in events:
                self._offer(event)

    def _finding_from_memory(self, device_id: bytes, finding: Finding) -> None:
        now_ms = self.clock.utc_ms()
        self._offer(
            host_finding(device_id, finding, simulated=self.is_simulation, utc_ms=now_ms, run=self._run_key())
        )

    def _run_key(self) -> str:
        return f"{self.watchdog.started_utc_ms}"

    # -- deliveries ------------------------------------------------------------------------------------------------

    def _offer(self, event: Event) -> None:
        for worker in self.workers:
            if not event.simulated or worker.accept_simulated:
                worker.offer(event.priority, Delivery(event.key, event.payload.encode()))

    def _wake(self) -> None:
        for worker in self.workers:
            worker.wake()

    def _wake_from_thread(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("internal error: %s: %s", type(error).__name__, error)

    def _forwarders(self) -> list[tuple[Forwarder, Any]]:
        # a new kind of receiver is one file in forward/ and one line here
        return [
            (
                Webhook(
                    hook.name, hook.url, read_secret(hook), timeout_s=hook.timeout_s,
                    accept_simulated=hook.accept_simulated, utc_ms=self.link_clock.utc_ms,
                ),
                hook,
            )
            for hook in self.config.webhook
        ]  # fmt: skip

    def _worker(self, forwarder: Forwarder, hook: Any) -> Worker:
        return Worker(
            self.store, forwarder, retry_first_s=hook.retry_first_s, retry_cap_s=hook.retry_cap_s,
            clock=self.link_clock,
        )  # fmt: skip


async def run_agent(agent: Agent, on_ready: Callable[[], None] = lambda: None) -> None:
    """Run until SIGINT, SIGTERM or the control socket's `stop`."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, agent.stop)
    try:
        await agent.run(on_ready)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
