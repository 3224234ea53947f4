"""Replies over a real broker: taken, answered, never retained, and never the end of the connection."""

import asyncio
import contextlib
import json

import pytest
from paho.mqtt.client import CallbackAPIVersion, Client, MQTTv5
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from host_agent.forward.delivery import ReplyAnswer
from host_agent.forward.kinds.mqtt import MqttReceiver
from host_agent.forward.mqtt_connection import Connection
from host_agent.forward.replies import KEPT, NOT_UNDERSTOOD
from tests.host.forward.conftest import until
from tools.rig.free_port import free_port
from tools.rig.mosquitto import MISSING, mosquitto, mosquitto_path

pytestmark = pytest.mark.skipif(mosquitto_path() is None, reason=MISSING)
CODE = "abcdefghijklmnopqrstuvwx"
GOOD = json.dumps({"token": CODE, "by": "Maria"})


@contextlib.contextmanager
def person(port):
    """(client, what it sees of answers): somebody at the broker."""
    seen, is_in = [], []
    client = Client(CallbackAPIVersion.VERSION2, "person", protocol=MQTTv5)
    client.on_connect = lambda *_: client.subscribe(
        [("cytowatch/accept/answer", 1), ("cytowatch/laptop/#", 1)]
    )
    client.on_subscribe = lambda *_: is_in.append(True)
    client.on_message = lambda _c, _d, m: seen.append((m.topic, m.payload, m.retain))
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        yield client, seen
    finally:
        client.disconnect()
        client.loop_stop()


@contextlib.asynccontextmanager
async def laptop(port, given, **keys):
    fields = {"name": "bus", "host": "127.0.0.1", "port": port, "tls": False, "timeout_s": 3.0}
    mqtt = MqttReceiver.model_validate(fields | {"accept_replies": True} | keys).forwarder(lambda: 0)

    async def take(reply):
        given.append(reply)
        return ReplyAnswer(reply is not None, "said")

    mqtt.take_replies(take)
    task = asyncio.ensure_future(mqtt.run())
    try:
        await until(lambda: mqtt._open)
        yield mqtt
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await mqtt.close()


def answers(seen):
    return [json.loads(payload) for topic, payload, _ in seen if topic.endswith("/answer")]


async def test_a_reply_is_taken_and_answered_and_nonsense_ends_no_connection(tmp_path, port):
    given = []
    with mosquitto(tmp_path, port), person(port) as (client, seen):
        async with laptop(port, given) as mqtt:
            opened = mqtt._open
            for body in (b"\xff" * 3000, b"x" * 100_000, b"", GOOD):
                client.publish("cytowatch/accept", body, qos=1)
            await until(lambda: len(answers(seen)) == 3)  # the broker keeps back what is longer than 64 KiB
            assert [one["text"] for one in answers(seen)] == [NOT_UNDERSTOOD, NOT_UNDERSTOOD, "said"]
            assert answers(seen)[-1] == {"token": "abcd", "accepted": True, "text": "said"}
            assert given[-1][:3] == (CODE, "Maria", "MQTT receiver bus")
            assert mqtt._open is opened
            assert not any(kept for topic, _, kept in seen if topic.endswith("/answer"))


async def test_a_retained_reply_accepts_nothing_now_and_at_the_next_connection(tmp_path, port):
    given = []
    with mosquitto(tmp_path, port), person(port) as (client, seen):
        async with laptop(port, given):
            client.publish("cytowatch/accept", GOOD, qos=1, retain=True)
            await until(lambda: answers(seen))
            assert answers(seen)[0]["text"] == KEPT
        async with laptop(port, given):
            client.publish("cytowatch/accept", GOOD, qos=1)
            await until(lambda: len(answers(seen)) == 2)
        assert [reply is None for reply in given] == [True, False]


async def test_replies_come_again_after_the_broker_was_away(tmp_path, port):
    given = []
    with mosquitto(tmp_path, port) as broker:
        async with laptop(port, given) as mqtt:
            broker.kill()
            broker.wait()
            await until(lambda: mqtt._open[0].closed.done())
            with mosquitto(tmp_path, port), person(port) as (client, seen):
                await until(lambda: mqtt._open and not mqtt._open[0].closed.done())
                client.publish("cytowatch/accept", GOOD, qos=1)
                await until(lambda: answers(seen))


async def test_without_the_key_nobody_listens(tmp_path, port):
    given = []
    with mosquitto(tmp_path, port), person(port) as (client, _):
        async with laptop(port, given, accept_replies=False) as mqtt:
            assert mqtt._replies is None
            client.publish("cytowatch/accept", GOOD, qos=1).wait_for_publish(3)
    assert given == []


async def test_a_topic_that_the_broker_refuses_is_told_and_events_go_on(tmp_path, port, caplog, monkeypatch):
    async def refused(*_):
        return ReasonCode(PacketTypes.SUBACK, identifier=0x87)

    monkeypatch.setattr(Connection, "subscribe", refused)
    with mosquitto(tmp_path, port):
        async with laptop(port, []) as mqtt:
            assert "refuses cytowatch/accept, so nobody can accept there: Not authorized" in caplog.text
            assert not mqtt._open[0].closed.done()


@pytest.fixture
def port():
    return free_port()
