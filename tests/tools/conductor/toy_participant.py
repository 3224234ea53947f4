"""A small participant in a process of its own: `python toy_participant.py SOCKET NAME BEHAVIOUR ...`.

Tests start it and do not import it. What it prints is its own transcript.
"""

import asyncio
import contextlib
import os
import random
import secrets
import signal
import socket
import sys
import time
import tty
import uuid

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tools.conductor.event_loop import use_turns
from tools.conductor.opened_ports import OpenedPorts
from tools.conductor.process_clock import use_clock
from tools.conductor.process_random import use_random
from tools.conductor.turns import Turns

really_sleep = time.sleep
PATH, NAME, BEHAVIOUR, *REST = sys.argv[1:]
turns = Turns(PATH, NAME)


def say(*words):
    print(turns.now_us, *words, flush=True)


def turn(until_us, ran=True, **options):
    turns.idle(until_us, ran, **options)
    while not turns.take_go(block=True):
        pass


def sleeps(step_us, count):
    """Work every `step_us`, `count` times."""
    next_us, ran = turns.now_us, True
    for _ in range(int(count)):
        say("works")
        next_us += int(step_us)
        while turns.now_us < next_us:
            turn(next_us, ran)
            ran = False
        ran = True


def whispers(step_us, count):
    """As `sleeps`, and nobody else gets anything to do by it."""
    for _ in range(int(count)):
        turn(turns.now_us + int(step_us), spoke=False)


def dies(how):
    """End in the second turn: by a signal, or by an error."""
    turn(turns.now_us + 1000)
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    raise SystemExit(3)


def never_idles():
    """A firmware that hangs."""
    turn(turns.now_us + 1000)
    while True:
        pass


def floods():
    """Work for ever in no time."""
    while True:
        turn(turns.now_us)


def chatters():
    """Say something without end."""
    turns.idle(None, True)
    while True:
        turns._send({"wake": True})


def babbles(text):
    """Say something that nobody understands."""
    turns._socket.send(text.encode())
    turn(None)


def runs_ahead(step_us, count):
    """A wearable: it goes on by itself as far as its horizon."""
    at_us = turns.now_us
    done, ran = 0, True
    while done < int(count):
        while at_us + int(step_us) <= max(turns.horizon_us, turns.now_us) and done < int(count):
            at_us += int(step_us)
            done, ran = done + 1, True
            print(at_us, "steps", flush=True)
        turn(at_us + int(step_us), ran, at_us=max(at_us, turns.now_us))
        ran = False


def runs_too_far():
    """Go beyond the horizon."""
    turn(turns.now_us + 1000)
    turn(None, at_us=turns.horizon_us + 1)


def makes_port(step_us, count):
    """A board on a cable: it says a line every `step_us`, in small pieces, and prints what it hears."""
    ours, cable = os.openpty()
    tty.setraw(cable)
    path, sent, taken, next_us = os.ttyname(cable), 0, 0, turns.now_us + int(step_us)
    os.set_blocking(ours, False)
    print(path, flush=True)
    ran = True
    for number in range(int(count)):
        while turns.now_us < next_us:
            turn(next_us, ran, ports={path: [1, sent, taken]})
            ran = False
            due = turns.due[path][1]
            while taken < due:
                with contextlib.suppress(BlockingIOError):
                    heard = os.read(ours, due - taken)
                    taken += len(heard)
                    ran = True
                    say("hears", heard.decode())
        for piece in f"line {number}\n".encode():
            sent += os.write(ours, bytes([piece]))
        next_us, ran = next_us + int(step_us), True
    turn(None, ports={path: [1, sent, taken]})


def sleeps_in_time(seconds):
    """A program without an event loop that sleeps."""
    use_clock(turns)
    begun = time.monotonic(), time.time()
    time.sleep(float(seconds))
    say(f"{time.monotonic() - begun[0]:.3f} {time.time() - begun[1]:.3f}")


def draws():
    """Random numbers of every source."""
    use_random(turns)
    ed25519 = Ed25519PrivateKey.generate().private_bytes_raw().hex()
    p256 = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    say(os.urandom(4).hex(), secrets.token_hex(4), uuid.uuid4(), random.random(), ed25519, p256)


