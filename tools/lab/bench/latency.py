"""Time from the last byte of a sealed frame on the port to the webhook at its receiver, through the whole agent.

A simulated wearable on a pseudo-terminal (the shared session code) sends one ALARM record per sample; a plain HTTP
server on this machine notes its arrival. Every sample passes frame, MAC, decode, SQLite commit with FULL durability,
outbox, HMAC and HTTP.
"""

import asyncio
import http.server
import multiprocessing
import os
import tempfile
import threading
import time
import tty
from binascii import crc32
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crs_core.codes import PATIENT_BUTTON
from crs_core.grade import alarm_state, alarms, rules
from crs_core.journal import block_layout, block_writer, record_layout, record_types
from crs_core.keys import Key
from crs_core.units import PPG_ABSENT, SITE_AXILLA, TEMP_ABSENT, WEAR_UNKNOWN
from crs_core.wire import message as wire
from crs_core.wire import session as sessions
from crs_core.wire.session_device import DeviceSession

from host_agent.agent import Agent
from host_agent.config.model import parse_config
from host_agent.keys import keyfile
from host_agent.paths import Paths
from tools.lab.bench.measuring import Row, percentile
from tools.rig.laptop import device_key
from tools.rig.stored import bind_patient

SAMPLES = 300
WARM_UP = 20
PAUSE_S = 0.01  # one event at a time, as alarms come
P50_MS, P99_MS = 5.0, 50.0
DEVICE_ID = b"LATENCY1"
JOURNAL_ID = b"JOURNAL1"
BINDING_ID = b"BINDING1"
KEY = Key(1, 1, bytes(range(32)), "bench")
SAMPLE_TIMEOUT_S = 5.0


def rows() -> Iterator[Row]:
    taken_ms = measure(SAMPLES)
    p50, p99 = percentile(taken_ms, 0.5), percentile(taken_ms, 0.99)
    count = f"{len(taken_ms)} events, max {max(taken_ms):.1f} ms"
    yield "frame in to webhook out, p50", f"{p50:.2f} ms ({count})", f"<= {P50_MS:g} ms", p50 <= P50_MS
    yield "frame in to webhook out, p99", f"{p99:.2f} ms ({count})", f"<= {P99_MS:g} ms", p99 <= P99_MS


def measure(samples: int) -> list[float]:
    """Milliseconds of each sample after the warm-up. Both ends run in one other process, with one clock."""
    ours, theirs = multiprocessing.Pipe()
    ends = multiprocessing.get_context("spawn").Process(target=_ends, args=(theirs, samples), daemon=True)
    ends.start()
    try:
        with tempfile.TemporaryDirectory(prefix="cytowatch-latency-") as folder:
            port, url = ours.recv()
            return asyncio.run(_run(Path(folder), port, url, ours))
    finally:
        ends.kill()
        ends.join()


async def _run(folder: Path, port: str, url: str, ends: Any) -> list[float]:
    paths = Paths(folder / "home").ensure()
    keyfile.save(paths.keys, device_key(KEY, DEVICE_ID))
    (folder / "secret").write_text("0123456789abcdef")
    (folder / "secret").chmod(0o600)
    config = parse_config(
        '[agent]\nlog_level = "error"\n[serial]\nscan_usb = false\n'
        f'[[webhook]]\nname = "bench"\nurl = "{url}"\n'
        f'secret_file = "{folder / "secret"}"\naccept_simulated = true\n'
    )
    agent = Agent(paths, config, [port])
    agent.store.write_now(lambda tx: bind_patient(tx, DEVICE_ID, BINDING_ID))
    running = asyncio.create_task(agent.run())
    try:
        taken_ms = await asyncio.to_thread(ends.recv)
    finally:
        agent.stop()
        await running
    if isinstance(taken_ms, str):
        raise RuntimeError(taken_ms)
    return list(taken_ms)


def _ends(parent: Any, samples: int) -> None:
    """The other process: wearable and receiver."""
    wearable = _WearableEnd()
    with _Receiver() as receiver:
        parent.send((wearable.path, receiver.url))
        try:
            parent.send(_sample(wearable, receiver, samples))
        except TimeoutError as error:
            parent.send(str(error))
        # The port must stay open until the agent has closed it. The parent then kills this process.
        threading.Event().wait()


