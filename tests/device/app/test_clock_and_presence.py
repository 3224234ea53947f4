"""Time that never wraps, and whether a host is listening."""

from crs_device.alarm.host_presence import HostPresence
from crs_device.clock import Clock

WRAP = 1 << 30


class Ticks:
    """A raw tick counter that wraps as on the chips."""

    def __init__(self, start: int = 0) -> None:
        self.value = start

    def now(self) -> int:
        return self.value % WRAP

    @staticmethod
    def diff(a: int, b: int) -> int:
        return (a - b + WRAP // 2) % WRAP - WRAP // 2


def test_time_goes_on_over_a_wrap() -> None:
    ticks = Ticks(WRAP - 500)
    clock = Clock(ticks.now, ticks.diff)
    ticks.value += 1000
    assert clock.ms() == 1000
    ticks.value += WRAP // 4
    clock.ms()
    ticks.value += WRAP // 4
    assert clock.ms() == 1000 + WRAP // 2


def test_time_never_goes_back() -> None:
    ticks = Ticks(5000)
    clock = Clock(ticks.now, ticks.diff)
    ticks.value += 100
    assert clock.ms() == 100
    ticks.value -= 50
    assert clock.ms() == 100
    ticks.value += 60
    assert clock.ms() == 110


def test_board_time_runs_faster_and_real_time_does_not() -> None:
    ticks = Ticks()
    clock = Clock(ticks.now, ticks.diff, 60, ticks.now)
    for _ in range(1000):
        ticks.value += 333  # microseconds
        clock.ms()
    assert clock.ms() == 333 * 60 and clock.real_ms() == 333


def make(speed: int = 1) -> tuple[Ticks, HostPresence]:
    ticks = Ticks()
    clock = Clock(ticks.now, ticks.diff, speed)
    return ticks, HostPresence(clock, 15, 1800, 60)


def pass_time(ticks: Ticks, seconds: int) -> int:
    ticks.value += seconds * 1000
    return ticks.value


def test_three_heartbeats_missed_is_away_and_half_an_hour_is_long_away() -> None:
    ticks, presence = make()
    now = pass_time(ticks, 44)
    assert not presence.is_away(now)
    now = pass_time(ticks, 1)
    assert presence.is_away(now) and presence.is_quiet(now) and not presence.is_long_away(now)
    assert presence.is_long_away(pass_time(ticks, 1755))


def test_a_host_never_heard_is_away_too_and_one_message_ends_it() -> None:
    ticks, presence = make()
    now = pass_time(ticks, 100)
    assert presence.is_away(now)
    presence.heard()
    assert not presence.is_away(now)


def test_a_sped_up_board_gives_real_scheduling_its_time() -> None:
    ticks = Ticks()
    clock = Clock(ticks.now, ticks.diff, 60)
    presence = HostPresence(clock, 15, 1800, 60)
    ticks.value += 1500
    assert clock.ms() == 90_000 and not presence.is_away(clock.ms())
    ticks.value += 1000
    assert presence.is_away(clock.ms())
