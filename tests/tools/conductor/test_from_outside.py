"""A player that asks a participant from outside, or sends it a signal, between two stretches of time."""

import socket
import threading

import pytest

from tools.conductor.conductor import Conductor


@pytest.mark.parametrize("count", [1, 3])
def test_signal_after_settling_meets_nobody_in_its_turn(cast, tmp_path, count):
    """Whoever answered from outside works on; a kill there would be a death in a turn."""
    with Conductor() as time:
        process = cast.start(time, "a", "echoes", tmp_path / "socket", 0.2)
        cast.start(time, "b", "sleeps", 10_000, 100)
        time.pass_s(0.1)
        for _ in range(count):
            with socket.socket(socket.AF_UNIX) as caller:
                caller.connect(str(tmp_path / "socket"))
                caller.sendall(b"x\n")
                assert caller.recv(99) == b"heard x\n"
            time.settle()
        assert time.now_us == 100_000 + count
        process.kill()
        process.wait()
        time.settle()
        assert not time.is_here("a")
        assert cast.said("a") == [f"{100_000 + number} was asked" for number in range(count)]


def test_what_came_while_one_had_its_turn_gets_it_another_at_once(cast, tmp_path):
    with Conductor() as time, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as outside:
        process = cast.start(time, "a", "looks_early", tmp_path / "inbox", 0.3)
        cast.start(time, "b", "sleeps", 10_000, 100)
        time.pass_s(0.1)
        outside.sendto(b"one", str(tmp_path / "inbox"))
        passing = threading.Thread(target=time.pass_s, args=(0,))
        passing.start()
        assert process.stdout.readline() == "100000 hears one\n"
        outside.sendto(b"two", str(tmp_path / "inbox"))
        passing.join()
        time.settle()
        process.kill()
        assert process.communicate()[0] == "100000 hears two\n"


def test_what_one_read_in_its_last_turn_counts(cast):
    with Conductor() as time:
        board = cast.start(time, "board", "makes_port", 10_000, 3)
        path = board.stdout.readline().strip()
        time.pass_s(0.005)
        cast.start(time, "agent", "reads_and_leaves", path)
        time.until_gone("agent", 1)
        assert cast.said("agent") == ["10000 hears line 0", ""]
        assert time.due[path][1] == 0
