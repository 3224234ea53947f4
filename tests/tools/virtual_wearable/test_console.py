"""What the console does to bytes: newlines, marks, the receive ring, Ctrl-C, the REPL's state."""

import random

import pytest

from tools.virtual_wearable.console import RX_RING, Cooker, Receiver, ReplWatch

MARK = b"\x1dabcdef"


def raw(data: bytes) -> bytes:
    """As chip/console_out.py marks it."""
    return MARK + b"<" + data + MARK + b">"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a\nb", b"a\r\nb"),
        (b"a\r\nb", b"a\r\nb"),
        (b"\n\n", b"\r\n\r\n"),
        (b"a\r", b"a\r"),
        (b"\r\r\n", b"\r\r\n"),
        (b"", b""),
    ],
)
def test_text_gets_cr_lf_wherever_it_is_split(text: bytes, expected: bytes) -> None:
    assert Cooker(MARK).feed(text) == expected
    one_by_one = Cooker(MARK)
    assert b"".join(one_by_one.feed(text[i : i + 1]) for i in range(len(text))) == expected


def test_marked_bytes_pass_as_they_are() -> None:
    data = bytes(range(256)) * 3
    assert Cooker(MARK).feed(b"x\n" + raw(data) + b"y\n") == b"x\r\n" + data + b"y\r\n"


def test_every_split_gives_the_same_bytes() -> None:
    chance = random.Random(4)
    stream, expected = b"", b""
    for _ in range(60):
        data = bytes(chance.choices(b"\n\r\x1dab<>", k=chance.randrange(30)))
        stream += raw(data) + b"text\n"
        expected += data + b"text\r\n"
    for _ in range(50):
        cooker, out, at = Cooker(MARK), b"", 0
        while at < len(stream):
            step = chance.randrange(1, 12)
            out += cooker.feed(stream[at : at + step])
            at += step
        assert out == expected


def test_a_raw_write_that_was_cut_off_ends_at_the_next() -> None:
    cooker = Cooker(MARK)
    out = (
        cooker.feed(MARK + b"<half")
        + cooker.feed(b"Traceback\n")
        + cooker.feed(raw(b"\n"))
        + cooker.feed(b"z\n")
    )
    assert out.startswith(b"halfTraceback\n")
    assert out.endswith(b"z\r\n")


def test_ring_drops_and_counts_what_does_not_fit() -> None:
    receiver = Receiver()
    receiver.accept(bytes(200), 0, 0.0)
    receiver.accept(bytes(100), 0, 0.0)
    assert len(receiver.ready(0.0)) == RX_RING
    assert receiver.dropped == 40
    receiver.taken(RX_RING)
    receiver.accept(b"12345", RX_RING - 2, 0.0)
    assert receiver.ready(0.0) == b"12"
    assert receiver.dropped == 43


def test_ctrl_c_leaves_the_ring_alone() -> None:
    receiver = Receiver()
    receiver.accept(b"\r\x03\r\x04", 0, 0.0)
    assert receiver.ready(0.0) == b"\r"
    receiver.taken(1)
    assert receiver.ready(0.0) == b"\x03"
    receiver.taken(1)
    assert receiver.ready(0.0) == b"\r\x04"


def test_after_an_interrupt_input_waits_for_the_prompt() -> None:
    receiver = Receiver()
    receiver.accept(b"old", 0, 10.0)
    receiver.clear()
    receiver.interrupted(10.0)
    receiver.accept(b"\x03\r\x01", 0, 10.1)
    assert receiver.is_held(10.5)
    assert receiver.ready(10.5) == b""
    receiver.release()
    assert receiver.ready(10.5) == b"\r\x01", "a second Ctrl-C adds nothing to the first"


def test_the_wait_ends_without_a_prompt() -> None:
    receiver = Receiver()
    receiver.interrupted(10.0)
    receiver.accept(b"x", 0, 10.1)
    assert receiver.ready(10.9) == b""
    assert receiver.ready(11.1) == b"x"


def test_injected_bytes_come_first() -> None:
    receiver = Receiver()
    receiver.accept(b"later", 0, 0.0)
    receiver.inject(b"first")
    assert receiver.ready(0.0) == b"firstlater"


def test_repl_watch_follows_raw_and_friendly() -> None:
    watch = ReplWatch()
    assert not watch.feed(b"running\n")
    assert not watch.raw
    assert watch.feed(b"MicroPython\r\n>>> ")
    watch.feed(b"\r\nraw REPL; CTRL-B")
    assert not watch.raw
    assert watch.feed(b" to exit\r\n>")
    assert watch.raw
    watch.feed(b"\r\nMicroPython\r\n>>> ")
    assert not watch.raw
