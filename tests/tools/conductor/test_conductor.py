"""Time passes when everybody is idle; what happens depends on the seed and on nothing else."""

import os
import signal

import pytest

from tools.conductor.conductor import Conductor
from tools.conductor.errors import (
    ConductorError,
    FloodError,
    NotInTimeError,
    ParticipantDiedError,
    ParticipantHungError,
    WireError,
)
from tools.conductor.participant import Participant


def lines_of(cast, seed, *, steps=((3000, 40), (5000, 30), (15000, 10))):
    lines = []
    with Conductor(seed, record=lines.append) as time:
        for name, (step_us, count) in zip("abc", steps, strict=False):
            cast.start(time, name, "sleeps", step_us, count)
        time.pass_s(1)
        assert time.now_s() == 1
    return lines


def test_same_seed_is_same_order(cast):
    assert lines_of(cast, 7) == lines_of(cast, 7)


def test_other_seed_is_other_order_of_the_same_work(cast):
    one, other = lines_of(cast, 1), lines_of(cast, 2)
    assert one != other and sorted(one) == sorted(other)


def test_busy_machine_changes_nothing(cast, busy_machine):
    busy = lines_of(cast, 7)
    assert "15000 a until 18000" in busy
    assert busy == lines_of(cast, 7)


@pytest.mark.parametrize(("behaviour", "most"), [("sleeps", 1000), ("whispers", 4)])
def test_who_gave_nobody_anything_to_do_wakes_nobody(cast, monkeypatch, behaviour, most):
    given = []
    go = Participant.go
    monkeypatch.setattr(Participant, "go", lambda self, *rest: given.append(self.name) or go(self, *rest))
    with Conductor() as time:
        cast.start(time, "a", behaviour, 1000, 100)
        cast.start(time, "b", "sleeps", 1_000_000, 2)
        time.pass_s(0.5)
    assert given.count("a") >= 100
    assert given.count("b") <= most and (behaviour == "whispers" or given.count("b") >= 100)


def test_time_stands_at_limit(cast):
    with Conductor() as time:
        cast.start(time, "a", "sleeps", 400_000, 10)
        time.pass_s(1)
        assert time.now_s() == 1
        time.pass_s(0.2)
        assert time.now_s() == 1.2
        assert time.utc_ms() == time.utc_start_ms + 1200
        time.until_gone("a", 10)
        assert time.now_s() == 4
        assert len(cast.said("a")) == 10


def test_nobody_has_a_turn_before_everybody_came(cast):
    lines = []
    with Conductor(record=lines.append) as time:
        time.expect("b")
        cast.start(time, "a", "sleeps", 1000, 3)
        time.forget("b")
        cast.start(time, "c", "sleeps", 1000, 3)
        time.pass_s(1)
    assert lines.index("0 c starts") < lines.index("0 a until 1000") + 2
    assert [line for line in lines if line.endswith("starts")] == ["0 a starts", "0 c starts"]


def test_condition_is_asked_while_time_stands(cast):
    asked = []
    with Conductor() as time:
        cast.start(time, "a", "sleeps", 10_000, 100)
        time.until(lambda: asked.append(time.now_s()) or len(asked) == 4, 5)
        assert asked == pytest.approx([0, 0.03, 0.06, 0.09])
        with pytest.raises(NotInTimeError, match="pigs fly: not within 0.5 s"):
            time.until(lambda: False, 0.5, "pigs fly")
        with pytest.raises(NotInTimeError, match="a: has not ended within 0.1 s"):
            time.until_gone("a", 0.1)


@pytest.mark.parametrize("how", ["killed", "leaves"])
def test_death_in_a_turn(cast, how):
    with Conductor() as time:
        cast.start(time, "a", "dies", how)
        if how == "killed":
            with pytest.raises(ParticipantDiedError, match=r"a \(process \d+\) died in its turn.*seed 1"):
                time.pass_s(1)
            with pytest.raises(ParticipantDiedError):
                time.pass_s(1)
        else:
            time.until_gone("a", 1)
            assert time.now_s() == 0.001


