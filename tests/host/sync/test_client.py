"""Opening a session, and what a port may throw at it."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from crs_core.keys import Key
from crs_core.wire import frame, hello
from crs_core.wire import message as wire

from host_agent.errors import (
    AnswerTimeout,
    DeviceAtRepl,
    HelloTimeout,
    NotAllowed,
    NotEnrolled,
    RequestRefused,
    SessionClosed,
    SessionRefused,
)
from host_agent.sync.client import DeviceClient
from tools.rig.protocol_wearable import CUSTODIAN, DEVICE_ID, READER, FakeDevice, Pipe, host_key, serving


async def open_client(pipe: Pipe, keys: Any = None, **options: Any) -> DeviceClient:
    client = DeviceClient(pipe, keys if keys is not None else [host_key()], **options)
    await client.open()
    client.start()
    return client


@contextlib.asynccontextmanager
async def connected(
    device: FakeDevice, pipe: Pipe | None = None, keys: Any = None, **options: Any
) -> AsyncIterator[DeviceClient]:
    """A client in session with this wearable."""
    pipe = pipe or Pipe()
    async with serving(device, pipe):
        yield await open_client(pipe, keys, **options)


async def test_a_session_opens_and_answers(device) -> None:
    async with connected(device) as client:
        assert client.peer.device_id == DEVICE_ID
        status = await client.ask(wire.StatusAsk(), wire.StatusIs)
        assert status.head_seq == device.journal.head_seq
        await client.close()
    with pytest.raises(SessionClosed):
        await client.send(wire.Ping(1))


async def test_no_byte_below_0x20_ever_goes_to_the_wearable(device) -> None:
    pipe = Pipe()
    async with connected(device, pipe) as client:
        for token in range(300):
            await client.send(wire.Ping(token))
        await client.close()
    assert min(min(data) for data in pipe.host_wrote) >= 0x20


async def test_a_lost_hello_is_sent_again(device, monkeypatch) -> None:
    monkeypatch.setattr("host_agent.sync.client.HELLO_RETRY_S", 0.05)
    lost = 2

    def lose_two(data: bytes) -> list[bytes]:
        nonlocal lost
        lost -= 1
        return [] if lost >= 0 else [data]

    pipe = Pipe(to_device=lose_two)
    async with serving(device, pipe):
        await open_client(pipe)


@pytest.mark.parametrize("lost_frame", [0, 1])
async def test_a_lost_answer_in_the_handshake_is_made_good(device, monkeypatch, lost_frame) -> None:
    """Frame 0 to the host is the wearable's HELLO, 1 its PROOF."""
    monkeypatch.setattr("host_agent.sync.client.HELLO_RETRY_S", 0.05)
    number = -1

    def lose_one(data: bytes) -> list[bytes]:
        nonlocal number
        number += 1
        return [] if number == lost_frame else [data]

    async with connected(device, Pipe(to_host=lose_one)) as client:
        await client.ask(wire.StatusAsk(), wire.StatusIs)


async def test_silence_ends_in_a_timeout(monkeypatch) -> None:
    with pytest.raises(HelloTimeout):
        await DeviceClient(Pipe(), [host_key()]).open(deadline_s=0.1)


async def test_the_right_key_is_found_among_several(device) -> None:
    stranger = Key(0x77, 1, bytes(32), "other")
    async with connected(device, keys=[host_key(stranger, bytes(8)), host_key()]) as client:
        assert client.key is not None and client.key.key_id == CUSTODIAN.key_id


WRONG = host_key(Key(CUSTODIAN.key_id, 1, bytes(32), "wrong"))


@pytest.mark.parametrize(
    ("device_id", "revoked", "key", "error", "says"),
    [
        (DEVICE_ID, True, host_key(), NotEnrolled, "revoked"),
        (DEVICE_ID, False, WRONG, SessionRefused, "not the wearable's"),
        (b"otherdev", False, host_key(), NotEnrolled, "or another wearable"),
    ],
    ids=["revoked", "a wrong key under a known id", "another wearable"],
)
async def test_a_key_that_does_not_fit_is_refused(tmp_path, device_id, revoked, key, error, says) -> None:
    device = FakeDevice(tmp_path / "flash", device_id=device_id)
    if revoked:
        device.session.set_keys([])
    pipe = Pipe()
    async with serving(device, pipe):
        with pytest.raises(error, match=says) as caught:
            await open_client(pipe, [key])
    assert "enrol" in caught.value.advice.lower() and not device.session.is_open


async def test_a_key_revoked_in_session_ends_it(device) -> None:
    pipe = Pipe()
    async with connected(device, pipe) as client:
        for event in device.session.set_keys([]):
            if hasattr(event, "data"):
                await pipe.device_write(event.data)
        with pytest.raises(SessionClosed, match="BYE"):
            await asyncio.wait_for(client.next_message(), 2)


