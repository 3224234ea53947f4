"""Keys of receivers over HTTP: what can never work is refused at load; proxy and certificates are only those named."""

import pytest
from pydantic import ValidationError

from host_agent.errors import ConfigError
from host_agent.forward.delivery import Delivered, Delivery, RetryAfter
from host_agent.forward.kinds.webhook import WebhookReceiver
from host_agent.forward.standard_webhooks import standard_headers
from tests.fakes.certificates import Authority
from tests.fakes.fake_http import FakeReceiver

DELIVERY = Delivery("key-1", b'{"text":"x"}')
HOOK = {"name": "w", "url": "https://alarms.example.org/x", "secret_env": "SECRET"}


def refused(**change) -> str:
    with pytest.raises(ValidationError) as error:
        WebhookReceiver(**{**HOOK, **change})
    return str(error.value)


@pytest.mark.parametrize("change, words", [
    ({"url": None}, "exactly one of url, url_file and url_env"),
    ({"url_env": "URL"}, "exactly one of url, url_file and url_env"),
    ({"secret_env": None}, "exactly one of secret_file and secret_env"),
    ({"secret_file": "x"}, "exactly one of secret_file and secret_env"),
    ({"token_file": "x", "token_env": "T"}, "at most one of token_file and token_env"),
    ({"form": "mattermost"}, "'cytowatch', 'slack'"),
    ({"form": "template"}, "template_file together with form = template"),
    ({"template_file": "x"}, "template_file together with form = template"),
    ({"form": "pagerduty"}, "token_file or token_env with the integration key"),
    ({"form": "ntfy"}, None),
    ({"form": "ntfy", "url": "https://ntfy.example.org/"}, "an address that ends with the topic"),
    ({"form": "ntfy", "url": "https://ntfy.example.org/a.b"}, "an address that ends with the topic"),
    ({"headers": {"Idempotency-Key": "1"}}, "'Idempotency-Key' cannot be set"),
    ({"headers": {"webhook-id": "1"}}, "'webhook-id' cannot be set"),
    ({"headers": {"X Y": "1"}}, "'X Y' cannot be set"),
    ({"headers": {"X": "a\r\nb: c"}}, "string_pattern_mismatch"),
    ({"headers": {"X": "a\n"}}, "string_pattern_mismatch"),
    ({"headers": {"X": 1}}, "string_type"),
    ({"headers": {"authorization": "x"}, "token_env": "T"}, "either in headers or from the token"),
    ({"token_header": "Host"}, "a header that is not CytoWatch's own"),
    ({"proxy": "proxy.example.org:3128"}, "it must begin with http:// or https://"),
    ({"proxy": "http://me:pw@proxy.example.org"}, "without user name or password"),
    ({"ca_file": "a", "ca_env": "B"}, "only one of ca_file and ca_env"),
    ({"url": "http://alarms.example.org/x"}, "https:// (or allow_plain_http = true"),
])  # fmt: skip
def test_what_can_never_work_is_refused_at_load(change, words):
    if words is None:
        WebhookReceiver(**{**HOOK, **change})
    else:
        text = refused(**change)
        assert words in text and "me:pw" not in text.split("input_value")[0]


def test_a_secret_address_is_checked_where_it_stands_and_never_shown(monkeypatch):
    receiver = WebhookReceiver(name="w", url_env="URL", form="slack")
    monkeypatch.setenv("URL", "https://hooks.example.org/services/T0/B0/hunter2")
    assert receiver.address().endswith("hunter2") and list(receiver.problems()) == []
    assert "hunter2" not in receiver.shown_address() + repr(receiver)
    for wrong in (
        "http://hooks.example.org/hunter2-hunter2",
        "hooks.example.org/hunter2",
        "https://a b/hunter2-hunter2",
    ):
        monkeypatch.setenv("URL", wrong)
        problems = [str(problem) for problem in receiver.problems()]
        assert any("the address in its file or variable: expected" in problem for problem in problems)
        assert "hunter2" not in str(problems)


@pytest.mark.parametrize("form", ["slack", "teams", "discord", "ntfy", "home-assistant"])
def test_an_address_by_which_anybody_can_write_is_not_shown(form):
    receiver = WebhookReceiver(name="w", url="https://chat.example.org/topic", form=form)
    assert receiver.shown_address() == "https://chat.example.org/…"


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


async def one_send(receiver):
    hook = receiver.forwarder(lambda: 1_700_000_000_000)
    try:
        return await hook.send(DELIVERY)
    finally:
        await hook.close()


async def test_only_the_certificates_that_a_key_names_count(authority, monkeypatch):
    monkeypatch.setenv("SECRET", "0123456789abcdef")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    async with FakeReceiver(tls=authority.server()) as fake:
        keys = {**HOOK, "url": fake.url}
        outcome = await one_send(WebhookReceiver(**keys))
        assert isinstance(outcome, RetryAfter) and "certificate" in outcome.reason.lower()
        assert fake.received == []
        for named in ({"ca_env": "SSL_CERT_FILE"}, {"ca_file": str(authority.ca_file)}):
            assert await one_send(WebhookReceiver(**keys, **named)) == Delivered("HTTP 200")


@pytest.mark.parametrize(
    "content, words", [(None, "cannot be read"), (b"no certificate", "no certificate in PEM form")]
)
def test_a_file_of_certificates_that_cannot_serve_is_named(tmp_path, content, words):
    file = tmp_path / "ca.pem"
    if content:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        WebhookReceiver(**HOOK, ca_file=str(file)).tls()
    with pytest.raises(ConfigError, match="variable NOT_THERE is not set"):
        WebhookReceiver(**HOOK, ca_env="NOT_THERE").tls()


async def test_a_proxy_is_used_only_when_it_is_named(monkeypatch):
    monkeypatch.setenv("SECRET", "0123456789abcdef")
    async with FakeReceiver() as proxy, FakeReceiver() as fake:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        assert await one_send(WebhookReceiver(**{**HOOK, "url": fake.url})) == Delivered("HTTP 200")
        assert proxy.connections == 0
        through = f"http://127.0.0.1:{proxy.port}"
        assert await one_send(WebhookReceiver(**{**HOOK, "url": fake.url}, proxy=through)) == Delivered(
            "HTTP 200"
        )
        assert proxy.received[0].path == fake.url and len(fake.received) == 1


def test_the_standard_signature_is_that_of_the_specification():
    secret, body = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    headers = standard_headers(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"
    assert standard_headers(b"whsec_!!", "a.b", 1, b"")["webhook-id"] == "a-b"


async def test_both_signatures_are_sent_beside_each_other(monkeypatch):
    monkeypatch.setenv("SECRET", "0123456789abcdef")
    async with FakeReceiver() as fake:
        await one_send(WebhookReceiver(**{**HOOK, "url": fake.url}))
        got = fake.received[0]
    expected = standard_headers(b"0123456789abcdef", "key-1", 1_700_000_000, got.body)
    assert {name: got.headers[name] for name in expected} == expected and "cytowatch-signature" in got.headers
