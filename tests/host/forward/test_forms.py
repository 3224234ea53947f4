"""Each form of the webhook against a service that keeps to its documentation, and against the lies that it tells."""

import json

import jsonschema
import pytest
from pydantic import TypeAdapter

from host_agent.forward.delivery import Delivered, Delivery, Rejected, RetryAfter
from host_agent.forward.forms import FORMS
from host_agent.forward.forms.examples import EXAMPLES
from host_agent.forward.kinds.webhook import WebhookReceiver
from tests.fakes.fake_http import FakeReceiver, Reply
from tests.fakes.services import SERVICES

TOKEN = "R0123456789ABCDEF0123456789ABCDE"
EVENT = EXAMPLES[0]


def delivery(event, message_id="key-1"):
    return Delivery(message_id, json.dumps(event).encode())


@pytest.fixture
async def service():
    async with FakeReceiver() as fake:
        yield fake


def settings(service, form, **change):
    url = service.url.replace("/hook", "/ward-7") if form == "ntfy" else service.url
    return WebhookReceiver(name="w", url=url, form=form, **{"timeout_s": 2.0, **change})


@pytest.fixture
async def make(service, monkeypatch):
    """Makes the forwarder of a form that sends to the service, and closes it."""
    monkeypatch.setenv("TOKEN", TOKEN)
    made = []

    def one(form, **change):
        if form == "pagerduty":
            change.setdefault("token_env", "TOKEN")
        made.append(settings(service, form, **change).forwarder(lambda: 1_700_000_000_000))
        return made[-1]

    yield one
    for forwarder in made:
        await forwarder.close()


async def sent(service, make, form, event):
    """(outcome, what the service got)"""
    service.answer = SERVICES[form]
    outcome = await make(form).send(delivery(event))
    return outcome, json.loads(service.received[-1].body)


@pytest.mark.parametrize("form", SERVICES)
async def test_the_service_takes_every_kind_and_stage_of_event_in_its_form(service, make, form):
    schema = TypeAdapter(FORMS[form].payload).json_schema()
    for event in EXAMPLES:
        outcome, body = await sent(service, make, form, event)
        assert isinstance(outcome, Delivered), outcome
        jsonschema.validate(body, schema)
        assert service.received[-1].headers["idempotency-key"] == "key-1"


@pytest.mark.parametrize("form", SERVICES)
async def test_a_text_of_any_length_and_sign_is_taken(service, make, form):
    for text in ("x" * 60_000, "ä 🩺 <@U1> & *_`\u0000\u202e" * 900, "."):
        outcome, _ = await sent(service, make, form, {**EVENT, "text": text, "name": "n", "key": "k" * 400})
        assert isinstance(outcome, Delivered), (text[:9], outcome)


@pytest.mark.parametrize("form", SERVICES)
async def test_a_resend_has_the_same_bytes(service, make, form):
    _, first = await sent(service, make, form, EVENT)
    _, second = await sent(service, make, form, EVENT)
    assert first == second and service.received[0].body == service.received[1].body


# What a service says with a status 2xx although it took nothing.
PAGE = b"<html>Sign in</html>"
LATE = b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId x"
LIES = {
    "slack": ((200, b'{"ok":false,"error":"invalid_auth"}'), (200, PAGE), (200, b""), (200, b"invalid_payload"),
              (200, b"OK but not really"), (204, b"")),
    "teams": ((200, LATE), (200, PAGE), (200, b'{"error":{"message":"flow disabled"}}'), (201, b"x")),
    "discord": ((200, b"{}"), (200, PAGE), (200, b'{"message":"Unknown Webhook"}'), (200, b"")),
    "ntfy": ((200, b'{"code":40101,"error":"unauthorized"}'), (200, PAGE), (200, b""),
             (200, b'{"event":"keepalive","id":"x"}'), (200, b"[1]")),
    "home-assistant": ((200, PAGE), (200, b'{"message":"no"}')),
    "pagerduty": ((202, b'{"status":"throttled"}'), (200, b"{}"), (202, b""), (202, b"success"),
                  (202, b'{"status":"invalid event","errors":["Invalid routing key"]}')),
}  # fmt: skip


@pytest.mark.parametrize("form, lie", [(form, lie) for form, lies in LIES.items() for lie in lies])
async def test_a_status_200_with_an_error_in_its_body_is_a_failure(service, make, form, lie):
    service.default = Reply(lie[0], body=lie[1])
    outcome = await make(form).send(delivery(EVENT))
    assert isinstance(outcome, RetryAfter) and f"HTTP {lie[0]}, but it was not taken" in outcome.reason


@pytest.mark.parametrize("form", SERVICES)
async def test_words_that_trickle_or_are_packed_prove_nothing(service, make, form):
    for reply in (Reply(200, drip_s=0.02), Reply(200, {"Content-Encoding": "gzip"}, b"ok")):
        service.default = reply
        outcome = await make(form, timeout_s=0.3).send(delivery(EVENT))
        assert isinstance(outcome, RetryAfter), outcome


@pytest.mark.parametrize("form", SERVICES)
@pytest.mark.parametrize("reply", [Reply(hang=True), Reply(cut=True), Reply(302, {"Location": "http://127.0.0.1:1/"}),
                                   Reply(500), Reply(delay_s=9), Reply(garbage=b"ok\r\n\r\n")])  # fmt: skip
async def test_no_answer_of_a_service_is_taken_for_a_delivery(service, make, form, reply):
    service.default = reply
    assert isinstance(await make(form, timeout_s=0.2).send(delivery(EVENT)), RetryAfter)


