"""One short life: wearables, an agent and a receiver in simulated time, what the seed does to them, and the faults.

Every life begins where one beginning ended (`Beginning`): wearables in service, a patient bound to the first, all of
it stored. What a life finds is a list of sentences; none is a life without a fault.
"""

import contextlib
import resource
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from heapq import heappop, heappush
from pathlib import Path
from typing import NamedTuple

from crs_core.keys import ROLE_CUSTODIAN, Key

from host_agent.control import socket as control
from host_agent.errors import HostAgentError
from host_agent.keys import keyfile
from tools.conductor.conductor import UTC_START_MS, Conductor
from tools.conductor.errors import ConductorError, NotInTimeError
from tools.conductor.process_random import drawn_from
from tools.lab.seeds import checks, inside
from tools.lab.seeds.harms import HARMS
from tools.lab.seeds.plan import Plan, Planned, planned, write_patient
from tools.lab.seeds.receiver import MoodyReceiver
from tools.lab.soak.archive import Archive
from tools.rig.image import DEVICE_ID, SETTINGS, build_image
from tools.rig.laptop import CABLE_ONLY, Laptop, device_key
from tools.rig.waiting import under, until
from tools.rig.wearable import Wearable, WearableError

SPEED = 30
_KEYS = tuple(Key(n, ROLE_CUSTODIAN, bytes([n]) * 32, "bedside") for n in (1, 2))
_DEVICE_IDS = (DEVICE_ID, bytes.fromhex("c1770a7c8ed00002"))
_EACH_SECOND = {**SETTINGS, "reading_interval_s": "1"}
_SHARED = b"seven wet stones under grey water"
_BEGIN_S = 60.0
_END_S = 40.0
_STOP_S = 30.0
_LOOK_S = 0.25


class Left(NamedTuple):
    """What a life left. `digest`: of journal, store and deliveries. `counts`: harms done, by kind."""

    plan: Plan
    faults: list[str]
    digest: str
    counts: Counter[str]


def _wearable(folder: Path, number: int, scenario: Path, *options: str) -> Wearable:
    home = folder / f"wearable{number}"
    return Wearable(
        home, "--chip", str(number), *options, scenario=scenario, speed=SPEED, name=f"wearable{number}"
    )


