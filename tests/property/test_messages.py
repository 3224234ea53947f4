"""Whatever stands in the fields of an event, every receiver for people makes a message of it that its service takes."""

import json

import jsonschema
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from host_agent.forward.delivery import Delivery
from host_agent.forward.forms import FORMS
from host_agent.forward.forms.examples import EXAMPLES
from host_agent.forward.forms.form import Target
from host_agent.forward.forms.template import render
from host_agent.forward.http_answer import Answer
from host_agent.forward.kinds.syslog import rfc5424
from host_agent.forward.mail.message import mail_bytes
from host_agent.forward.message import read_message
from tests.fakes.fake_http import Received
from tests.fakes.services import SERVICES

ODD = ["x" * 9000, "ä🩺" * 2000, "\r\nX: y", "</b>", "\ud800"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
FIELDS = sorted({*EXAMPLES[0], "stage", "accept"})
EVENTS = st.dictionaries(st.sampled_from(FIELDS), VALUES).map(lambda change: {**EXAMPLES[0], **change})
BODIES = (
    EVENTS.map(lambda event: json.dumps(event).encode())
    | st.binary()
    | VALUES.map(lambda value: json.dumps(value).encode())
)
SCHEMAS = {name: TypeAdapter(form.payload).json_schema() for name, form in FORMS.items()}
TARGET = Target("https://a.example.org/ward-7", "R" * 32)


@given(BODIES)
def test_every_form_makes_a_body_that_its_service_takes(body):
    delivery = Delivery("key-1", body)
    for name, service in SERVICES.items():
        request = FORMS[name].request(read_message(delivery), TARGET, delivery)
        jsonschema.validate(json.loads(request.body), SCHEMAS[name])
        path = "/" if name == "ntfy" else "/x?wait=true"
        headers = {key.lower(): value for key, value in request.headers.items()}
        answer = service(Received("POST", path, headers, request.body, 0.0))
        assert answer.status < 300, (name, answer.body)


@given(BODIES)
def test_a_mail_and_a_line_of_a_log_are_made_of_anything(body):
    message = read_message(Delivery("key-1", body))
    mail = mail_bytes(message, "a@b.org", ("c@d.org",), 0.0)
    head = mail.split(b"\r\n\r\n")[0]
    assert mail.isascii() and head.count(b"\nSubject:") == 1 and b"\nX: y" not in head
    line = rfc5424(message, 25, 0).decode()
    assert line.isprintable() and len(line) < 3000


@given(BODIES)
def test_a_template_that_was_taken_stays_json_with_anything(body):
    text = (
        '{"a": "${text}", "b": ${json:patient}, "c": "${alarm.name}${grade.lower}", "d": ${priority_number}}'
    )
    json.loads(render(text, read_message(Delivery("key-1", body)), as_json=True, is_strict=False))


@given(st.integers(100, 999), st.binary(max_size=300) | VALUES.map(lambda v: json.dumps(v).encode()))
def test_no_answer_of_a_service_raises_and_none_is_taken_without_its_words(status, body):
    answer = Answer(status, {}, body, True)
    for name, form in FORMS.items():
        assert isinstance(form.reason(answer), str)
        objection = form.objection(answer)
        if name in ("slack", "pagerduty") and not objection:
            assert (
                answer.text == "ok"
                or answer.table.get("ok") is True
                or answer.table.get("status") == "success"
            )
