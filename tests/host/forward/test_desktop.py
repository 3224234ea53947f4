"""Notes on a real desktop without a screen: shown, replaced, refused; and a desktop that is not there is a failure."""

import asyncio
import json

import pytest

from host_agent.errors import ConfigError
from host_agent.forward.delivery import Delivered, Delivery, RetryAfter
from host_agent.forward.forms.examples import EXAMPLES
from host_agent.forward.kinds import desktop as kind
from host_agent.forward.kinds.desktop import DesktopReceiver
from tests.host.forward.conftest import rows, running, until
from tools.rig.desktop import MISSING, desktop, has_bus, has_desktop, session_bus

EVENT = EXAMPLES[0]


def delivery(**change):
    event = {**EVENT, **change}
    return Delivery(event["key"], json.dumps(event).encode())


def screen(address, timeout_s=5.0):
    return DesktopReceiver(name="screen", bus=address, timeout_s=timeout_s).forwarder(lambda: 0)


@pytest.fixture(scope="module")
def shown():
    if not has_desktop():
        pytest.skip(MISSING)
    with desktop() as found:
        yield found


@pytest.fixture
def notes(shown):
    shown[1].control("close-all")
    shown[1].control("history-clear")
    return shown[1]


async def test_a_note_is_on_the_screen_and_stays_until_somebody_closes_it(shown, notes):
    outcome = await screen(shown[0]).send(delivery())
    assert isinstance(outcome, Delivered) and notes.shown() == 1
    (note,) = notes.history()
    assert (note["summary"], note["timeout"]) == ('URGENT 03:07, JS-60 (Bed "3"): oxygen 86 %.', 0)
    assert "Look at the patient now. Care team 555-0100." in note["message"]


async def test_a_reminder_is_a_note_again_and_the_end_takes_its_place(shown, notes):
    window = screen(shown[0])
    first = await window.send(delivery())
    again = await window.send(delivery(stage="reminder"))
    assert first != again and notes.shown() == 1
    over = await window.send(
        delivery(stage="over", text="ENDED 04:10, JS-60: no longer measured above the limit.")
    )
    assert over == again and notes.shown() == 1
    assert notes.history()[0]["summary"].startswith("ENDED 04:10")


@pytest.mark.parametrize("text", ["<b>bold</b> & <a href='x'>y</a>", "x" * 50_000, "ä 🩺\x00\x1b[31m", "."])
async def test_any_text_is_shown_as_it_is(shown, notes, text):
    assert isinstance(await screen(shown[0]).send(delivery(text=f"URGENT. {text}")), Delivered)
    message = notes.history()[0]["message"]
    assert "<b>bold</b>" not in message.replace("<b>URGENT.</b>", "") and "\x1b" not in message


@pytest.mark.skipif(not has_bus(), reason=MISSING)
async def test_a_bus_on_which_nobody_shows_notes_is_a_failure_that_is_counted(store):
    with session_bus() as address:
        outcome = await screen(address).send(delivery())
        assert outcome == RetryAfter("not shown: no program shows notes on this desktop")
        store.write_now(lambda tx: tx.execute(
            "INSERT INTO outbox (target, event_key, priority, simulated, payload, state, created_utc_ms,"
            " next_try_utc_ms) VALUES ('screen', 'k', 3, 0, '{}', 'pending', 1, 0)"))  # fmt: skip
        async with running(store, screen(address)) as worker:
            await until(lambda: worker.counters.retried)
            assert worker.counters.delivered == 0 and "no program shows notes" in worker.last_error
    assert rows(store)["k"][0] == "pending"


async def test_no_bus_at_all_is_a_failure(monkeypatch, tmp_path):
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert "there is no session bus" in (await screen(None).send(delivery())).reason
    for address in (
        f"unix:path={tmp_path}/none",
        "unix:path=/dev/null",
        "nonsense",
        "tcp:host=127.0.0.1,port=1",
    ):
        outcome = await screen(address).send(delivery())
        assert isinstance(outcome, RetryAfter) and outcome.reason.startswith("not shown: "), address
    (tmp_path / "bus").touch()
    assert kind.session_bus({"XDG_RUNTIME_DIR": str(tmp_path)}) == f"unix:path={tmp_path}/bus"
    assert isinstance(await screen(None).send(delivery()), RetryAfter)


async def test_a_bus_that_does_not_answer_is_left_at_the_deadline(tmp_path):
    async def mute(reader, writer):
        await asyncio.Event().wait()

    server = await asyncio.start_unix_server(mute, tmp_path / "bus")
    async with asyncio.timeout(3):
        outcome = await screen(f"unix:path={tmp_path}/bus", timeout_s=0.3).send(delivery())
    assert outcome == RetryAfter("not shown: no answer of the desktop within 0.3 s")
    server.close()


def test_without_the_library_the_start_says_what_to_type(monkeypatch):
    monkeypatch.setattr(kind.importlib.util, "find_spec", lambda name: None)
    receiver = DesktopReceiver(name="screen")
    with pytest.raises(ConfigError, match="not installed") as error:
        receiver.forwarder(lambda: 0)
    assert "cytowatch[desktop]" in error.value.advice and len(list(receiver.problems())) == 1
