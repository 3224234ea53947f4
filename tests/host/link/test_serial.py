"""The serial transport on real ptys: what a port can do to a session."""

import asyncio
import contextlib
import fcntl
import os
import subprocess
import sys
import termios
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from host_agent.errors import PortBusy, PortDenied, PortMissing, TransportLost
from host_agent.link.serial import SerialTransport, open_serial
from tools.rig.protocol_wearable import FakeDevice, host_key, serving
from tools.rig.pty_port import PtyPort


@pytest.fixture
def pty() -> Iterator[PtyPort]:
    """The board's end; a test may have closed it."""
    made = PtyPort()
    yield made
    with contextlib.suppress(OSError):
        made.close()


@pytest.fixture
async def port(pty) -> AsyncIterator[SerialTransport]:
    """The host's end, open."""
    opened = await open_serial(pty.path)
    yield opened
    opened.close()


async def test_bytes_go_both_ways_unchanged(pty, port) -> None:
    everything = bytes(range(256)) * 8
    await port.write(everything)
    got = b""
    while len(got) < len(everything):
        got += await asyncio.wait_for(pty.device_read(), 2)
    assert got == everything
    await pty.device_write(everything)
    got = b""
    while len(got) < len(everything):
        got += await asyncio.wait_for(port.read(), 2)
    assert got == everything


async def test_a_symlink_to_a_port_is_that_port(pty, tmp_path) -> None:
    link = tmp_path / "ttyWearable"
    link.symlink_to(pty.path)
    port = await open_serial(str(link))
    assert port.name == str(link)
    await pty.device_write(b"hello")
    assert await asyncio.wait_for(port.read(), 2) == b"hello"
    port.close()


async def test_a_second_opener_gets_busy_and_disturbs_nothing(pty, port) -> None:
    with pytest.raises(PortBusy):
        await open_serial(pty.path)
    await pty.device_write(b"still here")
    assert await asyncio.wait_for(port.read(), 2) == b"still here"
    port.close()
    again = await open_serial(pty.path)
    again.close()


