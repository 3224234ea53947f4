"""The control socket: private, bounded, and clear when the agent is away, slow or busy."""

import asyncio
import json
import stat

import pytest

from host_agent.control.socket import AgentNotRunning, ControlFailed, ControlServer, call
from host_agent.errors import HostAgentError, LinkError


@pytest.fixture
async def server(tmp_path):
    async def echo(request):
        return {"heard": request.get("text")}

    async def refuse(request):
        raise LinkError("No such wearable.", "Plug it in.")

    async def hang(request):
        await asyncio.Event().wait()

    async def fail(request):
        raise {"index": IndexError("site 7"), "runtime": RuntimeError("x"), "none": AttributeError("y")}[
            request["how"]
        ]

    async def unsayable(request):
        return {"heard": b"bytes"}

    async def much(request):
        return {"heard": "x" * 900_000}

    path = tmp_path / "agent.sock"
    handlers = {
        "much": much,
        "echo": echo,
        "refuse": refuse,
        "hang": hang,
        "fail": fail,
        "unsayable": unsayable,
    }
    control = ControlServer(path, handlers, timeout_s=0.2, idle_s=0.2)
    await control.start()
    yield path, control
    await control.close()


async def test_a_command_is_answered(server):
    path, _ = server
    assert await call(path, "echo", text="hällo\n") == {"heard": "hällo\n"}


async def test_the_socket_is_private_and_removed_at_the_end(server):
    path, control = server
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await control.close()
    assert not path.exists()


async def test_an_error_keeps_its_sentence_advice_and_code(server):
    path, _ = server
    with pytest.raises(ControlFailed, match="No such wearable") as caught:
        await call(path, "refuse")
    assert caught.value.advice == "Plug it in." and caught.value.failed_code == "link"


async def test_a_command_that_hangs_times_out_with_advice(server):
    path, _ = server
    with pytest.raises(ControlFailed, match="Not done within 0.2 s") as caught:
        await call(path, "hang")
    assert "cytowatch status" in caught.value.advice


async def test_an_unknown_command_lists_the_known_ones(server):
    path, _ = server
    with pytest.raises(ControlFailed) as caught:
        await call(path, "nonsense")
    assert "echo, fail, hang, much, refuse, unsayable" in caught.value.advice


@pytest.mark.parametrize("line", [b"{\n", b"[]\n", b"1\n", b'{"do": []}\n', b"\xff\n", b"[" * 5000 + b"\n"])
async def test_garbage_gets_an_answer_and_the_server_lives(server, line):
    path, _ = server
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(line)
    answer = json.loads(await reader.readline())
    assert "does not know this command" in answer["failed"]
    writer.close()
    assert await call(path, "echo", text="x") == {"heard": "x"}


async def test_an_endless_line_closes_the_connection_only(server):
    path, _ = server
    reader, writer = await asyncio.open_unix_connection(str(path))
    closed = False
    try:
        for _ in range(40):
            writer.write(b"x" * 65536)
            await writer.drain()
        closed = await reader.read() == b""
    except ConnectionError:
        closed = True
    assert closed and await call(path, "echo", text="x") == {"heard": "x"}


async def test_no_agent_says_so(tmp_path):
    with pytest.raises(AgentNotRunning) as caught:
        await call(tmp_path / "none.sock", "echo")
    assert "cytowatch run" in caught.value.advice


async def test_a_socket_left_by_a_dead_agent_is_taken_over(tmp_path):
    import socket

    path = tmp_path / "agent.sock"
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    with pytest.raises(AgentNotRunning):
        await call(path, "echo")
    control = ControlServer(path, {})
    await control.start()
    await control.close()


async def test_a_second_agent_is_refused_and_the_first_goes_on(server):
    path, _ = server
    with pytest.raises(HostAgentError, match="Another agent already runs"):
        await ControlServer(path, {}).start()
    assert await call(path, "echo", text="x") == {"heard": "x"}


async def test_a_file_in_the_way_is_not_removed(tmp_path):
    path = tmp_path / "agent.sock"
    path.write_text("mine")
    with pytest.raises(HostAgentError, match="is a file, not a socket"):
        await ControlServer(path, {}).start()
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("do", "how"), [("fail", "index"), ("fail", "runtime"), ("fail", "none"), ("unsayable", "")]
)
async def test_whatever_a_command_meets_the_door_answers_and_stays_open(server, do, how):
    path, _ = server
    with pytest.raises(ControlFailed, match="could not do it|malformed"):
        await call(path, do, how=how)
    assert await call(path, "echo", text="still here") == {"heard": "still here"}


@pytest.mark.parametrize(("idle", "deaf"), [(16, 0), (0, 16), (8, 8)])
async def test_programs_that_ask_nothing_or_take_no_answer_keep_the_door_from_nobody(server, idle, deaf):
    path, _ = server
    silent = [await asyncio.open_unix_connection(path) for _ in range(idle + deaf)]
    for _, writer in silent[idle:]:
        writer.transport.pause_reading()
        writer.write(b'{"do": "much"}\n')
    async with asyncio.timeout(20):
        while True:
            try:
                assert await call(path, "echo", text="now") == {"heard": "now"}
                break
            except ControlFailed:  # for as long as the others have to say something
                await asyncio.sleep(0)
    for _, writer in silent:
        writer.close()