async def test_another_protocol_version_is_named_on_both_sides() -> None:
    pipe = Pipe()
    opening = asyncio.create_task(open_client(pipe))
    await pipe.device_read()
    future = hello.Hello(7, 9, 0, 111, hello.ROLE_DEVICE, DEVICE_ID, bytes(8), CUSTODIAN.key_id, bytes(16))
    await pipe.device_write(frame.encode(hello.encode_hello(future), False))
    with pytest.raises(SessionRefused, match="protocol 7 to 9"):
        await asyncio.wait_for(opening, 2)


async def test_version_bits_flipped_on_the_way_are_no_downgrade(device) -> None:
    """The proofs cover both HELLOs as they were sent."""

    def flip(data: bytes) -> list[bytes]:
        payload = frame.Decoder(200).feed(data)[0][1]
        if payload[:4] == b"CWHL":
            payload = payload[:4] + bytes([payload[4] - 1]) + payload[5:]
        return [frame.encode(payload, False)]

    pipe = Pipe(to_host=flip)
    async with serving(device, pipe):
        with pytest.raises(SessionRefused):
            await open_client(pipe)


async def test_a_mirror_is_not_a_wearable() -> None:
    """Everything sent comes back: a line editor, a loopback plug, an attacker."""
    pipe = Pipe()

    async def mirror() -> None:
        while True:
            await pipe.device_write(await pipe.device_read())

    task = asyncio.create_task(mirror())
    with pytest.raises(HelloTimeout):
        await DeviceClient(pipe, [host_key()]).open(deadline_s=0.3)
    task.cancel()


@pytest.mark.parametrize(
    "text",
    [
        b'MicroPython v1.28 on 2026; esp32s3\r\nType "help()"\r\n>>> ',
        b"raw REPL; CTRL-B to exit\r\n>",
        b">>> ",
    ],
)
async def test_a_python_prompt_instead_of_a_hello_is_reported_and_sending_stops(text) -> None:
    pipe = Pipe()
    opening = asyncio.create_task(DeviceClient(pipe, [host_key()]).open())
    await pipe.device_read()
    for byte in text:  # as it may be cut
        await pipe.device_write(bytes([byte]))
    with pytest.raises(DeviceAtRepl):
        await asyncio.wait_for(opening, 2)
    assert len(pipe.host_wrote) == 1


async def test_our_own_hello_typed_back_by_a_line_editor_is_a_prompt() -> None:
    """An idle prompt says nothing until something is typed; then it echoes what is printable."""
    pipe = Pipe()
    opening = asyncio.create_task(DeviceClient(pipe, [host_key()]).open())
    typed = await pipe.device_read()
    await pipe.device_write(bytes(b for b in typed if 32 <= b < 127))
    with pytest.raises(DeviceAtRepl):
        await asyncio.wait_for(opening, 2)


async def test_a_wearable_s_hello_that_lost_its_flag_is_no_prompt(device, monkeypatch) -> None:
    monkeypatch.setattr("host_agent.sync.client.HELLO_RETRY_S", 0.05)
    first = True

    def lose_the_flag(data: bytes) -> list[bytes]:
        nonlocal first
        cut, first = first, False
        return [data[1:]] if cut else [data]

    pipe = Pipe(to_host=lose_the_flag)
    async with serving(device, pipe):
        await open_client(pipe)


async def test_a_crash_in_session_shows_as_a_prompt(device) -> None:
    pipe = Pipe()
    lines: list[str] = []
    async with serving(device, pipe):
        client = await open_client(pipe, on_text=lines.append)
        device.deaf = True
        await pipe.device_write(b'Traceback (most recent call last):\r\n  File "main.py"\x1b[31m\r\n')
        await pipe.device_write(b"MemoryError: \r\n>>> ")
        with pytest.raises(DeviceAtRepl):
            await asyncio.wait_for(client.next_message(), 2)
    assert lines[0] == "Traceback (most recent call last):" and "\x1b" not in "".join(lines)


PROMPTS = [
    b"\r\n>>> ",
    b"\n>>> \n>>> \n>>> ",
    b"raw REPL; CTRL-B to exit\r\n>",
    b'~CWHL}!}"',
    b"\r\n>>> " * 500,
]


@pytest.mark.parametrize("text", PROMPTS)
async def test_a_prompt_that_anyone_can_write_ends_no_session(device, monkeypatch, text) -> None:
    monkeypatch.setattr("host_agent.sync.client._PROMPT_S", 0.2)
    pipe = Pipe()
    async with connected(device, pipe) as client:
        for _ in range(30):
            await pipe.device_write(text)
            assert await client.ask(wire.StatusAsk(), wire.StatusIs)
        assert client._doubt is not None
        await client._doubt
        assert await client.ask(wire.StatusAsk(), wire.StatusIs)
        assert len(pipe.host_wrote) < 31 + 10, "what anyone writes does not make this laptop talk much"


