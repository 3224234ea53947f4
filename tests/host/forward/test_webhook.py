"""The webhook against a real receiver that answers well, badly, late, elsewhere or never."""

import asyncio
import time

import pytest

from host_agent.errors import ForwardError
from host_agent.forward.delivery import Delivered, Delivery, Rejected, RetryAfter
from host_agent.forward.http_answer import retry_after_s
from host_agent.forward.kinds.webhook import Webhook
from host_agent.forward.signature import check, sign
from tests.fakes.fake_http import FakeReceiver, Reply

SECRET = b"0123456789abcdef"
NOW_MS = 1_700_000_000_000
DELIVERY = Delivery("key-1", b'{"schema":"cytowatch.event/1"}')


@pytest.fixture
async def receiver():
    async with FakeReceiver() as fake:
        yield fake


@pytest.fixture
async def make(receiver):
    """Makes webhooks to the receiver and closes them."""
    made = []

    def one(timeout_s: float = 2.0) -> Webhook:
        clock = {"timeout_s": timeout_s, "utc_ms": lambda: NOW_MS}
        made.append(Webhook("w", receiver.url, SECRET, accept_simulated=False, **clock))
        return made[-1]

    yield one
    for webhook in made:
        await webhook.close()


@pytest.fixture
def hook(make):
    return make()


async def test_delivered_carries_body_key_and_a_signature_that_checks(receiver, hook):
    assert await hook.send(DELIVERY) == Delivered("HTTP 200")
    request = receiver.received[0]
    assert (request.method, request.body) == ("POST", DELIVERY.body)
    assert request.headers["idempotency-key"] == "key-1"
    assert request.headers["content-type"] == "application/json"
    check(SECRET, request.headers["cytowatch-signature"], request.body, NOW_MS // 1000 + 100)


# A 2xx took the event; what can be repaired at the receiver waits; only a refusal of the bytes is final.
ANSWERS = {
    **{status: Delivered(f"HTTP {status}") for status in (200, 201, 202, 204, 299)},
    **{status: RetryAfter(f"HTTP {status}") for status in (403, 404, 405, 501, 502, 504, 505, 507, 511)},
    **{status: RetryAfter(f"HTTP {status}", is_sure=True) for status in (401, 407, 408, 429, 503)},
    **{
        status: RetryAfter(f"HTTP {status}", whole_target=False, is_sure=True)
        for status in (409, 410, 428, 431, 451)
    },
    **{status: RetryAfter(f"HTTP {status}", whole_target=False) for status in (500, 599, 999)},
    **{
        status: Rejected(f"HTTP {status}: the receiver refuses this event") for status in (400, 413, 415, 422)
    },
}


@pytest.mark.parametrize("status", ANSWERS)
async def test_each_status_has_its_outcome(receiver, hook, status):
    receiver.default = Reply(status)
    assert await hook.send(DELIVERY) == ANSWERS[status]


SAYS_NO = (
    b'{"ok":false}', b'{"error":"x"}', b'{"errors":[1]}', b'{"success":false}', b'{"status":"failed"}',
    b'{"status":503}',
)  # fmt: skip
SAYS_NOTHING_OF_IT = (
    b"", b"ok", b"error", b'{"ok":true,"error":null,"errors":[]}', b"[]", b"[" * 9000, DELIVERY.body,
    b"<html>thanks</html>", b'{"status":200}',
)  # fmt: skip


@pytest.mark.parametrize("body", SAYS_NO)
async def test_a_200_whose_json_says_that_it_failed_is_no_delivery(receiver, hook, body):
    receiver.default = Reply(200, body=body)
    outcome = await hook.send(DELIVERY)
    assert outcome == RetryAfter("HTTP 200, but it was not taken: it says that it failed", whole_target=False)


@pytest.mark.parametrize("body", SAYS_NOTHING_OF_IT)
async def test_any_other_200_is_a_delivery_as_it_ever_was(receiver, hook, body):
    receiver.default = Reply(200, body=body)
    assert await hook.send(DELIVERY) == Delivered("HTTP 200")


async def test_a_receiver_that_sets_cookies_gets_none_back_and_no_request_grows(receiver, hook):
    for number in range(50):
        receiver.replies.append(Reply(503, {"Set-Cookie": f"session{number}={'x' * 2000}; Path=/"}))
        await hook.send(DELIVERY)
    assert {frozenset(request.headers) for request in receiver.received} == {
        frozenset(receiver.received[0].headers)
    }
    assert len(hook._client.cookies.jar) == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_and_says_what_to_do(receiver, hook, status):
    async with FakeReceiver() as elsewhere:
        receiver.default = Reply(status, {"Location": elsewhere.url})
        outcome = await hook.send(DELIVERY)
        advice = f"redirect to {elsewhere.url} not followed; put the final address in `url`"
        assert isinstance(outcome, RetryAfter) and outcome.reason == f"HTTP {status}: {advice}"
        assert elsewhere.received == [] and elsewhere.connections == 0


@pytest.mark.parametrize(
    "value, expected",
    [("7", 7.0), ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0), ("Tue, 14 Nov 2000 22:13:20 GMT", 0.0), ("soon", None)],
)  # fmt: skip
async def test_retry_after_is_read_in_both_forms(receiver, hook, value, expected):
    receiver.default = Reply(503, {"Retry-After": value})
    assert await hook.send(DELIVERY) == RetryAfter("HTTP 503", expected, is_sure=True)