async def test_mpremote_gets_its_own_in_use_message_and_works_after_close(pty, port) -> None:
    """The real tool, against the real lock."""
    mpremote = Path(sys.executable).parent / "mpremote"
    result = await asyncio.to_thread(
        subprocess.run, [mpremote, "connect", pty.path, "resume", "fs", "ls"],
        capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert result.returncode and "in use" in result.stdout + result.stderr
    await pty.device_write(b"undisturbed")
    assert await asyncio.wait_for(port.read(), 2) == b"undisturbed"


async def test_closing_the_port_does_not_hang_up(pty) -> None:
    fd = os.open(pty.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    before = termios.tcgetattr(fd)
    before[2] |= termios.HUPCL
    termios.tcsetattr(fd, termios.TCSANOW, before)
    port = await open_serial(pty.path)
    assert not termios.tcgetattr(fd)[2] & termios.HUPCL
    os.close(fd)
    port.close()


async def test_a_port_that_vanishes_is_lost_at_once(pty, port) -> None:
    reading = asyncio.create_task(port.read())
    await asyncio.sleep(0)
    pty.close()
    with pytest.raises(TransportLost, match="vanished|hung up"):
        await asyncio.wait_for(reading, 2)
    with pytest.raises(TransportLost):
        await port.write(b"x")


async def test_what_came_before_the_loss_is_still_read(pty, port) -> None:
    await pty.device_write(b"last words")
    await asyncio.sleep(0.05)
    pty.close()
    await asyncio.sleep(0.05)
    assert await port.read() == b"last words"
    with pytest.raises(TransportLost):
        await port.read()


async def test_a_port_that_stops_reading_is_lost_after_its_progress_deadline(pty) -> None:
    port = await open_serial(pty.path, write_progress_s=0.2)
    with pytest.raises(TransportLost, match="stopped reading"):
        await asyncio.wait_for(port.write(bytes(10_000_000)), 5)
    port.close()


async def test_a_slow_reader_is_no_loss(pty) -> None:
    port = await open_serial(pty.path, write_progress_s=0.3)
    writing = asyncio.create_task(port.write(b"x" * 60_000))
    got = 0
    while got < 60_000:
        got += len(await asyncio.wait_for(pty.device_read(), 2))
        await asyncio.sleep(0.02)
    await asyncio.wait_for(writing, 2)
    port.close()


async def test_reading_pauses_when_nobody_takes_the_bytes(pty, monkeypatch) -> None:
    monkeypatch.setattr("host_agent.link.serial._BUFFER_HIGH_BYTES", 10_000)
    monkeypatch.setattr("host_agent.link.serial._BUFFER_LOW_BYTES", 2_000)
    port = await open_serial(pty.path)
    sent = 0
    for _ in range(2000):  # far more than the buffers hold
        with contextlib.suppress(BlockingIOError):
            sent += os.write(pty.master, b"y" * 100)
        await asyncio.sleep(0)
    assert port._buffered < 80_000 and sent < 150_000
    got = 0
    while got < sent:
        got += len(await asyncio.wait_for(port.read(), 2))
    assert got == sent
    port.close()


async def test_closing_wakes_a_reader(port) -> None:
    reading = asyncio.create_task(port.read())
    await asyncio.sleep(0)
    port.close()
    with pytest.raises(TransportLost):
        await asyncio.wait_for(reading, 2)


async def test_closing_with_unread_output_does_not_wait(pty) -> None:
    port = await open_serial(pty.path, write_progress_s=0.05)
    with contextlib.suppress(TransportLost):
        await port.write(bytes(1_000_000))
    async with asyncio.timeout(1):
        port.close()


async def test_a_port_that_is_not_there_is_named() -> None:
    with pytest.raises(PortMissing, match="/dev/ttyNOT0"):
        await open_serial("/dev/ttyNOT0")


async def test_a_file_is_not_a_port(tmp_path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    with pytest.raises(PortMissing):
        await open_serial(str(path))


async def test_no_permission_says_so(pty) -> None:
    if os.getuid() == 0:
        import errno

        import serial

        from host_agent.link.serial import _open_error

        error = serial.SerialException(errno.EACCES, "could not open port")
        assert isinstance(_open_error("p", error), PortDenied)
        return
    Path(pty.path).chmod(0)
    with pytest.raises(PortDenied):
        await open_serial(pty.path)


async def test_a_whole_sync_over_a_pty(pty, tmp_path) -> None:
    from host_agent.clock import RealClock
    from host_agent.store.db import Store
    from host_agent.sync.runner import SyncRunner

    device = FakeDevice(tmp_path / "flash")
    for _ in range(50):
        device.read_sensors(12)
    with Store(tmp_path / "s.db") as store:
        runner = SyncRunner(store, lambda: {device.device_id: host_key()}, board_clock=RealClock())
        async with serving(device, pty):
            port = await open_serial(pty.path)
            running = asyncio.create_task(runner.run_session(port, lambda device_id: None))
            async with asyncio.timeout(10):
                while device.journal.acked_seq < 600:
                    await asyncio.sleep(0.01)
            running.cancel()
            await asyncio.wait([running])
            port.close()
        assert store.read_now(lambda tx: tx.execute("SELECT count(*) FROM readings").fetchone()) == (600,)


def test_the_lock_is_the_kind_that_dies_with_its_process(pty) -> None:
    """What keeps others out is `flock` on the port: no file is left to clean up after kill -9."""
    code = (
        "import asyncio, sys\n"
        "from host_agent.link.serial import open_serial\n"
        "async def main():\n"
        "    port = await open_serial(sys.argv[1])\n"
        "    print('open', flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, pty.path], stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"open\n"
    fd = os.open(pty.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    with pytest.raises(BlockingIOError):
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    child.kill()
    child.wait()
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(fd)


@pytest.mark.parametrize("name", ["/dev/null", "file"])
async def test_what_is_no_serial_port_is_said_in_words(tmp_path, name) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PortMissing, match="is no serial port"):
        await open_serial(str(tmp_path / name))
