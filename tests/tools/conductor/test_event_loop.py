"""An event loop of asyncio in simulated time: what one process and two processes do is the same in each run."""

import signal
import socket

import pytest

from tools.conductor.conductor import Conductor
from tools.rig.free_port import free_port


def said(cast, seed, cast_of, until="a"):
    """What everybody said in one run, and the conductor's own record."""
    lines = []
    with Conductor(seed, record=lines.append) as time:
        for name, behaviour in cast_of.items():
            cast.start(time, name, *behaviour)
        for name in cast_of:
            time.until_gone(name, 20)
        return {name: cast.said(name) for name in cast_of} | {"conductor": lines}


def test_timers_of_one_moment_are_ordered_by_the_seed(cast):
    runs = {seed: said(cast, seed, {"a": ["timers"]})["a"] for seed in (1, 2, 3)}
    assert runs[1] == said(cast, 1, {"a": ["timers"]})["a"]
    assert len({tuple(run) for run in runs.values()}) > 1
    for run in runs.values():
        assert sorted(run) == sorted(runs[1])
        assert [line.split()[0] for line in run][-4:] == ["1250000"] * 4


def test_work_in_threads_takes_no_time_and_has_an_order(cast):
    run = said(cast, 1, {"a": ["threads"]})["a"]
    assert run == said(cast, 1, {"a": ["threads"]})["a"]
    assert run[-2:] == ["0 before the timer", "0 the error came back"]
    assert all(line.startswith("0 ") and line.endswith("True True") for line in run[:-2])
    assert len({tuple(said(cast, seed, {"a": ["threads"]})["a"]) for seed in range(2, 6)}) > 1


def test_signal_ends_it_without_time(cast):
    with Conductor() as time:
        process = cast.start(time, "a", "waits_for_signal")
        time.pass_s(3)
        process.send_signal(signal.SIGTERM)
        time.until_gone("a", 1)
        assert time.now_s() == 3
        assert cast.said("a") == ["3000000 stops"]
        assert process.returncode == 0


def test_call_from_outside_is_answered_while_time_stands(cast, tmp_path):
    with Conductor() as time:
        cast.start(time, "a", "echoes", tmp_path / "socket")
        time.pass_s(2)
        for _ in range(3):
            with socket.socket(socket.AF_UNIX) as caller:
                caller.settimeout(20)
                caller.connect(str(tmp_path / "socket"))
                caller.sendall(b"x\n")
                assert caller.recv(99) == b"heard x\n"
        assert time.now_s() == 2


def test_program_without_a_loop_sleeps(cast):
    assert said(cast, 1, {"a": ["sleeps_in_time", 2.5]})["a"] == ["2500000 2.500 2.500"]


@pytest.mark.parametrize("address, heard", [("127.0.0.1", "0 111"), ("192.0.2.1", None)])
def test_call_where_nobody_is(cast, address, heard):
    run = said(cast, 1, {"a": ["listens_to_nobody", address]})["a"]
    # a network may refuse at once what is not on this computer
    assert run == [heard] * 3 or (heard is None and (len(run) == 3 or run[-1] == "6000000 nobody"))


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_two_loops_talk_in_lockstep_on_a_busy_machine(cast, tmp_path, kind, request):
    address = str(tmp_path / "socket") if kind == "unix" else str(free_port())

    def run(seed):
        if kind == "unix":
            (tmp_path / "socket").unlink(missing_ok=True)
        return said(cast, seed, {"s": ["serves", address], "a": ["asks", address], "b": ["asks", address]})

    idle = run(5)
    assert sum("hears" in line for line in idle["a"]) == 30
    assert sum("hangs up" in line for line in idle["s"]) == 6
    assert run(6) != idle
    request.getfixturevalue("busy_machine")
    assert run(5) == idle
