"""How loud: pauses, acceptance and the rise when nobody listens."""

import itertools

from crs_device.alarm.attention import ACCEPT_LAPSE_HIGH_MS, ACCEPT_LAPSE_MS, SOUND_AGAIN_MS, Attention

FEVER, HYPOX, NO_DATA = 1, 3, 8
LOW, MEDIUM, HIGH = 1, 2, 3


def make() -> Attention:
    return Attention(120_000, 60_000)


def test_light_and_sound_follow_the_highest_alarm() -> None:
    assert make().step([(FEVER, MEDIUM), (HYPOX, HIGH), (NO_DATA, LOW)], 0, False) == (HIGH, HIGH, False)
    assert make().step([], 0, True) == (0, 0, False)


def test_a_pause_silences_for_its_time_and_leaves_the_light() -> None:
    attention = make()
    attention.step([(FEVER, MEDIUM)], 0, False)
    attention.pause(1000)
    assert attention.step([(FEVER, MEDIUM)], 1000, False) == (MEDIUM, 0, False)
    assert attention.step([(FEVER, MEDIUM)], 120_999, False) == (MEDIUM, 0, False)
    assert attention.step([(FEVER, MEDIUM)], 121_000, False) == (MEDIUM, MEDIUM, False)


def test_a_new_alarm_and_a_rise_end_a_pause() -> None:
    for worse in ([(FEVER, MEDIUM), (HYPOX, MEDIUM)], [(FEVER, HIGH)]):
        attention = make()
        attention.step([(FEVER, MEDIUM)], 0, False)
        attention.pause(0)
        assert attention.step([(FEVER, MEDIUM)], 1000, False)[1] == 0
        assert attention.step(worse, 2000, False)[1] >= MEDIUM


def test_an_alarm_that_falls_does_not_end_a_pause() -> None:
    attention = make()
    attention.step([(FEVER, HIGH)], 0, False)
    attention.pause(0)
    assert attention.step([(FEVER, MEDIUM)], 1000, False)[1] == 0


def test_acceptance_silences_until_it_lapses_and_only_up_to_its_priority() -> None:
    attention = make()
    attention.step([(FEVER, MEDIUM)], 0, False)
    assert attention.accept(FEVER, MEDIUM, 0)
    assert attention.step([(FEVER, MEDIUM)], ACCEPT_LAPSE_MS - 1, False) == (MEDIUM, 0, False)
    assert attention.step([(FEVER, MEDIUM)], ACCEPT_LAPSE_MS, False)[1] == MEDIUM
    assert attention.accept(FEVER, MEDIUM, 0) and attention.step([(FEVER, HIGH)], 2000, False)[1] == HIGH


def test_high_lapses_sooner() -> None:
    attention = make()
    attention.step([(HYPOX, HIGH)], 0, False)
    assert attention.accept(HYPOX, HIGH, 0)
    assert attention.step([(HYPOX, HIGH)], ACCEPT_LAPSE_HIGH_MS, False)[1] == HIGH


def test_what_is_not_active_or_has_risen_cannot_be_accepted() -> None:
    attention = make()
    assert not attention.accept(FEVER, HIGH, 0)
    attention.step([(FEVER, HIGH)], 0, False)
    assert not attention.accept(FEVER, MEDIUM, 0) and attention.step([(FEVER, HIGH)], 1000, False)[1] == HIGH


def test_a_condition_that_ends_and_returns_sounds_again() -> None:
    attention = make()
    attention.step([(FEVER, MEDIUM)], 0, False)
    attention.accept(FEVER, MEDIUM, 0)
    attention.step([], 1000, False)
    assert attention.step([(FEVER, MEDIUM)], 2000, False)[1] == MEDIUM


def test_accepting_one_alarm_leaves_the_other_sounding() -> None:
    attention = make()
    both = [(FEVER, MEDIUM), (HYPOX, HIGH)]
    attention.step(both, 0, False)
    attention.accept(HYPOX, HIGH, 0)
    assert attention.step(both, 1000, False) == (HIGH, MEDIUM, False)


def test_an_open_alarm_without_a_host_rises_within_sixty_seconds() -> None:
    attention = make()
    assert attention.step([(FEVER, MEDIUM)], 0, True) == (MEDIUM, MEDIUM, False)
    assert attention.step([(FEVER, MEDIUM)], 59_000, True)[1] == MEDIUM
    assert attention.step([(FEVER, MEDIUM)], 60_000, True) == (HIGH, HIGH, False)


