"""Nothing that a key beside the custodian's does displaces an alarm or a grade that nobody acknowledged."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from crs_core import codes, context
from crs_core.grade import alarms, grader, rules
from crs_core.journal import block_layout, block_reader, record_layout, record_writer
from crs_core.units import SITE_AXILLA
from crs_core.wire import message as wire
from crs_core.wire import rights
from crs_device import monitor as monitor_part
from crs_device.app import App
from crs_device.clock import Clock
from crs_device.journal.event_log import EventLog
from crs_device.journal.journal import Journal
from crs_device.link import keys_room, requests, requests_on_demand
from crs_device.link.requests import Requests

KIB = 1024
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
UTC_MS = 1_800_000_000_000
BINDING = b"PATIENT1"
EVERYTHING = rights.OTHER + rights.ALL


class Dark:
    """Lights and sounds that do nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *levels: None


class World:
    """The application with its journal on this machine's disk, and keys in session with it."""

    def __init__(self, folder: Path, budget_kb: int) -> None:
        self.root, self.budget_bytes = str(folder / "journal"), budget_kb * KIB
        self.now_ms = 0
        self.boots = 0
        journal = Journal(self.root, 1, os.urandom, self.budget_bytes, 1)
        journal.create(BINDING)
        self.kept: dict[int, Any] = {}
        self.start()

    def start(self) -> None:
        self.boots += 1
        self.now_ms = 0
        clock = Clock(lambda: self.now_ms, lambda later, earlier: later - earlier)
        dark = Dark()
        board: Any = SimpleNamespace(
            led=dark, buzzer=dark, vibration=dark, clock=clock, simulated=True, random_bytes=os.urandom
        )
        self.app = App(board)
        self.journal = Journal(self.root, self.boots, os.urandom, self.budget_bytes, 1)
        self.journal.open()
        self.app.log = EventLog(self.journal, self.app.health, self.app.drain)
        self.app.monitor = monitor_part.Monitor(
            self.app, rules.DEFAULT, rules.rule_hash(rules.DEFAULT), SITE_AXILLA, 10
        )
        self.app.monitor.is_bound = True
        states = self.journal.last_state()
        if states is not None:
            self.app.monitor.resume(alarms.decode_state(states[0], 0), grader.decode_state(states[1], 0))
        self.requests: Requests = Requests(self.app)  # type: ignore[no-untyped-call]
        self.app.requests = self.requests
        self.app.presence.may_return = self.requests.may_return

    def host(self, role: int, key_id: int = 9) -> Any:
        return SimpleNamespace(
            rights=rights.of_role(role), is_custodian=role == rights.CUSTODIAN, parts={}, emptied_ms=1 << 50,
            key=SimpleNamespace(key_id=key_id), pump=SimpleNamespace(acknowledge=lambda received: None),
            answer=lambda message: None,
        )  # fmt: skip

    def pass_ms(self, passed_ms: int) -> None:
        for part_ms in (passed_ms - 1000, 1000):
            self.now_ms += part_ms
            self.app.monitor.step(self.app.clock.ms())
            self.app.log.tick(self.app.clock.ms())

    def code(self, host: Any, message: Any) -> int:
        answers = self.requests.handle(host, message)
        return next((one.code for one in answers if isinstance(one, wire.Result)), wire.RESULT_DONE)

    def real_alarm(self) -> None:
        """The wearable itself journals an alarm and a grade that say what no other says."""
        n = len(self.kept)
        alarm_state, grader_state = self.app.monitor.states(self.now_ms)
        hash_ = self.app.monitor.rule_hash
        for kind, values in (
            (record_layout.ALARM, (hash_, [(n // 3, 1 + n % 3)], bytes(20), alarm_state, n)),
            (
                record_layout.GRADE,
                (1, 1, hash_, n % 5, 4, 1, 1, (n // 5,), (n // 7,), n, n, grader_state),
            ),
        ):
            payload = record_writer.write(kind, *values)
            seq = self.app.log.append(self.app.clock.ms(), kind, payload)
            self.kept[seq] = payload

    def displaced(self) -> list[int]:
        """The numbers of the real alarms and grades that are no longer on flash."""
        found, seq = {}, 1
        while (step := self.journal.read_from(seq, block_layout.KIND_EVENTS)) is not None:
            for number, event in enumerate(
                block_reader.decode_events(step[2], self.journal.journal_id)[1], step[1].first_seq
            ):
                found[number] = event.payload
            seq = block_layout.last_seq(step[1]) + 1
        return [seq for seq, payload in self.kept.items() if found.get(seq) != payload]


def context_message(n: int) -> wire.Context:
    values = {
        context.BLOOD_PRESSURE: n % 2,
        context.OXYGEN: n // 3 % 4,
        context.ICE: n % 11,
        context.VASOPRESSORS: n // 2 % 3,
    }
    return wire.Context(0, 1, context.encode(0, n.to_bytes(8, "little"), values))


# What a key sends in its minute `n` to make the wearable write; None: only that it is there.
DEMANDS = {
    "marks": lambda n: wire.Time(UTC_MS + n * 7_919_000, 0),
    "comes and goes": lambda n: None,
    "nobody reached": lambda n: wire.NobodyReached(3 * (n % 2)),
    "button": lambda n: wire.AlarmAccept(codes.PATIENT_BUTTON, 3, f"Dr. {n}"),
    "entries": context_message,
    "maintenance": lambda n: wire.Maintenance(1 + n % 2, 60),
    "pauses": lambda n: wire.Pause(1 + n % 2, 1 + n % 3, 60),
    "rules": lambda n: wire.Settings(wire.SETTINGS_SET, 0, 1, b"rules=%d" % n),
    "binding": lambda n: wire.Bind(wire.BIND_END, BINDING, 0, 1, b""),
}


def change_rules(app: Any, server: Any, parts: Any, message: Any) -> list[Any]:
    """As requests_on_demand.settings for other rules, without the files of the board."""
    app.monitor.use_rules(app.monitor.rules, bytes(message.data)[-8:].rjust(8, b"0"))
    payload = record_writer.write(record_layout.SETTINGS, 1, app.monitor.rule_hash, 1, "a=1\n" * 200)
    app.log.append(app.clock.ms(), record_layout.SETTINGS, payload)
    app.monitor.journal_states(4, app.clock.ms())
    return [wire.Result(0x13, wire.RESULT_DONE, "")]


@pytest.fixture(autouse=True)
def stay_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules stay loaded: loading them for each of many thousand requests takes minutes."""
    for part in (requests, requests_on_demand, monitor_part):
        monkeypatch.setattr(part, "unload_modules", lambda *names: None)
    monkeypatch.setattr(requests_on_demand, "settings", change_rules)


def attack(
    world: World, hosts: list[Any], minutes: int, real_alarms: int, restart_each: int = 0, kinds: Any = ()
) -> None:
    """Each minute every host sends all it can, in turns, while the wearable journals `real_alarms` of its own."""
    done = 0
    ways = [DEMANDS[kind] for kind in kinds or DEMANDS]
    for n in range(minutes):
        if n * real_alarms >= done * minutes:
            world.real_alarm()
            done += 1
        if n % 50 == 3:
            world.app.monitor.press(2)  # "I feel ill", which an acceptance ends
        for host in hosts:
            for which in range(len(ways)):
                message = ways[(n + which) % len(ways)](n)
                if message is not None:
                    world.requests.handle(host, message)
                elif host.rights & rights.ACCEPT and n % 3 == 0:
                    world.app.presence.heard(host)
        world.pass_ms(MINUTE_MS)
        if restart_each and n % restart_each == restart_each - 1:
            world.start()


ROLES = [rights.OTHER + held for held in range(1, rights.ALL + 1, 2)]


@pytest.mark.parametrize("role", ROLES, ids=lambda role: f"rights {role - rights.OTHER}")
def test_a_key_of_any_rights_displaces_nothing_in_a_day(tmp_path: Path, role: int) -> None:
    world = World(tmp_path, 64)
    attack(world, [world.host(role)], 24 * 60, 16)
    assert len(world.kept) == 32 and world.displaced() == []


@pytest.mark.parametrize("kind", DEMANDS)
def test_a_key_that_does_one_thing_alone_displaces_nothing(tmp_path: Path, kind: str) -> None:
    world = World(tmp_path, 64)
    attack(world, [world.host(EVERYTHING)], 48 * 60, 16, kinds=(kind,))
    assert len(world.kept) == 32 and world.displaced() == []


@pytest.mark.parametrize(
    "budget_kb,real_alarms,hours,restart_each",
    [(64, 16, 168, 0), (256, 60, 72, 0), (64, 16, 72, 240), (64, 16, 8, 7)],
    ids=["in a week", "in a larger journal", "in days of restarts", "in a night of many restarts"],
)
def test_several_keys_together_displace_nothing(
    tmp_path: Path, budget_kb: int, real_alarms: int, hours: int, restart_each: int
) -> None:
    world = World(tmp_path, budget_kb)
    hosts = [world.host(EVERYTHING, key_id) for key_id in (2, 3, 4)]
    attack(world, hosts, hours * 60, real_alarms, restart_each)
    assert world.displaced() == []


def entries_taken(world: World, host: Any, tries: int, first: int = 0) -> int:
    """How many of so many entries, an hour apart, the wearable took."""
    taken = 0
    for n in range(first, first + tries):
        world.pass_ms(HOUR_MS)
        taken += world.code(host, context_message(n)) == wire.RESULT_DONE
    return taken


def test_the_room_counts_all_keys_and_links_together_and_not_the_custodian(tmp_path: Path) -> None:
    world = World(tmp_path, 128)
    phone, ward = world.host(EVERYTHING, 2), world.host(rights.OTHER + rights.READ + rights.CONTEXT, 3)
    assert entries_taken(world, phone, 5) == 5 and entries_taken(world, ward, 20, 5) == 3
    assert world.code(phone, wire.NobodyReached(3)) == wire.RESULT_BUSY
    assert world.code(phone, wire.Keys(wire.KEYS_LIST, 0)) != wire.RESULT_BUSY
    assert entries_taken(world, world.host(rights.CUSTODIAN, 1), 20, 25) == 20


def test_no_restart_gives_room_and_the_custodian_s_acknowledgement_of_everything_does(tmp_path: Path) -> None:
    world = World(tmp_path, 64)
    phone = world.host(EVERYTHING, 2)
    assert entries_taken(world, phone, 3) == 3
    for restarts in range(5):
        world.start()
        assert entries_taken(world, phone, 3, 3 * restarts) == (restarts == 0)
    world.journal.ack(world.journal.head_seq - 40)
    assert entries_taken(world, phone, 3) == 0
    world.journal.ack(world.journal.head_seq)
    assert entries_taken(world, phone, 30) == 4


def test_the_last_numbers_of_a_journal_are_no_error_and_give_no_room(tmp_path: Path) -> None:
    world = World(tmp_path, 64)
    for head in (block_layout.SEQ_MAX - 1, block_layout.SEQ_MAX):
        world.journal.head_seq = head
        assert keys_room.take(world.journal) == keys_room.take(world.journal) == ""  # type: ignore[no-untyped-call]
    assert "is full" in keys_room.take(world.journal)  # type: ignore[no-untyped-call]


def test_a_new_journal_begins_with_all_its_room(tmp_path: Path) -> None:
    world = World(tmp_path, 64)
    assert entries_taken(world, world.host(EVERYTHING), 9) == 4
    world.journal.handover(BINDING)
    assert entries_taken(world, world.host(EVERYTHING), 9) == 4


def test_a_count_that_cannot_be_read_gives_no_room_until_everything_is_acknowledged(tmp_path: Path) -> None:
    world = World(tmp_path, 64)
    phone = world.host(EVERYTHING)
    assert entries_taken(world, phone, 2) == 2
    for slot in tmp_path.glob("journal/keys.*"):
        slot.write_bytes(b"\xff" * 9)
    assert entries_taken(world, phone, 5) == 0
    world.journal.ack(world.journal.head_seq)
    assert entries_taken(world, phone, 9) == 4


def test_flash_that_refuses_the_count_lets_nothing_in_and_nobody_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Any, payload: bytes) -> None:
        raise OSError(5)

    world = World(tmp_path, 1024)
    phone = world.host(EVERYTHING)
    monkeypatch.setattr("crs_device.two_slot.TwoSlot.store", refuse)
    assert world.code(phone, context_message(1)) == wire.RESULT_FAILED
    assert world.code(phone, wire.NobodyReached(3)) == wire.RESULT_FAILED
    (answer,) = world.requests.handle(phone, wire.Time(UTC_MS, 20))
    assert isinstance(answer, wire.TimeIs) and world.requests.mark is None
    world.pass_ms(HOUR_MS)
    assert (codes.HOST_AWAY, 3) in world.app.monitor.active or (
        codes.HOST_AWAY,
        1,
    ) in world.app.monitor.active
    world.app.presence.heard(phone)
    assert world.app.presence.is_long_away(world.now_ms)
    world.app.presence.heard(world.host(rights.CUSTODIAN, 1))
    assert not world.app.presence.is_away(world.now_ms)


def test_a_key_that_comes_and_goes_ends_host_away_only_while_it_has_room(tmp_path: Path) -> None:
    world = World(tmp_path, 64)
    nurse = world.host(rights.OTHER + rights.READ + rights.ACCEPT)
    returns = 0
    for _ in range(30):
        world.pass_ms(HOUR_MS)
        world.app.presence.heard(nurse)
        returns += not world.app.presence.is_away(world.now_ms)
    assert returns == 4
    world.journal.ack(world.journal.head_seq)
    world.pass_ms(1001)
    world.app.presence.heard(nurse)
    for _ in range(30):  # a host that stays pays nothing more
        world.pass_ms(10_000)
        world.app.presence.heard(nurse)
        assert not world.app.presence.is_away(world.now_ms)


def test_accepting_an_alarm_needs_no_room(tmp_path: Path) -> None:
    world = World(tmp_path, 64)
    nurse = world.host(EVERYTHING)
    assert entries_taken(world, nurse, 9) == 4
    alarm, priority = next(one for one in world.app.monitor.active if one[0] != codes.PATIENT_BUTTON)
    assert world.code(nurse, wire.AlarmAccept(alarm, priority, "A. Nurse")) == wire.RESULT_DONE
    assert world.app.attention.is_taken(alarm, priority, world.now_ms)


def test_only_a_key_whose_records_are_all_acknowledged_begins_a_binding(tmp_path: Path) -> None:
    world = World(tmp_path, 64)
    world.journal.handover(bytes(8))
    world.real_alarm()
    start = wire.Bind(wire.BIND_START, BINDING, 0, 1, b"")
    assert world.code(world.host(EVERYTHING), start) == wire.RESULT_NOT_SYNCED
    world.journal.ack(world.journal.head_seq)
    assert world.code(world.host(EVERYTHING), start) == wire.RESULT_FAILED, "no settings"
    world.real_alarm()
    assert world.code(world.host(rights.CUSTODIAN), start) == wire.RESULT_FAILED
