"""What each key may ask of the wearable, what it may make it journal, and how much of that."""

from types import SimpleNamespace
from typing import Any

import pytest
from crs_core import code_texts, codes
from crs_core.errors import RemoteError
from crs_core.journal import record_reader
from crs_core.wire import message as wire
from crs_core.wire import rights
from crs_device.alarm.attention import Attention
from crs_device.binding import Binding
from crs_device.health import REQUEST_REFUSED, TASK_CRASH, Health
from crs_device.link import keys_room, requests, requests_on_demand
from crs_device.link.requests import Requests

RIGHTS = tuple(code_texts.RIGHTS)
DAY_MS = 86_400_000
UTC_MS = 1_800_000_000_000
EVERY = rights.OTHER + rights.ALL
REQUESTS = (
    wire.ReadFrom(1, 1, 64), wire.Ack(1, 1), wire.Time(UTC_MS, 20), wire.Settings(wire.SETTINGS_GET, 0, 1, b""),
    wire.Settings(wire.SETTINGS_SET, 0, 1, b"x=1\n"), wire.Context(0, 1, b"x"),
    wire.Bind(wire.BIND_START, b"PATIENT1", 0, 1, b""), wire.Bind(wire.BIND_END, b"PATIENT1", 0, 1, b""),
    wire.Bind(wire.BIND_END_OVERRIDE, b"PATIENT1", 0, 1, b""), wire.AlarmAccept(codes.HYPOXAEMIA, 3, "Dr. House"),
    wire.SelfTest(7), wire.Maintenance(wire.MAINTENANCE_ENTER, 60), wire.Maintenance(wire.MAINTENANCE_LEAVE, 0),
    wire.Ping(1), wire.Keys(wire.KEYS_LIST, 0), wire.Keys(wire.KEYS_REVOKE, 2), wire.StatusAsk(),
    wire.Pause(wire.PAUSE_BEGIN, 1, 60), wire.Pause(wire.PAUSE_END, 0, 0),
    wire.NobodyReached(3),
)  # fmt: skip


class App:
    """The part of the application that requests touch; what they would change is noted."""

    boot_number = 3
    binding = None
    requests: Any = None

    def __init__(self) -> None:
        self.now_ms = 0
        self.clock = SimpleNamespace(ms=lambda: self.now_ms, speed=1)
        self.health = Health()
        self.attention = Attention(120_000, 60_000)
        self.attention.step([(codes.HYPOXAEMIA, 3)], 0, False)
        self.monitor = SimpleNamespace(bell=None, unreached_until_ms=-1, active=[])
        self.journaled: list[Any] = []
        self.acked: list[int] = []
        self.log = SimpleNamespace(
            append=self._append, is_holding=False, journal=SimpleNamespace(ack=self.acked.append)
        )

    def _append(self, t_ms: int, kind: int, payload: bytes) -> int:
        self.journaled.append(record_reader.decode(kind, payload))
        return len(self.journaled)

    def accept(self, alarm: int, priority: int, key_id: int, who: str) -> bool:
        if not self.attention.accept(alarm, priority, self.now_ms):
            return False
        self.journaled.append((alarm, priority, key_id, who))
        return True

    def status(self) -> wire.StatusIs:
        return wire.StatusIs(3, self.now_ms, 0, 0, 1, 0, 0, 0, bytes(8), [])