@pytest.mark.parametrize("value", ["\u00b2", "\u0667", "-1", "7.5", "", "9" * 400])
def test_no_retry_after_of_a_receiver_raises(value):
    wish_s = retry_after_s(value, 0.0)
    assert wish_s is None or wish_s == 999999999.0


@pytest.mark.parametrize(
    "wish, expected",
    [("1.5", 1.5), ("0", 0.0), ("-7", 0.0), ("NaN", None), ("Infinity", 1e9), ("1e400", 1e9), ("9" * 400, 1e9),
     ("true", None), ('"7"', None), ("9" * 5000, None)],
)  # fmt: skip
async def test_how_long_a_body_asks_to_wait_is_a_number_or_nothing(receiver, hook, wish, expected):
    receiver.default = Reply(429, body=f'{{"retry_after": {wish}}}'.encode())
    outcome = await hook.send(DELIVERY)
    assert (outcome.reason, outcome.after_s) == ("HTTP 429", expected)


async def test_a_receiver_that_hangs_is_left_at_the_deadline(receiver, make):
    receiver.default = Reply(hang=True)
    started_s = time.monotonic()
    outcome = await make(timeout_s=0.3).send(DELIVERY)
    assert isinstance(outcome, RetryAfter) and outcome.reason.startswith("no answer within 0.3 s")
    assert time.monotonic() - started_s < 1.5


async def test_a_2xx_whose_body_never_ends_counts_and_does_not_hold_the_queue(receiver, make):
    receiver.default = Reply(200, drip_s=0.05)
    async with asyncio.timeout(3):
        assert await make(timeout_s=0.4).send(DELIVERY) == Delivered("HTTP 200")


@pytest.mark.parametrize("reply", [Reply(cut=True), Reply(garbage=b"220 smtp ready\r\n")])
async def test_no_answer_or_no_http_is_a_retry(receiver, hook, reply):
    receiver.default = reply
    outcome = await hook.send(DELIVERY)
    assert isinstance(outcome, RetryAfter) and outcome.reason.startswith("not reached: ")
    assert outcome.reason != "not reached: "


async def test_nobody_listening_is_a_retry(receiver, hook):
    await receiver.stop()
    outcome = await hook.send(DELIVERY)
    assert isinstance(outcome, RetryAfter) and "not reached" in outcome.reason


async def test_connection_is_kept_between_events(receiver, hook):
    for _ in range(3):
        await hook.send(DELIVERY)
    assert receiver.connections == 1


async def test_a_proxy_of_the_environment_does_not_see_events(make, monkeypatch):
    async with FakeReceiver() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        assert isinstance(await make().send(DELIVERY), Delivered) and proxy.received == []


def test_signature_check_refuses_other_body_secret_time_and_nonsense():
    header = sign(SECRET, 1000, b"body")
    check(SECRET, header, b"body", 1300)
    for secret, given, body, now_s, expected in [
        (SECRET, header, b"bodY", 1000, "does not match"),
        (b"other secret ....", header, b"body", 1000, "does not match"),
        (SECRET, header.replace("t=1000", "t=1001"), b"body", 1000, "does not match"),
        (SECRET, header, b"body", 1301, "301 s away"),
        (SECRET, "v1=00", b"body", 1000, "is not t="),
        (SECRET, "", b"body", 1000, "is not t="),
        (SECRET, "t=\u00b2,v1=00", b"body", 1000, "is not t="),
        (SECRET, "t=1000,v1=\u00fc", b"body", 1000, "does not match"),
    ]:
        with pytest.raises(ForwardError, match=expected):
            check(secret, given, body, now_s)