@pytest.mark.parametrize("text", PROMPTS)
async def test_a_prompt_before_the_answer_does_not_keep_the_session_out(device, text) -> None:
    pipe = Pipe(to_host=lambda data: [text, data, text])
    async with connected(device, pipe) as client:
        assert (await client.ask(wire.Ping(1), wire.Pong)).token == 1


async def test_a_prompt_and_then_silence_is_a_wearable_without_application(device, monkeypatch) -> None:
    monkeypatch.setattr("host_agent.sync.client._PROMPT_S", 0.1)
    pipe = Pipe()
    async with connected(device, pipe) as client:
        await pipe.device_write(b"\r\n>>> ")
        await client.ask(wire.StatusAsk(), wire.StatusIs)
        assert client._doubt is not None
        await client._doubt
        client.messages.clear()
        device.deaf = True
        await pipe.device_write(b"\r\n>>> ")
        with pytest.raises(DeviceAtRepl):
            await asyncio.wait_for(client.next_message(), 2)


async def test_a_stuck_random_source_repeats_no_nonce(device) -> None:
    seen = set()
    for _ in range(5):
        pipe = Pipe()
        async with connected(device, pipe, random_bytes=bytes):
            ((_, hello_bytes),) = frame.Decoder(100).feed(pipe.host_wrote[0])
            seen.add(hello.decode_hello(hello_bytes).nonce)
    assert len(seen) == 5


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (wire.AlarmAccept(3, 3, "Dr. House"), "accept its alarms"),
        (wire.Bind(wire.BIND_START, b"PATIENT1", 0, 1, b""), "start or end its patient"),
        (wire.Keys(wire.KEYS_REVOKE, 1), "revoke a laptop"),
        (wire.Context(0, 1, b"x"), "bring what people entered"),
        (wire.Settings(wire.SETTINGS_SET, 0, 1, b"x"), "change its settings"),
        (wire.SelfTest(0), "test it"),
        (wire.Maintenance(wire.MAINTENANCE_ENTER, 60), "service it"),
        (wire.Pause(wire.PAUSE_BEGIN, 1, 60), "pause it"),
    ],
)
async def test_a_reader_s_laptop_does_not_ask_what_it_may_not_and_says_so(device, message, says) -> None:
    pipe = Pipe()
    async with connected(device, pipe, keys=[host_key(READER)]) as client:
        sent = len(pipe.host_wrote)
        with pytest.raises(NotAllowed, match=says) as refused:
            await client.command(message)
        assert "reader" in str(refused.value) and "cytowatch hosts list" in refused.value.advice
        assert refused.value.result_code == wire.RESULT_FORBIDDEN and len(pipe.host_wrote) == sent
        assert (await client.ask(wire.Time(1_800_000_000_000, 1), wire.TimeIs)).utc_ms


async def test_text_between_frames_does_not_disturb_the_session(device) -> None:
    async with connected(
        device, Pipe(to_host=lambda data: [b"boot: heap 120k\r\n", data, b"\x00\xff~garbage~"])
    ) as client:
        for token in range(20):
            assert (await client.ask(wire.Ping(token), wire.Pong)).token == token


async def test_replayed_reflected_oversize_and_random_frames_are_counted_and_change_nothing(device) -> None:
    rng = random.Random(5)
    pipe = Pipe()
    async with connected(device, pipe) as client:
        await client.ask(wire.StatusAsk(), wire.StatusIs)
        old = pipe.device_wrote[-1]
        await pipe.device_write(old)  # replayed
        # reflected
        await pipe.device_write(frame.encode(frame.Decoder(300).feed(pipe.host_wrote[-1])[0][1], False))
        await pipe.device_write(b"~" + b"x" * 20_000 + b"~")
        for _ in range(200):
            await pipe.device_write(frame.encode(rng.randbytes(rng.randrange(1, 80)), False))
        assert (await client.ask(wire.Ping(7), wire.Pong)).token == 7
        counters = client.counters()
        assert not client.messages
    assert counters["replayed"] >= 1 and counters["reflected"] >= 1 and counters["oversize"] >= 1


async def test_a_request_without_an_answer_times_out_and_the_session_goes_on(device) -> None:
    async with connected(device) as client:
        with pytest.raises(AnswerTimeout, match="SelfTest"):
            await client.ask(wire.SelfTest(0), wire.SelfTestIs, deadline_s=0.1)
        assert (await client.ask(wire.Ping(7), wire.Pong)).token == 7


async def test_a_refused_request_carries_its_code(device) -> None:
    device.read_only_answers[wire.Keys] = wire.Result(0x1B, wire.RESULT_FORBIDDEN, "custodian only")
    async with connected(device) as client:
        with pytest.raises(RequestRefused, match="custodian only") as caught:
            await client.ask(wire.Keys(wire.KEYS_LIST, 0), wire.KeysIs)
    assert caught.value.result_code == wire.RESULT_FORBIDDEN
