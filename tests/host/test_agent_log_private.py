"""What an agent writes to its log over a whole mission names no patient, no person, no number and no secret."""

import contextlib
import json
import logging

import pytest

from host_agent.agent_log import CleanFormatter, JsonFormatter
from tests.fakes.fake_http import FakeReceiver, Reply
from tests.fakes.fake_ntfy import FakeNtfy
from tests.host.agent_world import PATIENT, SECRET, SETTINGS, World, query, start_patient
from tests.host.cli.guard_world import said
from tests.host.escalation.world import alarm_record

PSEUDONYM, CONTACT, ROLE_NAME = "P-4711-QX", "maria-kowalska", "nurse-zabel"
TOKEN, ADDRESS = "tk-0123456789-of-the-phone", "T0-B0-hunter2-hunter2"


class Kept(logging.Handler):
    """Every line of the log, in one of its forms."""

    def __init__(self, form: logging.Formatter) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(form)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextlib.contextmanager
def kept():
    """The whole log in both forms, from debug on; libraries say what they say in a real agent."""
    both = Kept(JsonFormatter()), Kept(CleanFormatter("%(asctime)s %(levelname)s %(message)s"))
    root, ours = logging.getLogger(), logging.getLogger("host_agent")
    before = ours.level
    ours.setLevel(logging.DEBUG)
    for one in both:
        root.addHandler(one)
    try:
        yield both
    finally:
        ours.setLevel(before)
        for one in both:
            root.removeHandler(one)


def config(world: World, server: FakeNtfy, broken: FakeReceiver) -> str:
    for name, secret in (("phone", TOKEN), ("chat", f"{broken.url}/{ADDRESS}")):
        file = world.home / f"{name}.secret"
        file.write_text(secret + "\n")
        file.chmod(0o600)
    return world.config_text + (
        f'[[webhook]]\nname = "phone-1"\nform = "ntfy"\nurl = "{server.url}/alarms"\nreply_topic = "replies"\n'
        f'token_file = "{world.home}/phone.secret"\naccept_simulated = true\nretry_first_s = 0.05\n'
        f'[[webhook]]\nname = "chat"\nform = "slack"\nurl_file = "{world.home}/chat.secret"\naccept_simulated = true\n'
        "retry_first_s = 0.05\nretry_cap_s = 1\n"
        f'[[contact]]\nname = "{CONTACT}"\nrole = "caregiver"\nchannels = ["phone-1"]\n'
        f'[[step]]\ncontacts = ["{CONTACT}"]\n'
    )


async def mission(world, server, broken):
    """A patient, alarms that fail and arrive, presses that accept and do not, and the end of the patient."""
    await start_patient(world, patient=PSEUDONYM)
    world.device.read_sensors(6)
    world.device.event(alarm_record({}, HYPOXAEMIA=3))
    await world.until(lambda: server.topics.get("alarms"))
    await world.until(lambda: len(broken.received) > 1)
    press = server.topics["alarms"][0]["actions"][0]
    for body in ("garbage", json.dumps({"token": "a" * 24, "by": ROLE_NAME}), press["body"], press["body"]):
        await server.publish("replies", {"message": body})
    await world.until(lambda: query(world, "SELECT 1 FROM acceptances"))
    world.device.event(alarm_record({"HYPOXAEMIA": 3}, HYPOXAEMIA=0, FEVER=2))
    world.device.session.link_lost()
    await world.in_session()
    await world.until(lambda: query(world, "SELECT 1 FROM episodes WHERE alarm = 1"))
    await said(world, "status")
    await world.call("patient_end", override="lost")


@pytest.mark.parametrize(
    "reply",
    [Reply(status=500, body=b"nope"), Reply(status=301, headers={"Location": f"https://x.example.org/{ADDRESS}"}),
     Reply(garbage=b"\x00\x01")],
)  # fmt: skip
async def test_no_line_of_the_log_names_anybody_or_a_secret(world, reply):
    async with FakeReceiver(reply) as broken, FakeNtfy(TOKEN, ("replies",)) as server:
        with kept() as (as_json, as_text):
            async with world.agent(config_text=config(world, server, broken)):
                await mission(world, server, broken)
    assert all(
        set(json.loads(line)) <= {"time", "level", "source", "text", "trace"} for line in as_json.lines
    )
    numbers = (SETTINGS["patient_call_number"],)
    for form in (as_json, as_text):
        whole = "\n".join(form.lines)
        assert "target chat:" in whole, "it does write"
        found = [
            one for one in (PSEUDONYM, CONTACT, ROLE_NAME, TOKEN, ADDRESS, SECRET, *numbers) if one in whole
        ]
        assert found == [], [line for line in form.lines if found[0] in line]
    assert PATIENT["patient"] != PSEUDONYM
