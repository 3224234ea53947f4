"""The composition root: builds the parts, runs them in one task group, stops them in order.

State is in SQLite and on the wearable; a kill at any moment loses nothing. `run_agent` returns when asked to stop
(SIGTERM, SIGINT, the control socket) and raises HostAgentError when it cannot start.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import partial
from typing import Any

from crs_core.codes import NOT_UNDERSTOOD

from host_agent.agent_run import NO_AGES, AgentRun, system_start
from host_agent.agent_signals import answering
from host_agent.clock import Clock, RealClock, ScaledClock
from host_agent.config.model import Config
from host_agent.control.handlers import Commands
from host_agent.control.metrics import Metrics
from host_agent.control.parts import Parts
from host_agent.control.socket import ControlServer, Handler
from host_agent.errors import StoreError
from host_agent.escalation.acceptance.from_receiver import taker
from host_agent.escalation.acceptance.to_wearable import AcceptanceSender
from host_agent.escalation.checks.at_repl import AtReplCheck
from host_agent.escalation.checks.check import Check, CheckParts, Finding
from host_agent.escalation.checks.contact_steps import ContactStepsCheck
from host_agent.escalation.checks.contradicting_time import ContradictingTimeCheck
from host_agent.escalation.checks.heartbeat import heartbeat_of
from host_agent.escalation.checks.lapses import LapseCheck
from host_agent.escalation.checks.laptop import LaptopWatch
from host_agent.escalation.checks.nobody_reached import NobodyReachedCheck
from host_agent.escalation.checks.not_taken import NotTakenCheck
from host_agent.escalation.checks.prompts import PromptCheck
from host_agent.escalation.checks.record_overdue import RecordOverdueCheck
from host_agent.escalation.checks.repetitions import RepetitionCheck
from host_agent.escalation.checks.runner import CheckRunner
from host_agent.escalation.checks.silence import SilenceCheck
from host_agent.escalation.checks.silence_rules import Limits
from host_agent.escalation.checks.store_opens import StoreOpensCheck
from host_agent.escalation.contact.calling import calling_of
from host_agent.escalation.derive import Escalation
from host_agent.escalation.from_memory import MemoryAlarms
from host_agent.escalation.target import Target
from host_agent.escalation.words.reader import readers_of
from host_agent.escalation.words.wording import worder
from host_agent.fault_log import FaultLog
from host_agent.forward.workers import Workers, worker_of
from host_agent.kept_up import keep_up
from host_agent.keys.enrolled import EnrolledKeys
from host_agent.laptop import NO_LAPTOP, Laptop
from host_agent.link.serial import open_serial
from host_agent.link.supervisor import LinkReport
from host_agent.name_lookup import use_own_threads
from host_agent.paths import Paths
from host_agent.patient.binding_states import reconcile
from host_agent.people.rule_sending import known_rules
from host_agent.people.sender import ContextSender, Session
from host_agent.store.db import Store, Tx
from host_agent.store.devices import ensure_device_unheard
from host_agent.store.host_alarms import raise_alarm
from host_agent.store.retention import Retention
from host_agent.store.rows import Journal
from host_agent.sync.links import Links, OpenPort
from host_agent.sync.live import Hooks, LiveViews, View
from host_agent.sync.runner import SyncRunner
from host_agent.sync.timebase import stored_time
from host_agent.sync.unreached import UnreachedTeller
from host_agent.sync.verify import Verifier

_LOG = logging.getLogger(__name__)
_LINES_OF_A_WEARABLE = 200  # a traceback of its program has some dozen


PageJob = Callable[[Parts, dict[str, Handler]], Awaitable[None]]


class Agent:
    """One agent on one state folder."""

    def __init__(
        self,
        paths: Paths,
        config: Config,
        ports: Iterable[str] = (),
        speed: float = 1.0,
        open_port: OpenPort = open_serial,
        *,
        page: PageJob | None = None,
        laptop: Laptop = NO_LAPTOP,
    ) -> None:
        """`ports` come on top of the configured ones; `speed` other than 1 is for simulations only."""
        self._page = page
        self.paths = paths
        self.config = config
        self.link_clock: Clock = RealClock()
        self.clock: Clock = self.link_clock if speed == 1.0 else ScaledClock(speed)
        self.is_simulation = speed != 1.0
        self.keys = EnrolledKeys(paths.keys)
        self._stop = asyncio.Event()
        self._background: set[asyncio.Task[Any]] = set()
        self._faults = FaultLog(_LOG, self.link_clock)
        self._said = FaultLog(_LOG, self.link_clock, texts_per_subject=_LINES_OF_A_WEARABLE)
        self.run_note = AgentRun(paths.ensure_readable(), self.link_clock)
        try:
            self.store = Store(paths.database, self.clock, waits=True)
            readers = readers_of(config)
            try:
                self.workers = Workers(
                    [
                        worker_of(one, self.store, self.link_clock, worder(readers[one.name], self.clock))
                        for one in config.receivers
                    ]
                )
            except BaseException:
                self.store.close()
                raise
        except BaseException as error:
            self.run_note.ending(f"it could not start: {error}")
            self.run_note.end()
            raise
        self.verifier = Verifier()
        targets = [
            Target(worker.name, worker.accept_simulated, worker.name in config.reaching)
            for worker in self.workers
        ]
        system = "" if self.is_simulation else system_start()
        self.escalation = Escalation(
            targets, link_utc_ms=self.link_clock.utc_ms, agent_simulated=self.is_simulation, speed=speed,
            on_event=self.workers.wake_from_thread,
            calling=calling_of(config, targets, self.clock, system, self.link_clock.utc_ms),
        )  # fmt: skip
        self.laptop = LaptopWatch(laptop, self.link_clock, agent_simulated=self.is_simulation)
        self.memory_alarms = MemoryAlarms(
            self.store, self.escalation, self.clock, self.laptop.beside(self.workers.offer),
            agent_simulated=self.is_simulation,
        )  # fmt: skip
        with contextlib.suppress(StoreError):  # it is read when the store opens
            self.store.read_now(self._read_store)
        self.context_sender = ContextSender(
            self.store, self._bound_sessions, self.clock, self.link_clock, stored_time,
            before=NO_AGES if self.is_simulation else self.run_note.ages_before,
        )  # fmt: skip
        self.record_overdue = RecordOverdueCheck(
            self.store,
            self.link_clock,
            lambda *about: self._spawn(self.memory_alarms.unjournaled(*about)),
        )
        self.live = LiveViews(
            self.clock,
            Hooks(
                committed=self.workers.wake,
                opened=self._on_open,
                caught_up=self._on_caught_up,
                unstored=lambda *about: self._spawn(self.memory_alarms.unstored(*about)),
                unjournaled=lambda *about: self._spawn(self.memory_alarms.unjournaled(*about)),
                not_understood=lambda *about: self._spawn(self._not_understood(*about)),
                rang=self.record_overdue.rang,
            ),
            without_data_s=0.0 if self.is_simulation else self.run_note.without_data_s,
        )
        if not self.is_simulation:
            self.run_note.newest_data_s = self.live.newest_data_s
            self.run_note.waiting_ages = self.context_sender.waiting_ages
        self.links = Links(
            paths, config, ports, keys=self.keys, make_runner=self._make_runner, on_report=self._on_report,
            clock=self.link_clock, open_port=open_port,
        )  # fmt: skip
        self.unreached = UnreachedTeller(
            self.links.bound_devices, lambda: self.nobody_reached.sounding | self.contact_steps.sounding, self.clock
        )  # fmt: skip
        self.acceptances = AcceptanceSender(self.store, self.links.bound_clients, self.clock, self.link_clock)
        self.checks = self._checks(Limits(**config.watchdog.model_dump()).with_real_time_for_links(speed))

    def _checks(self, limits: Limits) -> CheckRunner:
        parts = CheckParts(self.store, self.escalation, self.clock, self.memory_alarms.finding)
        self.nobody_reached = NobodyReachedCheck(
            parts,
            self.config.reaching,
            self.link_clock,
            self.workers.undelivered,
            taken=self.workers.taken,
            address_again=self.escalation.address_again,
            retry_now=self.workers.retry_now,
            accept_within_ms=self.escalation.accept_within_ms,
        )
        self.contact_steps = ContactStepsCheck(parts, self.escalation)
        self.heartbeat = None if self.is_simulation else heartbeat_of(
            self.config.heartbeat, parts, limits, self.link_clock.utc_ms,
            heard=lambda: self.live.heard(self.keys()),
        )  # fmt: skip
        # a new check is one file in escalation/checks/ and one line here
        checks: list[Check] = [
            SilenceCheck(parts, limits, heard=lambda: self.live.heard(self.keys())),
            PromptCheck(parts),
            NotTakenCheck(parts, self.context_sender.refused_numbers),
            ContradictingTimeCheck(parts, said=self.live.said_now),
            AtReplCheck(parts, reports=self.links.reports.values, keys=self.keys),
            self.nobody_reached,
            self.record_overdue,
            LapseCheck(self.store, self.escalation, self.clock),
            RepetitionCheck(self.store, self.escalation, self.clock),
            StoreOpensCheck(parts, self.live.on_store, self._read_store),
            self.contact_steps,
            *self.laptop.checks(parts),
        ]
        runner = CheckRunner([*checks, *([self.heartbeat] if self.heartbeat else [])], self.clock)
        if self.heartbeat is not None:
            self.heartbeat.stuck = runner.stuck
        return runner

    def _read_store(self, tx: Tx) -> None:
        """What is kept in memory of the store."""
        self.verifier.rules_by_hash.update(known_rules(tx))
        self.memory_alarms.remember(tx)

    def _bound_sessions(self) -> list[Session]:
        return [Session(*found) for found in self.links.bound_clients()]

    def stop(self, why: str = "a program of this laptop stopped it") -> None:
        """Ask `run` to end; safe from a signal handler of the loop. `why` is told afterwards, by `status` for one."""
        self.run_note.ending(why)
        self.laptop.stopping(why)
        self._stop.set()

    async def run(self, on_ready: Callable[[], None] = lambda: None) -> None:
        """Until `stop`. Every part ends before this returns; the store is closed last."""
        use_own_threads(asyncio.get_running_loop())
        self.workers.use_loop(asyncio.get_running_loop())
        self.workers.take_replies(
            taker(self.store, self.clock, self.escalation.accepted, self.acceptances.wake, self.config.people)
        )
        parts = Parts(
            self.store, self.clock, self.keys, self.links, self.live, self.workers, self.verifier,
            self.context_sender, self.acceptances, self.escalation, self.stop, self.heartbeat,
            self.laptop,
        )  # fmt: skip
        handlers = Commands(parts).handlers()
        control = ControlServer(self.paths.socket, handlers, clock=self.link_clock)
        try:
            await control.try_start()
            async with asyncio.TaskGroup() as group:
                jobs = self.workers.jobs()
                jobs += [("checks", self.checks.run), ("links", partial(self.links.run, group))]
                jobs += [("context", self.context_sender.run), ("unreached", self.unreached.run)]
                jobs += [("acceptances", self.acceptances.run)]
                jobs += [("signs of life", self.run_note.keep_alive), ("control", control.keep_open)]
                jobs += self.laptop.jobs(self.checks.hanging)
                if (place := self.config.metrics.place) is not None:
                    jobs.append(("metrics", Metrics(parts, self.paths.database, place).run))
                if self._page is not None:
                    jobs.append(("page", partial(self._page, parts, handlers)))
                if keep_days := self.config.store.keep_days:
                    jobs.append(("retention", Retention(self.store, keep_days, self.clock).run))
                tasks = [
                    group.create_task(keep_up(name, job, self.link_clock, self._faults), name=name)
                    for name, job in jobs
                ]
                on_ready()
                self.laptop.ready()
                await self._stop.wait()
                _LOG.info("stopping")
                for task in [*tasks, *self.links.tasks.values()]:
                    task.cancel()
        except BaseException as error:
            self.run_note.ending(f"it failed: {type(error).__name__}: {error}")
            raise
        finally:
            await control.close()
            await self.workers.close()
            if self.heartbeat is not None:
                await self.heartbeat.stop(self.run_note.why)
            for task in list(self._background):
                task.cancel()
            await asyncio.gather(*self._background, return_exceptions=True)
            self.laptop.close()
            self.store.close()
            self.run_note.end()

    def _make_runner(self, name: str, only_device: bytes | None) -> SyncRunner:
        return SyncRunner(
            self.store,
            self.keys,
            board_clock=self.clock,
            derive=self.escalation,
            listener=self.live,
            verifier=self.verifier,
            link_clock=self.link_clock,
            only_device=only_device,
            on_text=lambda line: self._said.tell(name, f"{name} says: {line}", level=logging.INFO),
        )

    def _on_report(self, before: LinkReport | None, report: LinkReport) -> None:
        self.live.on_report(before, report)
        self.checks.look_now()

    def _on_open(self, view: View) -> None:
        self.context_sender.wake()
        self._spawn(self._remember_contacts())
        if view.journal is not None and view.status is not None:
            self._spawn(self._reconcile(view.journal, view.status.binding_id))

    def _on_caught_up(self) -> None:
        self.context_sender.wake()
        self.acceptances.wake()

    async def _remember_contacts(self) -> None:
        with contextlib.suppress(StoreError):
            await self.store.read(self.memory_alarms.remember)

    async def _not_understood(self, device_id: bytes, why: str, priority: int) -> None:
        now_ms = self.clock.utc_ms()

        def keep(tx: Tx) -> None:
            device = ensure_device_unheard(tx, device_id, now_ms)
            raise_alarm(
                tx, self.escalation, device=device, alarm=NOT_UNDERSTOOD, priority=priority,
                detail=f"a message: {why}", utc_ms=now_ms,
            )  # fmt: skip

        try:
            await self.store.write(keep)
        except StoreError:
            self.memory_alarms.finding(device_id, Finding(NOT_UNDERSTOOD, priority, f"a message: {why}"))

    async def _reconcile(self, journal: Journal, wearable_binding: bytes) -> None:
        with contextlib.suppress(StoreError):
            await self.store.write(
                lambda tx: reconcile(tx, journal.device, wearable_binding, self.clock.utc_ms())
            )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._faults.tell("background", f"internal error: {type(error).__name__}: {error}", error=error)


async def run_agent(agent: Agent, on_ready: Callable[[], None] = lambda: None) -> None:
    """Run until a signal of ENDING or the control socket's `stop`. The signals of GOING_ON are told in the log."""
    with answering(agent.stop):
        await agent.run(on_ready)