def test_kill_between_turns_is_no_failure(cast):
    with Conductor() as time:
        process = cast.start(time, "a", "sleeps", 10_000, 100)
        cast.start(time, "b", "sleeps", 10_000, 20)
        time.pass_s(0.1)
        process.kill()
        process.wait()
        time.pass_s(0)
        assert not time.is_here("a")
        time.until_gone("b", 1)


def test_one_that_never_comes(cast):
    with Conductor(hang_s=0.2) as time:
        time.expect("ghost")
        with pytest.raises(ParticipantHungError, match="ghost was expected and has not come"):
            time.pass_s(1)


def test_one_that_dies_before_it_came_is_forgotten_by_name(cast):
    with Conductor() as time:
        time.expect("a")
        time.forget("a")
        time.pass_s(1)
        assert time.now_s() == 1


@pytest.mark.parametrize("behaviour", ["never_idles", "spins"])
def test_hang_says_who_and_in_what(cast, behaviour):
    with Conductor(hang_s=1.5) as time:
        process = cast.start(time, "a", behaviour)
        with pytest.raises(
            ParticipantHungError, match=r"a has not ended its turn for \d+\.\d s of real time: process"
        ):
            time.pass_s(1)
        assert any(behaviour in line for line in process.stderr)


def test_flood_of_turns(cast, monkeypatch):
    monkeypatch.setattr("tools.conductor.schedule._FLOOD_TURNS", 200)
    with Conductor() as time:
        cast.start(time, "a", "floods")
        with pytest.raises(FloodError, match=r"200 turns and no time has passed; the most had a \(201\)"):
            time.pass_s(1)


def test_flood_of_messages(cast):
    with Conductor() as time:
        cast.start(time, "a", "chatters")
        with pytest.raises(FloodError, match="a sends without end"):
            time.until(lambda: False, 1000)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", "1", '{"idle": 1.5, "at": 0, "ran": true}', '{"idle": 1}', '{"hello": "b"}',
             '{"idle": 1, "at": 0, "ran": true, "ports": {"/dev/x": [1, 2]}}'],
)  # fmt: skip
def test_nonsense_on_the_wire(cast, text):
    with Conductor(hang_s=2) as time:
        cast.start(time, "a", "babbles", text or " ")
        with pytest.raises(WireError, match="a sent"):
            time.pass_s(1)


def test_two_of_one_name(cast):
    with Conductor() as time:
        cast.start(time, "a", "stays")
        time.pass_s(1)
        cast.start(time, "a", "stays")
        with pytest.raises(ConductorError, match="two participants are called a"):
            time.pass_s(1)


def test_wearable_runs_ahead_only_while_nobody_else_has_anything_to_do(cast):
    lines = []
    with Conductor(record=lines.append) as time:
        cast.start(time, "wearable", "runs_ahead", 1000, 300)
        cast.start(time, "agent", "sleeps", 50_000, 5)
        time.pass_s(0.3)
    turns = [line for line in lines if " wearable until" in line]
    assert len(turns) < 20
    times = [int(line.split()[0]) for line in lines]
    assert times == sorted(times)
    assert {50_000, 100_000, 150_000} <= set(times)


def test_two_wearables_take_quanta(cast):
    lines = []
    with Conductor(record=lines.append) as time:
        cast.start(time, "one", "runs_ahead", 1000, 300)
        cast.start(time, "two", "runs_ahead", 1300, 200)
        time.pass_s(0.3)
        assert time.now_s() == 0.3
    assert len([line for line in lines if "until" in line]) < 80


def test_running_beyond_the_horizon_is_named(cast):
    with Conductor() as time:
        cast.start(time, "a", "runs_too_far")
        with pytest.raises(ConductorError, match="a ran to .* and its horizon was"):
            time.pass_s(1)