def test_high_without_a_host_becomes_urgent_and_the_rise_ends_a_pause() -> None:
    attention = make()
    attention.step([(HYPOX, HIGH)], 0, True)
    attention.pause(1000)
    assert attention.step([(HYPOX, HIGH)], 60_000, True) == (HIGH, HIGH, True)
    attention.pause(61_000)  # the wearer may pause again: the rise is told once
    assert attention.step([(HYPOX, HIGH)], 62_000, True)[1] == 0


def test_an_accepted_or_low_alarm_does_not_rise() -> None:
    attention = make()
    attention.step([(FEVER, MEDIUM)], 0, True)
    attention.accept(FEVER, MEDIUM, 0)
    assert attention.step([(FEVER, MEDIUM)], 100_000, True) == (MEDIUM, 0, False)
    attention = make()
    attention.step([(NO_DATA, LOW)], 0, True)
    assert attention.step([(NO_DATA, LOW)], 600_000, True) == (LOW, LOW, False)


def test_the_host_that_comes_back_ends_the_rise() -> None:
    attention = make()
    attention.step([(FEVER, MEDIUM)], 0, True)
    assert attention.step([(FEVER, MEDIUM)], 61_000, True)[1] == HIGH
    assert attention.step([(FEVER, MEDIUM)], 62_000, False)[1] == MEDIUM


def sounding_s(seconds: int, every_s: int, alarm: tuple[int, int], away: bool = False) -> list[int]:
    """The seconds in which a standing alarm sounds while somebody accepts it every so often."""
    attention, loud = make(), []
    for second in range(seconds):
        if attention.step([alarm], second * 1000, away)[1]:
            loud.append(second)
        if second % every_s == 0:
            attention.accept(*alarm, second * 1000)
    return loud


def test_nobody_keeps_an_alarm_silent_by_accepting_it_again_and_again() -> None:
    for alarm, lapse_ms in (((HYPOX, HIGH), ACCEPT_LAPSE_HIGH_MS), ((FEVER, MEDIUM), ACCEPT_LAPSE_MS)):
        for every_s in (1, 7, 30, 59, 599):
            for away in (False, True):
                loud = sounding_s(4 * 3600, every_s, alarm, away)
                lapses = [second for second in loud if second - 1 not in loud]
                assert max(b - a for a, b in itertools.pairwise(lapses)) <= lapse_ms // 1000 + every_s
                assert len(loud) >= (len(lapses) - 2) * SOUND_AGAIN_MS // 1000


def test_an_acceptance_that_counts_gets_no_longer_by_another() -> None:
    attention = make()
    attention.step([(HYPOX, HIGH)], 0, False)
    assert not attention.is_taken(HYPOX, HIGH, 0)
    for now_ms in (0, 1000, ACCEPT_LAPSE_HIGH_MS - 1):
        assert attention.accept(HYPOX, HIGH, now_ms) and attention.is_taken(HYPOX, HIGH, now_ms)
    assert attention.step([(HYPOX, HIGH)], ACCEPT_LAPSE_HIGH_MS, False)[1] == HIGH
    assert not attention.is_taken(HYPOX, HIGH, ACCEPT_LAPSE_HIGH_MS)


def test_a_rise_and_a_return_can_be_accepted_at_once() -> None:
    attention = make()
    attention.step([(FEVER, MEDIUM)], 0, False)
    attention.accept(FEVER, MEDIUM, 0)
    attention.step([(FEVER, HIGH)], 1000, False)
    assert attention.accept(FEVER, HIGH, 1000)
    assert attention.step([(FEVER, HIGH)], 1000, False)[1] == 0
    attention.step([], 2000, False)
    attention.step([(FEVER, HIGH)], 3000, False)
    assert attention.accept(FEVER, HIGH, 3000)
    assert attention.step([(FEVER, HIGH)], 3000, False)[1] == 0


def test_who_accepts_after_it_sounded_long_enough_is_heard_at_once() -> None:
    attention = make()
    attention.step([(HYPOX, HIGH)], 0, False)
    attention.accept(HYPOX, HIGH, 0)
    late_ms = ACCEPT_LAPSE_HIGH_MS + SOUND_AGAIN_MS
    attention.step([(HYPOX, HIGH)], late_ms, False)
    attention.accept(HYPOX, HIGH, late_ms)
    assert attention.step([(HYPOX, HIGH)], late_ms, False)[1] == 0