class Bench:
    """One wearable and hosts with different keys in session with it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app = App()
        self.requests = self.app.requests = Requests(self.app)
        self.loaded: list[str] = []

        def load(server: Any, name: str, message: Any) -> list[Any]:
            self.loaded.append(name)
            if name == "alarm_accept":
                return requests_on_demand.alarm_accept(self.app, server, None, message)
            return [wire.Result(wire.type_of(message), wire.RESULT_DONE, "")]

        monkeypatch.setattr(self.requests, "_load_and_answer", load)
        # loading it 6000 times takes a minute
        monkeypatch.setattr(requests, "unload_modules", lambda *names: None)
        monkeypatch.setattr(keys_room, "take", lambda journal: "")  # test_keys_room.py

    def host(self, role: int, key_id: int) -> Any:
        pump = SimpleNamespace(acknowledge=lambda received: None)
        return SimpleNamespace(
            rights=rights.of_role(role), is_custodian=role == rights.CUSTODIAN, parts={}, emptied_ms=10 * DAY_MS,
            key=SimpleNamespace(key_id=key_id), pump=pump,
            start_reading=lambda *asked: None, take_counts=lambda: None,
        )  # fmt: skip

    def code(self, host: Any, message: Any) -> int:
        """The code of the answer, RESULT_DONE when it is no RESULT."""
        codes_ = [a.code for a in self.requests.handle(host, message) if isinstance(a, wire.Result)]
        return codes_[0] if codes_ else wire.RESULT_DONE

    def marks(self) -> list[Any]:
        return [record for record in self.app.journaled if type(record).__name__ == "TimeMark"]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def test_the_requests_here_are_all_that_a_wearable_knows() -> None:
    assert {type(message) for message in REQUESTS} == set(rights.NEEDED)


@pytest.mark.parametrize("right", RIGHTS)
@pytest.mark.parametrize("message", REQUESTS, ids=str)
def test_a_message_is_answered_with_its_right_and_refused_and_counted_without(
    bench: Bench, message: Any, right: int
) -> None:
    for held in (right | rights.READ, rights.ALL & ~right | rights.READ):
        host = bench.host(rights.OTHER + held, 9)
        refused_before = bench.app.health.value(REQUEST_REFUSED)
        is_refused = bench.code(host, message) == wire.RESULT_FORBIDDEN
        assert is_refused == (not held & rights.needed(message))
        assert bench.app.health.value(REQUEST_REFUSED) == refused_before + is_refused


@pytest.mark.parametrize("message", REQUESTS, ids=str)
def test_a_reader_changes_nothing_and_frees_nothing(bench: Bench, message: Any) -> None:
    reader = bench.host(rights.READER, 2)
    for _ in range(50):
        bench.requests.handle(reader, message)
        bench.app.now_ms += 4_000_000
    assert bench.app.journaled == [] and bench.app.acked == [] and bench.requests.utc_ms(0) is None
    assert set(bench.loaded) <= {"settings", "keys"}
    assert not bench.app.attention.is_taken(codes.HYPOXAEMIA, 3, bench.app.now_ms)


def test_a_message_that_is_no_request_is_unknown_whatever_the_key(bench: Bench) -> None:
    for message in (wire.Pong(1), wire.CaughtUp(1), wire.Block(b"x"), wire.Unknown(0x1E, b"")):
        for role in (rights.CUSTODIAN, rights.READER):
            assert bench.code(bench.host(role, 1), message) == wire.RESULT_UNKNOWN_REQUEST


def test_only_the_custodian_frees_flash_not_even_a_key_with_every_right(bench: Bench) -> None:
    bench.requests.handle(bench.host(rights.OTHER + rights.ALL, 2), wire.Ack(40, 1))
    assert bench.app.acked == []
    bench.requests.handle(bench.host(rights.CUSTODIAN, 1), wire.Ack(41, 1))
    assert bench.app.acked == [41]


# --- time ---


def test_a_reader_s_time_is_answered_and_never_journaled(bench: Bench) -> None:
    (answer,) = bench.requests.handle(bench.host(rights.READER, 2), wire.Time(UTC_MS, 0))
    assert answer == wire.TimeIs(UTC_MS, 3, 0) and bench.app.journaled == []


@pytest.mark.parametrize("bound_ms", [0xFFFFFFFF, DAY_MS + 1, DAY_MS, 3_600_000])
def test_a_false_bound_keeps_nobody_else_s_mark_out(bench: Bench, bound_ms: int) -> None:
    false, own = bench.host(rights.OTHER + rights.READ + rights.TIME, 2), bench.host(rights.CUSTODIAN, 1)
    bench.requests.handle(false, wire.Time(UTC_MS - 30 * DAY_MS, bound_ms))
    bench.requests.handle(own, wire.Time(UTC_MS, 1000))
    assert bench.marks()[-1] == (UTC_MS, 1000, 1)
    assert len(bench.marks()) == (1 if bound_ms > DAY_MS else 2)


def test_marks_of_the_same_clock_merge_also_when_two_hosts_take_turns(bench: Bench) -> None:
    hosts = [bench.host(rights.CUSTODIAN, 1), bench.host(rights.OTHER + rights.READ + rights.TIME, 2)]
    for turn in range(120):
        bench.app.now_ms = turn * 1000
        clock_ms = UTC_MS + turn * 1000 + (0, 7_200_000)[turn % 2]
        bench.requests.handle(hosts[turn % 2], wire.Time(clock_ms, 20))
    assert [mark.key_id for mark in bench.marks()] == [1, 2]


@pytest.mark.parametrize("step_ms", [7919, -7919, 60_000, 100_000_000])
def test_a_flood_of_times_is_a_few_marks_and_then_one_a_minute(
    bench: Bench, step_ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = bench.host(rights.CUSTODIAN, 1)
    for n in range(6000):  # 12 a second
        bench.app.now_ms = n * 1000 // 12
        (answer,) = bench.requests.handle(host, wire.Time(UTC_MS + n * step_ms, 0))
        assert answer.utc_ms == UTC_MS + n * step_ms, "every one is answered"
    assert len(bench.marks()) <= 32 + 500 // 60 + 1
    before = len(bench.marks())
    bench.requests.handle(bench.host(rights.OTHER + rights.READ + rights.TIME, 2), wire.Time(UTC_MS, 0))
    assert len(bench.marks()) == before + 1, "the other key has its own allowance"


# --- floods ---


@pytest.mark.parametrize(
    "message",
    [m for m in REQUESTS if rights.needed(m) not in (rights.READ, rights.ACCEPT) and "op=2" not in str(m)],
    ids=str,
)
def test_no_key_makes_the_wearable_write_more_than_its_allowance(bench: Bench, message: Any) -> None:
    host = bench.host(rights.OTHER + rights.ALL, 7)
    answers = [bench.code(host, message) for _ in range(200)]
    assert answers.count(wire.RESULT_DONE) == 16 and set(answers) == {wire.RESULT_DONE, wire.RESULT_BUSY}
    assert bench.code(bench.host(rights.CUSTODIAN, 1), message) == wire.RESULT_DONE
    bench.app.now_ms += 60_000
    assert [bench.code(host, message) for _ in range(2)] == [wire.RESULT_DONE, wire.RESULT_BUSY]
    bench.app.now_ms += DAY_MS
    assert [bench.code(host, message) for _ in range(100)].count(wire.RESULT_DONE) == 32


def test_a_key_that_comes_late_has_what_the_board_s_time_gave_it_and_no_more(bench: Bench) -> None:
    bench.app.now_ms = 600_000
    answers = [bench.code(bench.host(EVERY, 7), wire.SelfTest(7)) for _ in range(100)]
    assert answers.count(wire.RESULT_DONE) == 16 + 10


@pytest.mark.parametrize("sent", [1, 12])
def test_a_start_leaves_room_for_the_time_and_the_entries_that_a_laptop_sends_again(
    bench: Bench, sent: int
) -> None:
    laptop = bench.host(rights.CUSTODIAN, 1)
    bench.requests.handle(laptop, wire.Time(UTC_MS, 20))
    answers = [bench.code(laptop, wire.NobodyReached(3))]
    answers += [bench.code(laptop, wire.Context(0, 1, b"x")) for _ in range(sent)]
    assert set(answers) == {wire.RESULT_DONE}


def test_looking_up_is_limited_too_and_hurts_no_other_key(bench: Bench) -> None:
    reader = bench.host(rights.READER, 2)
    for _ in range(5000):
        bench.requests.handle(reader, wire.Keys(wire.KEYS_LIST, 0))
        bench.requests.handle(reader, wire.Settings(wire.SETTINGS_GET, 1, 1, b""))
    assert len(bench.loaded) == 480
    assert bench.code(bench.host(rights.CUSTODIAN, 1), wire.Keys(wire.KEYS_LIST, 0)) == wire.RESULT_DONE


def test_a_text_in_many_parts_pays_once(bench: Bench) -> None:
    host = bench.host(rights.CUSTODIAN, 1)
    host.parts[wire.Settings] = object()  # begun
    sent = [wire.Settings(wire.SETTINGS_SET, part, 40, b"x") for part in range(40)]
    for _ in range(3):
        assert {bench.code(host, message) for message in sent} == {wire.RESULT_DONE}


@pytest.mark.parametrize(
    "end", [wire.Maintenance(wire.MAINTENANCE_LEAVE, 0), wire.Pause(wire.PAUSE_END, 0, 0)]
)
def test_monitoring_again_is_never_refused_for_want_of_allowance(bench: Bench, end: Any) -> None:
    host = bench.host(rights.CUSTODIAN, 1)
    while bench.code(host, wire.SelfTest(0)) == wire.RESULT_DONE:
        pass
    assert bench.code(host, end) == wire.RESULT_DONE


def test_accepting_again_and_again_is_journaled_once_until_it_lapses(bench: Bench) -> None:
    host = bench.host(rights.CUSTODIAN, 1)
    message = wire.AlarmAccept(codes.HYPOXAEMIA, 3, "nurse")
    for n in range(0, 3600, 5):
        bench.app.now_ms = n * 1000
        bench.app.attention.step([(codes.HYPOXAEMIA, 3)], bench.app.now_ms, False)
        assert bench.code(host, message) == wire.RESULT_DONE
    assert len(bench.app.journaled) == 6, "one for each ten minutes"


def test_one_message_that_breaks_something_is_refused_and_the_link_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error in (ValueError("no"), MemoryError(), KeyError(3), OSError(5), RemoteError("bad")):

        def fail(*about: Any, error: Exception = error) -> list[Any]:
            raise error

        monkeypatch.setattr(bench.requests, "_load_and_answer", fail)
        assert bench.code(bench.host(rights.CUSTODIAN, 1), wire.Keys(wire.KEYS_LIST, 0)) in (
            wire.RESULT_FAILED, wire.RESULT_BAD_VALUE,
        )  # fmt: skip
    assert bench.app.health.value(TASK_CRASH) == 3


def test_every_request_that_comes_seldom_has_its_function() -> None:
    cheap = {wire.ReadFrom, wire.Ack, wire.Time, wire.Ping, wire.StatusAsk, wire.NobodyReached}
    assert set(requests._ON_DEMAND) == set(rights.NEEDED) - cheap
    assert wire.MAINTENANCE_LEAVE == wire.PAUSE_END == requests._END


@pytest.mark.parametrize("utc_ms", [0, 1_577_836_799_999, 4_102_444_800_000, 1 << 60, (1 << 64) - 1])
def test_a_time_that_no_right_clock_says_is_refused_and_never_journaled(bench: Bench, utc_ms: int) -> None:
    time = wire.Time(utc_ms, 20)
    for role in (rights.CUSTODIAN, rights.READER):
        assert bench.code(bench.host(role, role), time) == wire.RESULT_BAD_VALUE
    assert bench.marks() == []


def test_telling_that_nobody_is_reached_costs_only_when_it_changes_something(bench: Bench) -> None:
    host = bench.host(rights.CUSTODIAN, 1)
    for _ in range(100):
        assert bench.code(host, wire.NobodyReached(3)) == wire.RESULT_DONE
    assert bench.app.monitor.unreached_until_ms > bench.app.now_ms
    turns = [bench.code(host, wire.NobodyReached(3 * (n % 2))) for n in range(100)]
    assert turns.count(wire.RESULT_BUSY) > 30 and turns[:15] == [wire.RESULT_DONE] * 15


def test_only_the_custodian_ends_a_binding_over_records_that_nobody_committed() -> None:
    journal = SimpleNamespace(binding_id=b"PATIENT1", acked_seq=1, head_seq=9)
    app: Any = SimpleNamespace(log=SimpleNamespace(journal=journal), is_bound=True)
    (answer,) = Binding(app).request(
        SimpleNamespace(is_custodian=False), wire.BIND_END_OVERRIDE, b"PATIENT1", b""
    )
    assert answer.code == wire.RESULT_FORBIDDEN and journal.binding_id == b"PATIENT1"
