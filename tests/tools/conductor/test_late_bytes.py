"""Bytes that the kernel hands over late are waited for: on a pty by counting, on TCP by asking the kernel."""

import os
import select
import socket
import threading
import tty
from contextlib import suppress
from types import SimpleNamespace

import pytest

from host_agent.link import serial as product
from tools.conductor.opened_ports import OpenedPorts, use_ports
from tools.conductor.port_counts import PortCounts
from tools.conductor.tcp_arrival import TcpArrivals

PORT = "/dev/pts/7"
WEARABLE, AGENT, OTHER = 1, 2, 3


def test_each_end_is_told_what_the_other_sent():
    counts = PortCounts()
    counts.report(WEARABLE, {PORT: [1, 100, 0]}, {})
    number, sent = counts.due(AGENT)[PORT]
    assert sent == 100
    counts.report(AGENT, {}, {PORT: [number, 30, 100]})
    assert counts.due(WEARABLE) == {PORT: (1, 30)}
    assert counts.due(AGENT) == {PORT: (number, 100)}


def test_next_host_counts_from_where_the_last_one_stopped():
    counts = PortCounts()
    counts.report(WEARABLE, {PORT: [1, 100, 0]}, {})
    number, _ = counts.due(AGENT)[PORT]
    counts.report(AGENT, {}, {PORT: [number, 30, 90]})
    counts.gone(AGENT)
    assert counts.due(OTHER) == {PORT: (number, 10)}
    counts.report(OTHER, {}, {PORT: [number, 5, 10]})
    assert counts.due(WEARABLE) == {PORT: (1, 35)}


def test_port_that_was_made_again_counts_from_zero():
    counts = PortCounts()
    counts.report(WEARABLE, {PORT: [1, 100, 0]}, {})
    number, _ = counts.due(AGENT)[PORT]
    counts.report(AGENT, {}, {PORT: [number, 30, 100]})
    counts.gone(WEARABLE)
    assert counts.due(AGENT) == {}
    counts.report(OTHER, {PORT: [1, 7, 0]}, {})
    assert counts.due(AGENT)[PORT][0] > number
    # what the agent still says of the port that is gone counts no more
    counts.report(AGENT, {}, {PORT: [number, 99, 100]})
    assert counts.due(OTHER) == {PORT: (1, 0)}
    assert counts.due(AGENT)[PORT][1] == 7


@pytest.fixture
def pty():
    master, slave = os.openpty()
    tty.setraw(slave)
    path = os.ttyname(slave)
    os.close(slave)
    ends = SimpleNamespace(master=master, path=path)
    yield ends
    with suppress(OSError):
        os.close(master)


@pytest.fixture
def turns():
    return SimpleNamespace(due={})


def test_host_reads_in_one_piece_what_was_sent_in_many(pty, turns):
    ports = OpenedPorts(turns)
    fd = os.open(pty.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    ports.opened(fd, pty.path)
    turns.due = {pty.path: (1, 3000)}
    assert ports.late() == [fd]

    def send():
        for _ in range(30):
            os.write(pty.master, b"x" * 100)

    sender = threading.Thread(target=send)
    sender.start()
    assert ports.read(fd, 65536) == b"x" * 3000
    sender.join()
    assert ports.late() == []
    assert ports.write(fd, b"abc") == 3
    assert ports.counts() == {pty.path: [1, 3, 3000]}
    os.close(fd)


def test_bytes_for_an_earlier_host_are_dropped_with_counting(pty, turns, monkeypatch):
    for name in ("os", "serial", "termios"):
        monkeypatch.setattr(product, name, getattr(product, name))
    ports = use_ports(product, turns)
    os.write(pty.master, b"old" * 100)
    turns.due = {pty.path: (4, 300)}
    port = product.serial.Serial(None, 115200, timeout=0, exclusive=True)
    port.port = pty.path
    port.open()
    assert ports.counts() == {pty.path: [4, 0, 300]}
    product.os.write(port.fileno(), b"unread")
    # the product discards unread output when it closes; here every byte that was sent arrives
    product.termios.tcflush(port.fileno(), product.termios.TCOFLUSH)
    port.close()
    assert select.select([pty.master], [], [], 2)[0]
    assert os.read(pty.master, 99) == b"unread"


def test_hangup_ends_the_wait(pty, turns, monkeypatch):
    monkeypatch.setattr("tools.conductor.opened_ports._LATE_S", 1e6)
    ports = OpenedPorts(turns)
    fd = os.open(pty.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    ports.opened(fd, pty.path)
    turns.due = {pty.path: (1, 10)}
    os.write(pty.master, b"half")
    os.close(pty.master)
    with suppress(OSError):
        while ports.read(fd, 99):
            pass
    os.close(fd)


def test_port_of_nobody_is_read_as_it_is(pty, turns):
    ports = OpenedPorts(turns)
    fd = os.open(pty.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    ports.opened(fd, pty.path)
    with pytest.raises(BlockingIOError):
        ports.read(fd, 99)
    os.write(pty.master, b"x")
    assert select.select([fd], [], [], 2)[0]
    assert ports.read(fd, 99) == b"x"
    assert not ports.is_counted(fd)
    assert ports.counts() == {}
    os.close(fd)


def connected():
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        return client, server.accept()[0]


def test_tcp_bytes_and_ends_are_known_to_have_arrived():
    client, other = connected()
    arrivals = TcpArrivals()
    arrivals.note(client.fileno())
    client.sendall(b"x" * 1000)
    arrivals.wait()
    assert select.select([other], [], [], 0)[0]
    assert len(other.recv(2000)) == 1000
    client.sendall(b"y")
    client.close()
    arrivals.wait()
    assert (other.recv(9), other.recv(9)) == (b"y", b"")
    assert arrivals.has_arrived()
    other.close()
    arrivals.close()


def test_connection_that_nobody_accepted_yet_has_arrived():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.setblocking(False)
        with suppress(BlockingIOError):
            client.connect(server.getsockname())
        arrivals = TcpArrivals()
        arrivals.note(client.fileno())
        arrivals.wait()
        assert select.select([server], [client], [], 0)[:2] == ([server], [client])
        arrivals.close()


def test_what_a_full_receiver_does_not_take_is_not_on_its_way():
    client, other = connected()
    client.setblocking(False)
    arrivals = TcpArrivals()
    arrivals.note(client.fileno())
    with suppress(BlockingIOError):
        while True:
            client.send(b"z" * 65536)
    arrivals.wait(timeout_s=1e6)
    client.close()
    other.close()
    arrivals.close()


def test_other_descriptors_are_left_alone():
    one, two = socket.socketpair()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    reader, writer = os.pipe()
    arrivals = TcpArrivals()
    for fd in (one.fileno(), udp.fileno(), reader, 999):
        arrivals.note(fd)
    assert arrivals.has_arrived()
    for end in (one, two, udp):
        end.close()
    os.close(reader)
    os.close(writer)
    arrivals.close()