class Beginning:
    """The state in which every life begins, made once in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for number, (key, device_id) in enumerate(zip(_KEYS, _DEVICE_IDS, strict=True)):
            (folder / f"wearable{number}").mkdir(parents=True)
            build_image(
                folder / f"wearable{number}" / "flash.img", binding_id=None, keys=(key,), device_id=device_id,
                settings=_EACH_SECOND,
            )  # fmt: skip
        (folder / "secret").write_bytes(_SHARED)
        (folder / "secret").chmod(0o600)
        laptop = Laptop(folder / "bedside", config=CABLE_ONLY)
        laptop.enrol(_KEYS[0])
        scenario = write_patient(folder / "patient.toml", 0)
        with Conductor(seed=0) as time, under(time), _wearable(folder, 0, scenario) as wearable:
            laptop.start(str(wearable.link), SPEED)
            try:
                until(laptop.caught_up, _BEGIN_S, "the first session")
                laptop.cytowatch("patient", "start", "--age-years", "54")
                until(
                    lambda: laptop.caught_up() and laptop.readings() > 0, _BEGIN_S, "readings of the patient"
                )
            finally:
                laptop.stop()
            self.utc_ms = time.utc_ms() + 1


class Life:
    """One life in `folder`. `changes` go to the agent (`run_cytowatch --with`)."""

    def __init__(self, folder: Path, beginning: Beginning, plan: Plan, changes: Iterable[str] = ()) -> None:
        self.folder, self.plan = folder, plan
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        self._changes = tuple(changes)
        self._beginning = beginning
        shutil.copytree(beginning.folder, folder, symlinks=True)
        scenario = write_patient(folder / "patient.toml", plan.seed)
        self.wearables = [_wearable(folder, number, scenario) for number in range(plan.wearables)]
        self.archives = [Archive() for _ in self.wearables]
        self.laptop = Laptop(folder / "bedside")
        if plan.wearables == 2:
            keyfile.save(self.laptop.paths.keys, device_key(_KEYS[1], _DEVICE_IDS[1]))
        self._record = folder / "record"
        self._clock = folder / "clock"
        self._other_name = folder / "other-name"
        self._offset_ms = 0
        self.step_clock(0)
        self._agenda: list[tuple[float, int, Callable[[], object]]] = []
        self._count = 0
        self._may_die = False
        self._is_suspended = False

    def run(self) -> Left:
        """Live it, and look at what it left."""
        plan = self.plan
        with contextlib.ExitStack() as stack:
            stack.enter_context(drawn_from(f"life {plan.seed}"))
            self.time = stack.enter_context(Conductor(plan.seed, utc_start_ms=self._beginning.utc_ms))
            stack.enter_context(under(self.time))
            self.receiver = MoodyReceiver(_SHARED, self._utc_s)
            stack.callback(self.receiver.close)
            self._configure()
            self.time.watch(self.receiver.quiet)
            try:
                for wearable in self.wearables:
                    stack.callback(wearable.stop)
                    wearable.start()
                    if plan.noise_per_million:
                        wearable.control("fault", what="noise", per_million=plan.noise_per_million)
                stack.callback(self._stop_agent)
                self.start_agent()
                self._live()
                self._end()
            except (ConductorError, NotInTimeError, WearableError, AssertionError) as error:
                self.fault(f"{type(error).__name__}: {str(error).splitlines()[0]}")
        self.faults += checks.of_logs(self.folder)
        return Left(plan, self.faults, checks.digest(self), self.counts)

    def fault(self, text: str) -> None:
        """Something that must not be."""
        if text not in self.faults:
            self.faults.append(text)

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something after so many seconds of the axis."""
        self._count += 1
        heappush(self._agenda, (self.time.now_s() + seconds, self._count, action))

    # -- time ------------------------------------------------------------------------------------------------------

    def _live(self) -> None:
        for event in self.plan.events:
            self.later(event.at_s, partial(self._do, event))
        if self.plan.name_comes_s is not None:
            self.later(self.plan.name_comes_s, self._name_again)
        self._pass_until(self.plan.length_s)
        while self._agenda:
            self._pass_until(self._agenda[0][0])

    def _name_again(self) -> None:
        """The system gives the cable a second name, as it does some time after the first."""
        self._other_name.symlink_to(self.wearables[0].link)

    def _do(self, event: Planned) -> None:
        self.counts[event.kind] += 1
        for archive, wearable in zip(self.archives, self.wearables, strict=True):
            archive.look(wearable.image)
        HARMS[event.kind].do(self, event.chance)

    def _pass_until(self, at_s: float) -> None:
        """Let time pass, do what is due, and look after the agent."""
        while True:
            due_s = min(at_s, self._agenda[0][0]) if self._agenda else at_s
            left_s = due_s - self.time.now_s()
            if left_s > 0:
                with contextlib.suppress(NotInTimeError):
                    self.time.until_gone(
                        self.laptop.agent_name, left_s
                    ) if self.laptop.agent else self.time.pass_s(left_s)
            self._look_after_agent()
            while self._agenda and self._agenda[0][0] <= self.time.now_s() + 5e-7:
                heappop(self._agenda)[2]()
            if self.time.now_s() + 5e-7 >= at_s:
                return

    def _look_after_agent(self) -> None:
        if self.laptop.agent is None or self.time.is_here(self.laptop.agent_name):
            return
        code = self.laptop.agent.wait(_STOP_S)
        self.laptop.agent = None
        self.check_promises()
        if not (self._may_die and code == -signal.SIGKILL):
            self.fault(f"the agent ended by itself, exit {code}")
        self.later(0.0, self.start_agent)

    def _end(self) -> None:
        """Everything works again; all that the wearables numbered goes to the store, all alarms to the receiver."""
        self.receiver.recover()
        self.wake_agent()
        for wearable in self.wearables:
            wearable.control("heal")
        for archive, wearable in zip(self.archives, self.wearables, strict=True):
            archive.look(wearable.image)
            archive.must_have = archive.head
        deadline_s = self.time.now_s() + _END_S
        while missing := checks.missing(self):
            if self.time.now_s() > deadline_s:
                self.fault(f"{_END_S:g} s after the last harm {missing}")
                break
            self._pass_until(self.time.now_s() + _LOOK_S)
        self.end_agent()
        for archive, wearable in zip(self.archives, self.wearables, strict=True):
            wearable.stop()
            archive.look(wearable.image)
        self.faults += checks.at_the_end(self)

    # -- the laptop ------------------------------------------------------------------------------------------------

    def start_agent(self, kill_at: int = 0) -> None:
        """Start the agent, if there is none; `kill_at`: the edge at which it is killed, 0: at none."""
        if self.laptop.agent is not None:
            return
        plan = self.plan
        changes = [f"{inside.__name__}:record:{self._record}", f"{inside.__name__}:clock:{self._clock}"]
        if plan.jitter_us:
            changes.append(f"{inside.__name__}:jitter:{plan.jitter_us}")
        changes += self._changes
        self.laptop.agent_options = [word for change in changes for word in ("--with", change)]
        if kill_at:
            self.laptop.agent_options += ["--kill-at", str(kill_at)]
        self._may_die = bool(kill_at)
        ports = [str(wearable.link) for wearable in self.wearables]
        if plan.name_comes_s is not None:
            ports.append(str(self._other_name))
        self.laptop.start(ports[0], SPEED, ports[1:])

    def kill_agent(self) -> None:
        """Kill -9, if there is one."""
        self._stop_agent()

    def _stop_agent(self) -> None:
        if self.laptop.agent is None:
            return
        self._is_suspended = False
        with contextlib.suppress(ConductorError):
            self.time.pass_s(0)  # it is where it can be: in nobody's turn
        self.laptop.stop(signal.SIGKILL)
        self._let_go_of_agent()
        self.check_promises()

    def _let_go_of_agent(self) -> None:
        """Its sockets are closed before anybody goes on."""
        with contextlib.suppress(ConductorError, NotInTimeError):
            self.time.until_gone(self.laptop.agent_name, 0.0)

    def end_agent(self) -> None:
        """Ask it to end."""
        if self.laptop.agent is None:
            return
        self.wake_agent()
        code = self.laptop.stop(signal.SIGTERM)
        if code not in {0, -signal.SIGTERM} and not (self._may_die and code == -signal.SIGKILL):
            self.fault(f"the agent, asked to end, ended with exit {code}")
        self.check_promises()

    def suspend_agent(self) -> None:
        """Close the lid."""
        self._is_suspended = True
        self.time.suspend(self.laptop.agent_name, True)

    def wake_agent(self) -> None:
        """Open it."""
        self._is_suspended = False
        self.time.suspend(self.laptop.agent_name, False)

    def step_clock(self, by_ms: int) -> None:
        """The wall clock is wrong by so much more."""
        self._offset_ms += by_ms
        inside.write_clock(self._clock, UTC_START_MS, self._offset_ms, self.plan.drift_ppm)

    def _utc_s(self) -> float:
        """The receiver's clock agrees with the laptop's, as far as signatures go."""
        passed_ms = self.time.utc_ms() - UTC_START_MS
        return (self.time.utc_ms() + self._offset_ms + passed_ms * self.plan.drift_ppm / 1e6) / 1000

    def laptop_utc_ms(self) -> int:
        """What the laptop's wall clock says."""
        return int(self._utc_s() * 1000)

    def limit_files(self, size: int) -> None:
        """No file of the agent can be written beyond so many bytes."""
        if self.laptop.agent is not None and self.laptop.agent.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(self.laptop.agent.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def log_bytes(self) -> int:
        """Bytes of what SQLite appends to."""
        wal = Path(f"{self.laptop.database}-wal")
        return wal.stat().st_size if wal.exists() else 0

    def release(self, wearable: Wearable, seconds: float) -> None:
        """Borrow a port from the agent."""
        if self.laptop.agent is None or self._is_suspended:
            return
        with contextlib.suppress(HostAgentError, OSError):
            control.call_now(
                self.laptop.paths.socket, "release", timeout_s=5.0, port=str(wearable.link), seconds=seconds
            )

    def check_promises(self) -> None:
        """The agent is dead: what it acknowledged must be in the store."""
        for text in checks.broken_promises(self._record, self.laptop):
            self.fault(text)

    def _configure(self) -> None:
        hook = (
            f'[[webhook]]\nname = "ward"\nurl = "{self.receiver.url}"\n'
            f'secret_file = "{self.folder / "secret"}"\naccept_simulated = true\n'
        )
        (self.laptop.home / "config.toml").write_text(CABLE_ONLY + hook)


def live(
    folder: Path,
    beginning: Beginning,
    seed: int,
    only: Iterable[int] | None = None,
    changes: Iterable[str] = (),
) -> Left:
    """Live the life of a seed in `folder`, which must not exist."""
    return Life(folder, beginning, planned(seed, None if only is None else set(only)), changes).run()