def test_helper_is_waited_for(cast):
    """No turn begins and no time passes while a helper in the player's process has work."""
    work, looks = [3], []

    def quiet():
        looks.append(time.now_s())
        if work[-1]:
            work[-1] -= 1
            return False
        return True

    with Conductor() as time:
        time.watch(quiet)
        cast.start(time, "a", "sleeps", 1000, 3)
        time.pass_s(0.002)
        assert work == [0] and looks[:4] == [0] * 4
        work.append(100)
        time.until_gone("a", 1)
        assert work == [0, 0]
        time.unwatch(quiet)
        count = len(looks)
        time.pass_s(1)
        assert len(looks) == count


def test_player_opens_a_port_itself(cast):
    with Conductor() as time:
        board = cast.start(time, "board", "makes_port", 10_000, 5)
        path = board.stdout.readline().strip()
        time.pass_s(0.015)  # the first line was for nobody
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        time.ports.opened(fd, path)
        read = []
        for _ in range(2):
            time.pass_until_late(1, fd)
            read.append((time.now_s(), time.ports.read(fd, 99)))
        assert read == [(0.02, b"line 1\n"), (0.03, b"line 2\n")]
        time.ports.write(fd, b"hello")
        time.pass_s(0.001)
        os.close(fd)
        time.pass_s(0.5)
        board.kill()
        assert board.communicate()[0] == "30000 hears hello\n"


def test_participants_end_with_the_conductor(cast):
    with Conductor() as time:
        process = cast.start(time, "a", "timers")
        time.pass_s(0.1)
    assert process.wait() == 1
    assert "the conductor has ended" in process.communicate()[1]


def test_suspended_by_signal_is_a_hang_with_its_state(cast):
    with Conductor(hang_s=0.5) as time:
        process = cast.start(time, "a", "sleeps", 1000, 100)
        time.pass_s(0.01)
        os.kill(process.pid, signal.SIGSTOP)
        with pytest.raises(ParticipantHungError, match="stopped"):
            time.pass_s(1)
        os.kill(process.pid, signal.SIGCONT)


def drawn(cast, seed, *names):
    said = []
    with Conductor(seed) as time:
        for name in names:
            cast.start(time, name, "draws")
            time.until_gone(name, 1)
            said += cast.said(name)
    return said


def test_random_numbers_come_from_seed_name_and_life(cast):
    once = drawn(cast, 1, "a", "b", "a")
    assert drawn(cast, 1, "a", "b", "a") == once
    others = [*once, *drawn(cast, 2, "a")]
    for column in zip(*(line.split()[1:] for line in others), strict=True):
        assert len(set(column)) == len(others)


def test_debugger_lifts_the_limit(cast, monkeypatch):
    """Whoever stands at a breakpoint is not hung."""
    looks = []
    monkeypatch.setattr("tools.conductor.conductor.is_debugged", lambda: looks.append(1) or len(looks) < 3)
    with Conductor(hang_s=0.3) as time:
        cast.start(time, "a", "never_idles")
        with pytest.raises(ParticipantHungError):
            time.pass_s(1)
    assert len(looks) == 3


def test_twenty_participants(cast):
    def run():
        lines = []
        with Conductor(4, record=lines.append) as time:
            for number in range(20):
                cast.start(time, f"p{number}", "sleeps", 1000 * (1 + number % 3), 5)
            time.pass_s(1)
        return lines

    assert run() == run()


def test_condition_that_fails_leaves_the_run_alone(cast):
    with Conductor() as time:
        cast.start(time, "a", "sleeps", 10_000, 5)
        with pytest.raises(ZeroDivisionError):
            time.until(lambda: 1 // 0, 1)
        time.until_gone("a", 1)
        assert time.now_s() == 0.05
        time.until_gone("a", 1)
        time.pass_s(0)
        assert time.now_s() == 0.05