def _sample(wearable: "_WearableEnd", receiver: "_Receiver", samples: int) -> list[float]:
    wearable.start()
    taken_ms = []
    for number in range(WARM_UP + samples):
        sent_s = wearable.send_alarm(number)
        arrived_s = receiver.wait(wearable.newest_key)
        if number >= WARM_UP:
            taken_ms.append((arrived_s - sent_s) * 1000)
        time.sleep(PAUSE_S)
    return taken_ms


class _WearableEnd:
    """The wearable's side of a session on a pseudo-terminal; a thread answers the agent's requests."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._session = DeviceSession(DEVICE_ID, JOURNAL_ID, [KEY], os.urandom)
        self._lock = threading.Lock()
        self._reading = threading.Event()
        self._idle = alarms.Inputs(
            None, TEMP_ABSENT, None, None, None, None, PPG_ABSENT, None, WEAR_UNKNOWN, SITE_AXILLA, 1, 0, 0, 0
        )
        self._state, _ = alarms.step(alarms.new_state(), self._idle, 1000, rules.DEFAULT)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._seq = 0

    def start(self) -> None:
        """Serve until the agent reads the journal."""
        self._thread.start()
        if not self._reading.wait(SAMPLE_TIMEOUT_S):
            raise TimeoutError("the agent did not open a session")

    @property
    def newest_key(self) -> str:
        """Key of the webhook event that the newest record causes."""
        return f"{DEVICE_ID.hex()}-{JOURNAL_ID.hex()}-0-{self._seq}-alarm-{PATIENT_BUTTON}"

    def send_alarm(self, number: int) -> float:
        """Send one block with one ALARM record; return the time just before its first byte."""
        self._seq += 1
        t_ms = 2000 + number
        rows = [(t_ms, record_layout.ALARM, record_types.encode(self._button_record(t_ms)))]
        raw = block_writer.encode_events(JOURNAL_ID, 1, self._seq, rows, block_layout.FLAG_SIMULATED)
        with self._lock:
            frame = self._session.seal(wire.Block(raw))
            sent_s = time.perf_counter()
            os.write(self._master, frame)
        return sent_s

    def _button_record(self, t_ms: int) -> Any:
        """The record of a press on "I feel ill", as a wearable journals it, so that the host's re-run agrees."""
        pressed = self._idle._replace(button=alarm_state.BUTTON_LONG)
        after, changes = alarms.step(self._state, pressed, t_ms, rules.DEFAULT)
        return record_types.Alarm(
            rules.rule_hash(rules.DEFAULT), tuple(changes), alarms.encode_inputs(pressed),
            alarms.encode_state(self._state, t_ms), crc32(alarms.encode_state(after, t_ms)),
        )  # fmt: skip

    def _serve(self) -> None:
        while True:
            for event in self._session.receive(os.read(self._master, 4096)):
                if isinstance(event, sessions.Send):
                    os.write(self._master, event.data)
                elif isinstance(event, sessions.Received):
                    self._answer(event.message)

    def _answer(self, message: Any) -> None:
        replies: dict[type, Any] = {
            wire.StatusAsk: wire.StatusIs(1, 1000, 0, 0, 1, 3, 3900, 100_000, BINDING_ID, []),
            wire.Ping: wire.Pong(getattr(message, "token", 0)),
            wire.Time: wire.TimeIs(getattr(message, "utc_ms", 0), 1, 1000),
            wire.ReadFrom: wire.CaughtUp(0),
        }
        reply = replies.get(type(message))
        if reply is not None:
            with self._lock:
                os.write(self._master, self._session.seal(reply))
        if isinstance(message, wire.ReadFrom):
            self._reading.set()


class _Receiver:
    """Notes when each request has arrived in full, then answers 200."""

    def __init__(self) -> None:
        self._arrived: dict[str, float] = {}
        self._changed = threading.Condition()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                with receiver._changed:
                    receiver._arrived[self.headers["Idempotency-Key"]] = time.perf_counter()
                    receiver._changed.notify_all()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> "_Receiver":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, key: str) -> float:
        """Time at which the event with this key arrived; TimeoutError when it does not come."""
        with self._changed:
            if not self._changed.wait_for(lambda: key in self._arrived, SAMPLE_TIMEOUT_S):
                raise TimeoutError(f"event {key} did not arrive; {len(self._arrived)} others did")
            return self._arrived[key]