def listens_to_nobody(address):
    """Call where nobody is: each try takes its time of the simulation, and none of ours."""

    async def main():
        for _ in range(3):
            try:
                await asyncio.wait_for(asyncio.open_connection(address, 9), 2)
            except TimeoutError:
                say("nobody")
            except OSError as error:
                say(error.errno)

    on_loop(main)


def on_loop(main):
    use_clock(turns)
    use_turns(turns)
    asyncio.run(main())


def timers():
    """Many timers, several for one moment."""

    async def one(name, seconds):
        for _ in range(5):
            await asyncio.sleep(seconds)
            say(name)

    async def main():
        await asyncio.gather(*(one(f"{name}", seconds) for name in "abcd" for seconds in (0.1, 0.25)))

    on_loop(main)


def threads():
    """Work in threads, of several pools."""

    def has_no_loop():
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return True
        return False

    async def main():
        done = []

        async def one(name):
            done.append(name)
            say(
                name,
                await asyncio.to_thread(has_no_loop),
                await asyncio.to_thread(time.monotonic) == time.monotonic(),
            )

        await asyncio.gather(*(one(name) for name in "abcdefgh"))
        first, rest = asyncio.create_task(one("x")), asyncio.create_task(asyncio.sleep(1))
        await asyncio.wait({first, rest}, return_when=asyncio.FIRST_COMPLETED)
        say("before the timer" if not rest.done() else "after the timer")
        try:
            await asyncio.to_thread(lambda: 1 // 0)
        except ZeroDivisionError:
            say("the error came back")

    on_loop(main)


def waits_for_signal():
    """Until SIGTERM."""

    async def main():
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await stop.wait()
        say("stops")

    on_loop(main)


def spins():
    """A loop that always has something to do."""

    async def main():
        while True:
            await asyncio.sleep(0)

    on_loop(main)


def serves(address):
    """Answer lines, some late; end after a while."""

    async def answer(reader, writer):
        count = 0
        while line := await reader.readline():
            count += 1
            if count % 7 == 0:
                await asyncio.sleep(0.003)
            await asyncio.to_thread(lambda: None)
            say("answers", line.decode().strip())
            writer.write(b"%d " % count + line)
            await writer.drain()
        say("hangs up")
        writer.close()

    async def main():
        if address.startswith("/"):
            await asyncio.start_unix_server(answer, address)
        else:
            await asyncio.start_server(answer, "127.0.0.1", int(address))
        await asyncio.sleep(5)

    on_loop(main)


def asks(address):
    """Three connections at once, many lines each."""

    async def one(number):
        await asyncio.sleep(0.1)
        if address.startswith("/"):
            reader, writer = await asyncio.open_unix_connection(address)
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(address))
        for line in range(10):
            writer.write(f"{NAME}{number}-{line}\n".encode())
            say("hears", (await asyncio.wait_for(reader.readline(), 1)).decode().strip())
            await asyncio.sleep(0.01)
        writer.close()
        await writer.wait_closed()

    async def main():
        await asyncio.gather(*(one(number) for number in range(3)))

    on_loop(main)


def echoes(address, works_on_s="0"):
    """Answer whoever connects from outside, at any real time, when no simulated time passes; work on after that."""

    async def answer(reader, writer):
        writer.write(b"heard " + await reader.readline())
        await writer.drain()
        really_sleep(float(works_on_s))
        say("was asked")
        writer.close()

    async def main():
        await asyncio.start_unix_server(answer, address)
        await asyncio.Event().wait()

    on_loop(main)


def looks_early(address, real_s):
    """Take one message from outside in each turn, and after that look at nothing but the conductor."""
    inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    inbox.bind(address)
    inbox.setblocking(False)
    ran = True
    while True:
        turn(None, ran)
        ran = False
        with contextlib.suppress(BlockingIOError):
            say("hears", inbox.recv(99).decode())
            really_sleep(float(real_s))
            ran = True


def reads_and_leaves(path):
    """Open a cable; end in the turn in which it has read."""
    ports = OpenedPorts(turns)
    turns.opened = ports.counts
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    ports.opened(fd, path)
    while not ports.late():
        turn(None, False)
    say("hears", ports.read(fd, 99).decode())


def stays():
    """Do nothing, for ever."""
    while True:
        turn(None, ran=False)


globals()[BEHAVIOUR](*REST)