@pytest.mark.parametrize("form, reply, words", [
    ("slack", Reply(403, body=b"action_prohibited"), "HTTP 403 (action_prohibited)"),
    ("slack", Reply(400, body=b'{"id":"api.x","message":"Unable to parse"}'), "refuses this event (Unable to parse)"),
    ("discord", Reply(404, body=b'{"message":"Unknown Webhook","code":10015}'), "HTTP 404 (Unknown Webhook)"),
    ("ntfy", Reply(403, body=b'{"error":"forbidden"}'), "HTTP 403 (forbidden)"),
    ("pagerduty", Reply(400, body=b'{"errors":["Invalid routing key"]}'), "refuses this event (Invalid routing key)"),
    ("teams", Reply(401, body=b'{"error":{"code":"DirectApi"}}'), "HTTP 401 (DirectApi)"),
])  # fmt: skip
async def test_a_refusal_names_the_reason_of_the_service(service, make, form, reply, words):
    service.default = reply
    outcome = await make(form).send(delivery(EVENT))
    assert words in outcome.reason and isinstance(outcome, Rejected if reply.status == 400 else RetryAfter)


@pytest.mark.parametrize("form", ["slack", "discord", "teams", "ntfy", "home-assistant"])
async def test_what_a_service_sends_back_of_our_text_is_not_shown(service, make, form):
    for status in (200, 400, 500):
        service.default = Reply(
            status, body=json.dumps({"message": EVENT["text"], "error": EVENT["text"]}).encode()
        )
        outcome = await make(form).send(delivery(EVENT))
        assert "86 %" not in str(outcome)


async def test_discord_says_in_the_body_how_long_to_wait(service, make):
    service.default = Reply(429, body=b'{"message":"You are being rate limited.","retry_after":1.5}')
    assert (await make("discord").send(delivery(EVENT))).after_s == 1.5


@pytest.mark.parametrize(
    "stage, action, severity",
    [("raised", "trigger", "critical"), ("reminder", "trigger", "critical"), ("accepted", "acknowledge", "critical"),
     ("over", "resolve", "critical"), ("test", "trigger", "info")],
)  # fmt: skip
async def test_pagerduty_follows_the_event_under_one_key(service, make, stage, action, severity):
    _, body = await sent(service, make, "pagerduty", {**EVENT, "stage": stage})
    assert (body["event_action"], body["payload"]["severity"]) == (action, severity)
    assert body["dedup_key"] == EVENT["key"] and body["routing_key"] == TOKEN
    assert "authorization" not in service.received[-1].headers


async def test_ntfy_rings_for_an_alarm_and_not_for_its_end(service, make):
    _, raised = await sent(service, make, "ntfy", EVENT)
    _, over = await sent(service, make, "ntfy", {**EVENT, "stage": "over"})
    assert (raised["topic"], raised["priority"], over["priority"]) == ("ward-7", 5, 3)
    assert [one["url"] for one in raised["actions"]] == ["tel:5550100", "tel:112"]
    assert raised["title"] == 'URGENT 03:07, JS-60 (Bed "3"): oxygen 86 %.'
    assert f"{raised['title']} {raised['message']}" == EVENT["text"]


async def test_slack_reads_no_command_and_discord_mentions_nobody(service, make):
    _, body = await sent(service, make, "slack", {**EVENT, "text": "<!channel> & <@U1>"})
    assert body["text"] == "&lt;!channel&gt; &amp; &lt;@U1&gt;"
    _, body = await sent(service, make, "discord", {**EVENT, "text": "@everyone"})
    assert body["allowed_mentions"] == {"parse": []}


async def test_a_token_and_headers_are_sent_and_never_shown(service, make):
    hook = make("ntfy", token_env="TOKEN", headers={"X-Ward": "7"})
    service.answer = SERVICES["ntfy"]
    assert isinstance(await hook.send(delivery(EVENT)), Delivered)
    got = service.received[0].headers
    assert (got["authorization"], got["x-ward"]) == (f"Bearer {TOKEN}", "7")
    receiver = settings(service, "ntfy", token_env="TOKEN", token_header="X-Api-Key")
    assert receiver.token_headers(TOKEN) == {"X-Api-Key": TOKEN} and TOKEN not in repr(receiver)


def test_every_form_has_a_file_and_every_file_a_form():
    from typing import get_args

    from host_agent.forward import forms

    assert set(get_args(forms.FormName)) == {*FORMS, "template"}


async def test_what_a_locked_phone_shows_ends_with_the_first_line(service, make):
    text = f"{EVENT['text']}\nCRS (ASTCT 2019): at least 1."
    _, body = await sent(service, make, "pagerduty", {**EVENT, "text": text})
    assert body["payload"]["summary"] == EVENT["text"] and body["payload"]["custom_details"]["text"] == text
    _, body = await sent(service, make, "ntfy", {**EVENT, "text": text})
    assert "CRS" not in body["title"]


async def test_buttons_that_dial_speak_the_readers_language(service, make):
    called = [
        {"label": "Behandlungsteam 555-0100", "number": "555-0100"},
        {"label": "Notruf 112", "number": "112"},
    ]
    _, body = await sent(service, make, "ntfy", {**EVENT, "to_call": called})
    assert [(one["label"], one["url"]) for one in body["actions"]] == [
        ("Behandlungsteam 555-0100", "tel:5550100"), ("Notruf 112", "tel:112")
    ]  # fmt: skip
    _, body = await sent(
        service, make, "ntfy", {key: value for key, value in EVENT.items() if key != "to_call"}
    )
    assert [one["label"] for one in body["actions"]] == ["Care team 555-0100", "Emergency 112"], "of before"
    for hostile in (None, 3, [3], [{"label": 3}], [{"number": "1"}] * 9, "x"):
        _, body = await sent(service, make, "ntfy", {**EVENT, "to_call": hostile})
        assert len(body["actions"]) <= 3
