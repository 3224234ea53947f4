"""Events into a FHIR server: written once however often they are sent, and refused entries found behind an HTTP 200."""

import json
import time

import httpx2
import pytest
from pydantic import ValidationError

from host_agent.config.model import parse_config
from host_agent.forward.delivery import Delivered, Delivery, Rejected, RetryAfter
from host_agent.forward.kinds.fhir import FhirReceiver
from tests.fakes.fake_http import FakeReceiver, Reply
from tools.rig import fhir_peer

EVENT = {
    "key": "k1", "stage": "raised", "priority": "HIGH", "text": "URGENT 14:05, JS-60: fever", "simulated": False,
    "occurred_at": "2026-03-31T14:05:09.250Z", "device": {"id": "a1b2", "name": "blue-7"},
    "patient": {"id": "JS-60"}, "alarm": {"id": 1, "name": "FEVER"}, "grade": None, "signed": None,
    "values": {"temperature_cc": 3841, "site": "axilla", "spo2_tenths": 861, "heart_rate_bpm": 84},
}  # fmt: skip


def delivery(**change):
    return Delivery("k1", json.dumps({**EVENT, **change}).encode())


@pytest.fixture(scope="module")
def peer():
    if not fhir_peer.is_here():
        pytest.skip(fhir_peer.MISSING)
    with fhir_peer.fhir_server() as address:
        yield address


@pytest.fixture
async def receiver():
    async with FakeReceiver() as fake:
        yield fake


@pytest.fixture
async def make():
    """Makes forwarders to a server and closes them."""
    made = []

    def one(url, **keys):
        text = f'[[fhir]]\nname = "record"\nurl = "{url}"\npatient_system = "urn:p"\ntimeout_s = 5.0\n'
        text += "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
        (table,) = parse_config(text).receivers
        made.append(table.forwarder(lambda: int(time.time() * 1000)))
        return made[-1]

    yield one
    for forwarder in made:
        await forwarder.close()


def held(peer, system):
    """(type, identifier) → resource of everything that was written under an identifier system."""
    found = {}
    for kind in ("Device", "Observation", "Flag", "Communication", "RiskAssessment", "Condition"):
        for entry in httpx2.get(f"{peer}/fhir/{kind}?_count=1000").json().get("entry", ()):
            for identifier in entry["resource"]["identifier"]:
                if identifier["system"] == system:
                    found.setdefault((kind, identifier["value"]), []).append(entry["resource"])
    return found


@pytest.mark.parametrize("write", ["update", "create", "put"])
async def test_a_replay_creates_nothing(write, peer, make):
    system = f"urn:{write}"
    record = make(f"{peer}/fhir/", write=write, system=system)
    for _ in range(3):
        assert await record.send(delivery()) == Delivered("6 resources written")
    written = held(peer, system)
    assert len(written) == 6 and all(len(resources) == 1 for resources in written.values())


async def test_the_end_of_an_alarm_ends_its_flag_and_adds_a_message(peer, make):
    record = make(f"{peer}/fhir", system="urn:over")
    await record.send(delivery())
    assert isinstance(await record.send(delivery(stage="over")), Delivered)
    written = held(peer, "urn:over")
    (flag,) = written["Flag", "k1-flag"]
    assert flag["status"] == "inactive"
    assert {name for kind, name in written if kind == "Communication"} == {
        "k1-raised-message",
        "k1-over-message",
    }


async def test_an_entry_that_a_real_server_refuses_behind_a_200_is_told(peer, make):
    outcome = await make(f"{peer}/fhir", system="urn:bad").send(delivery(occurred_at="yesterday"))
    assert isinstance(outcome, Rejected)
    assert "Observation: HTTP 400" in outcome.reason and "dateTime" in outcome.reason


def answer_of(*statuses, **more):
    entries = [{"response": {"status": status, **more}} for status in statuses]
    return json.dumps({"resourceType": "Bundle", "type": "batch-response", "entry": entries}).encode()


SIX = ("201 Created",) * 6
ANSWERS = {
    "all written": (Reply(body=answer_of(*SIX)), Delivered("6 resources written")),
    "one refused for good": (Reply(body=answer_of(*SIX[1:], "422")), Rejected("Communication: HTTP 422")),
    "one for later": (
        Reply(body=answer_of(*SIX[1:], "409 Conflict")),
        RetryAfter("Communication: HTTP 409", whole_target=False),
    ),
    "several match": (
        Reply(body=answer_of("412", *SIX[1:])), RetryAfter("Device: HTTP 412", whole_target=False),
    ),
    "no such way": (
        Reply(body=answer_of("405", *SIX[1:])),
        RetryAfter(
            'Device: HTTP 405. The server may not know this way of writing: try write = "create"', whole_target=False
        ),
    ),
    "an entry without a status": (
        Reply(body=b'{"type": "batch-response", "entry": [{}, 1, null, {}, {}, {}]}'),
        RetryAfter("; ".join(f"{kind}: HTTP 0" for kind in
                             ("Device", "Observation", "Observation", "Observation", "Flag", "Communication")),
                   whole_target=False),
    ),
    "too few entries": (
        Reply(body=answer_of("201")), RetryAfter("HTTP 200, but 1 answers to 6 entries", whole_target=False),
    ),
    "a page": (
        Reply(body=b"<html>Log in</html>"),
        RetryAfter("HTTP 200, but no answer to a batch: is this address a FHIR server?"),
    ),
    "what was sent": (
        Reply(body=b'{"resourceType": "Bundle", "type": "batch", "entry": []}'),
        RetryAfter("HTTP 200, but no answer to a batch: is this address a FHIR server?"),
    ),
    "the whole refused": (
        Reply(400, body=b'{"issue": [{"diagnostics": "no batch here"}]}'),
        Rejected("HTTP 400: the receiver refuses this event (no batch here)"),
    ),
    "not let in": (Reply(401), RetryAfter("HTTP 401", is_sure=True)),
    "a redirect": (
        Reply(302, {"Location": "https://login.example.org/"}),
        RetryAfter("HTTP 302: redirect to https://login.example.org/ not followed; put the final address in `url`"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
async def test_each_answer_has_its_outcome(case, receiver, make):
    receiver.default, outcome = ANSWERS[case]
    assert await make(receiver.url).send(delivery()) == outcome


async def test_the_token_is_sent_and_the_type_is_that_of_fhir(receiver, make, tmp_path):
    (tmp_path / "token").write_text("abc\n")
    (tmp_path / "token").chmod(0o600)
    await make(receiver.url, token_file=str(tmp_path / "token")).send(delivery())
    headers = receiver.received[0].headers
    assert (headers["authorization"], headers["content-type"]) == ("Bearer abc", "application/fhir+json")


@pytest.mark.parametrize(
    "change", [{"patient_system": "patients"}, {"system": "a|b"}, {"write": "upsert"}, {"url": "x"}]
)
def test_a_configuration_that_cannot_work_is_refused(change):
    with pytest.raises(ValidationError):
        FhirReceiver.model_validate(
            {"name": "record", "url": "https://fhir.example.org/r4", "patient_system": "urn:p", **change}
        )
