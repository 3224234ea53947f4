"""A line for each event, to every kind of log; no line tells what was measured, and none can be forged by a name."""

import asyncio
import json
import re
import socket

import pytest
from pydantic import ValidationError

from host_agent.forward.delivery import Delivered, Delivery, RetryAfter
from host_agent.forward.forms.examples import EXAMPLES
from host_agent.forward.kinds.syslog import SyslogReceiver
from tests.fakes.certificates import Authority

EVENT = EXAMPLES[0]
LINE = re.compile(
    r"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([!-~]{1,255}) cytowatch - ([!-~]{1,32}) - ([ -~]+)"
)


def delivery(**change):
    event = {**EVENT, **change}
    return Delivery(event["key"], json.dumps(event).encode())


def log(address, **change):
    receiver = SyslogReceiver(name="log", address=address, **{"timeout_s": 2.0, **change})
    return receiver.forwarder(lambda: 1_700_000_000_000)


@pytest.fixture
def local(tmp_path):
    """A socket of this computer: (path, the datagrams that came)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "log"))
        listening.setblocking(False)
        yield str(tmp_path / "log"), lambda: listening.recv(65_536).decode()


async def test_the_log_of_this_computer_gets_one_line(local):
    path, read = local
    assert await log(path).send(delivery()) == Delivered("given to the log")
    line = read()
    assert line.startswith(
        "<25>cytowatch: priority=HIGH stage=raised name=SPO2_LOW patient=P-1 wearable=00000000000000aa"
    )
    assert f"key={EVENT['key']}" in line and "simulated=no" in line


async def test_the_journal_gets_its_fields(local):
    path, read = local
    await log(f"journald:{path}").send(delivery())
    fields = dict(line.split("=", 1) for line in read().splitlines())
    assert (fields["PRIORITY"], fields["SYSLOG_IDENTIFIER"], fields["CYTOWATCH_PATIENT"]) == (
        "1",
        "cytowatch",
        "P-1",
    )


async def test_a_server_gets_the_line_of_the_standard_by_udp_tcp_and_tls(tmp_path):
    authority = Authority(tmp_path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(2)
        assert isinstance(await log(f"udp://127.0.0.1:{udp.getsockname()[1]}").send(delivery()), Delivered)
        assert LINE.fullmatch(udp.recv(65_536).decode()).group(1, 2, 4) == (
            "25",
            "2023-11-14T22:13:20.000Z",
            "SPO2_LOW",
        )
    got = asyncio.Queue()

    async def take(reader, writer):
        length = int((await reader.readuntil(b" ")).decode())
        await got.put((await reader.readexactly(length)).decode())
        writer.close()

    for scheme, tls in (("tcp", None), ("tls", authority.server())):
        server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=tls)
        address = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert isinstance(await log(address, ca_file=str(authority.ca_file)).send(delivery()), Delivered)
        assert LINE.fullmatch(await got.get())
        if tls:
            assert isinstance(await log(address).send(delivery()), RetryAfter), "nobody vouches for it"
        server.close()


@pytest.mark.parametrize("event", EXAMPLES)
async def test_no_line_holds_a_text_a_value_a_name_or_a_number(local, event):
    path, read = local
    for address in (path, f"journald:{path}"):
        await log(address).send(delivery(**{**event, "detail": "SpO2 86 %"}))
        line = read()
        for secret in ("86", "555-0100", "112", "JS-60", "Bed", "URGENT", "nurse-1", "at least"):
            assert secret not in line, (secret, line)


@pytest.mark.parametrize("evil", ["a b=c", "a\nMESSAGE=x", "<1>x", "a\x00b", "ä" * 500, "x" * 5000])
async def test_no_name_makes_another_field_or_line(local, evil):
    path, read = local
    await log(path).send(delivery(name=evil, patient={"id": evil}, device={"id": evil}, occurred_at=evil))
    line = read()
    assert line.isprintable() and len(line) < 2000
    assert [pair.split("=")[0] for pair in line.partition(": ")[2].split(" ")] == [
        "priority", "stage", "name", "patient", "wearable", "simulated", "occurred", "id", "key",
    ]  # fmt: skip


async def test_a_log_that_is_not_there_is_a_failure(tmp_path):
    (tmp_path / "file").touch()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for address in (
            f"{tmp_path}/none",
            f"{tmp_path}/file",
            f"journald:{tmp_path}/none",
            f"tcp://127.0.0.1:{closed.getsockname()[1]}",
        ):
            outcome = await log(address).send(delivery())
            assert isinstance(outcome, RetryAfter) and "the log is not reached" in outcome.reason, address


async def test_a_log_that_takes_nothing_any_more_is_left_at_the_deadline(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as full:
        full.bind(str(tmp_path / "log"))
        outcomes = [await log(f"{tmp_path}/log", timeout_s=0.2).send(delivery()) for _ in range(30)]
    full_now = [one for one in outcomes if isinstance(one, RetryAfter)]
    assert full_now and isinstance(outcomes[0], Delivered)


@pytest.mark.parametrize("change, words", [
    ({"address": "dev/log"}, "it must begin with"), ({"address": "http://a.example"}, "it must begin with udp://"),
    ({"address": "udp://log.example.org"}, "tls:// (or allow_plain"),
    ({"address": "tcp://192.0.2.1"}, "tls:// (or allow_plain"),
    ({"address": "tls://log.example.org/x"}, "the name and port of a server alone"),
    ({"address": ""}, "found nothing"), ({"facility": "kern"}, "'daemon', 'authpriv'"),
])  # fmt: skip
def test_what_can_never_work_is_refused_at_load(change, words):
    with pytest.raises(ValidationError) as error:
        SyslogReceiver(name="log", **change)
    assert words in str(error.value)
