"""A form that a file describes: tried with every kind of event before anything is sent; a fault has its line."""

import json

import pytest

from host_agent.config.model import load_config
from host_agent.errors import ConfigError
from host_agent.forward.delivery import Delivered, Delivery
from host_agent.forward.forms.examples import EXAMPLES
from host_agent.forward.forms.template import load, render
from host_agent.forward.kinds.webhook import WebhookReceiver
from host_agent.forward.message import read_message
from tests.fakes.fake_http import FakeReceiver

GOOD = '{"say": "${text}", "to": ["${patient.id}"], "p": ${priority_number}, "alarm": ${json:alarm}, "usd": "$$5"}'


def message(event):
    return read_message(Delivery("key-1", json.dumps(event).encode()))


@pytest.fixture
def write(tmp_path):
    def one(text, name="body.json"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return one


def test_values_are_set_in_and_quotes_of_a_text_stay_in_its_place():
    body = json.loads(render(GOOD, message(EXAMPLES[0]), as_json=True))
    assert body["say"] == EXAMPLES[0]["text"] and '"' in body["say"]
    assert (body["to"], body["p"], body["usd"]) == (["P-1"], 3, "$5")
    assert body["alarm"] == EXAMPLES[0]["alarm"]
    assert json.loads(render(GOOD, message(EXAMPLES[-1]), as_json=True))["to"] == [""]


@pytest.mark.parametrize("text, line, words", [
    ('{\n "a": "${txt}"\n}', 2, "there is no field txt"),
    ('{\n "a": "${alarm.nam}"\n}', 2, "there is no field alarm.nam"),
    ('{\n "a": "${grade.lowr}"\n}', 2, "there is no field grade.lowr"),
    ('{\n "a": "${text.a}"\n}', 2, "there is no field text.a"),
    ('{\n "a": "$text"\n}', 2, "a $ stands alone"),
    ('{\n "a": "${text"\n}', 2, "a $ stands alone"),
    ('{\n "a": "${ text }"\n}', 2, "a $ stands alone"),
    ('{\n "a": "${alarm}"\n}', 2, "alarm is no single value"),
    ('{\n "a": ${text}\n}', 2, "it is no JSON"),
    ('{\n "a": 1,\n}', 2, "it is no JSON"),
    ('{\n "a": "x\n}', 2, "it is no JSON"),
    ('{\n "a": ${alarm.id}\n}', 2, "it is no JSON"),
    ("", 1, "it renders nothing"),
    ("\n", 1, "it renders nothing"),
])  # fmt: skip
def test_a_template_that_does_not_render_is_named_with_its_line(write, text, line, words):
    path = write(text)
    with pytest.raises(ConfigError) as error:
        load(path, "webhook w", as_json=True)
    assert f"webhook w: the template {path}, line {line}: " in str(error.value) and words in str(error.value)


@pytest.mark.parametrize(
    "make", [lambda p: None, lambda p: p.write_bytes(b"\xff\x00\x01"), lambda p: p.mkdir()]
)
def test_a_file_that_is_no_text_is_named(tmp_path, make):
    make(tmp_path / "body.json")
    with pytest.raises(ConfigError, match=r"the template .*body\.json"):
        load(tmp_path / "body.json", "webhook w", as_json=True)


def test_doctor_and_the_start_name_it_and_its_path_counts_from_the_configuration(
    write, tmp_path, monkeypatch
):
    monkeypatch.setenv("SECRET", "0123456789abcdef")
    write('{"a": "${txt}"}')
    config = write(
        '[[webhook]]\nname = "w"\nurl = "https://a.example.org/x"\nsecret_env = "SECRET"\nform = "template"\n'
        'template_file = "body.json"\n', "config.toml",
    )  # fmt: skip
    (receiver,) = load_config(config).receivers
    (problem,) = receiver.problems()
    assert "line 1: there is no field txt" in str(problem)
    with pytest.raises(ConfigError, match="line 1: there is no field txt"):
        receiver.forwarder(lambda: 0)


def test_text_that_is_no_json_is_sent_as_it_is(write):
    write('${title}\n"${patient.id}" ${simulated}')
    made = load(write('${title} "${patient.id}" ${simulated}'), "webhook w", as_json=False)
    request = made.request(message(EXAMPLES[0]), None or _target(), Delivery("key-1", b"{}"))
    assert request.body.decode() == 'URGENT 03:07, JS-60 (Bed "3"): oxygen 86 %. "P-1" false'
    assert request.headers["Content-Type"].startswith("text/plain")


def _target():
    from host_agent.forward.forms.form import Target

    return Target("http://127.0.0.1/")


async def test_an_event_of_another_version_still_arrives(write, monkeypatch):
    """A field that the template knows and this event does not have is empty: nothing announced is lost."""
    monkeypatch.setenv("SECRET", "0123456789abcdef")
    async with FakeReceiver() as fake:
        keys = {
            "url": fake.url,
            "secret_env": "SECRET",
            "form": "template",
            "template_file": str(write(GOOD)),
        }
        hook = WebhookReceiver(name="w", **keys).forwarder(lambda: 0)
        for body in (
            b'{"text":"x","alarm":{"new":1}}',
            b"{}",
            b"not json",
            b'{"text":"x","patient":{"id":{"a":1}}}',
        ):
            assert isinstance(await hook.send(Delivery("key-1", body)), Delivered)
            assert json.loads(fake.received[-1].body)["say"]
        await hook.close()
