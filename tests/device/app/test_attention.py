"""How loud: pauses, acceptance and the rise when nobody listens."""

from crs_device.alarm.attention import ACCEPT_LAPSE_HIGH_MS, ACCEPT_LAPSE_MS, Attention

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
