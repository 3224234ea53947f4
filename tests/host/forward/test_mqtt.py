"""Events to a real broker: taken, refused without a word, refused aloud, gone, and what the broker keeps of them."""

import asyncio
import contextlib
import datetime
import ipaddress
import json
import socket

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from paho.mqtt.client import CallbackAPIVersion, Client, MQTTv5
from pydantic import ValidationError

from host_agent.errors import ConfigError
from host_agent.forward.delivery import Delivered, Delivery, Rejected, RetryAfter
from host_agent.forward.kinds.mqtt import MqttReceiver
from tests.host.forward.conftest import until
from tools.rig.free_port import free_port
from tools.rig.mosquitto import MISSING, mosquitto, mosquitto_path

pytestmark = pytest.mark.skipif(mosquitto_path() is None, reason=MISSING)
EVENT = {
    "key": "k1", "stage": "raised", "name": "SPO2_LOW", "priority": "HIGH", "text": "URGENT 03:07, JS-60: oxygen low",
    "occurred_at": "2026-03-31T03:07:00.000Z", "simulated": False, "device": {"id": "a1b2", "name": "blue-7"},
}  # fmt: skip
DELIVERY = Delivery("k1", json.dumps(EVENT).encode())
TOPIC = "cytowatch/a1b2/event"
FOUND = "homeassistant/device/cytowatch-a1b2/config"


class Listener:
    """What somebody else sees at the broker: (topic, payload, retained) in order."""

    def __init__(self, port: int, *topics: str) -> None:
        self.seen: list[tuple[str, bytes, bool]] = []
        self._is_in = False
        self._client = Client(CallbackAPIVersion.VERSION2, "listener", protocol=MQTTv5)
        self._client.on_connect = lambda *_: self._client.subscribe([(topic, 1) for topic in topics])
        self._client.on_subscribe = lambda *_: setattr(self, "_is_in", True)
        self._client.on_message = lambda _c, _d, m: self.seen.append((m.topic, m.payload, m.retain))
        self._client.connect("127.0.0.1", port)

    async def __aenter__(self) -> "Listener":
        self._client.loop_start()
        await until(lambda: self._is_in)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def of(self, topic: str) -> list[bytes]:
        return [payload for seen, payload, _ in self.seen if seen == topic]


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
async def make(port):
    """Makes forwarders to the broker and closes them."""
    made = []

    def one(**keys):
        fields = {"name": "bus", "host": "127.0.0.1", "port": port, "tls": False, "timeout_s": 3.0, **keys}
        receiver = MqttReceiver.model_validate(fields)
        made.append(receiver.forwarder(lambda: 0))
        return made[-1]

    yield one
    for forwarder in made:
        await forwarder.close()


async def test_an_event_that_somebody_subscribes_to_is_taken_with_its_bytes(tmp_path, port, make):
    with mosquitto(tmp_path, port):
        async with Listener(port, "cytowatch/#") as other:
            assert await make().send(DELIVERY) == Delivered("taken by the broker")
            await until(lambda: other.of("cytowatch/a1b2/state"))
            assert other.of(TOPIC) == [DELIVERY.body]


async def test_an_event_that_nobody_subscribes_to_reached_nobody(tmp_path, port, make):
    with mosquitto(tmp_path, port):
        assert await make().send(DELIVERY) == RetryAfter(
            f"the broker took it, but nobody subscribes to {TOPIC}"
        )
        assert isinstance(await make(allow_no_subscriber=True).send(DELIVERY), Delivered)


async def test_a_topic_that_the_broker_forbids_without_a_word_is_no_delivery(tmp_path, port, make):
    (tmp_path / "acl").write_text("topic read #\ntopic write cytowatch/laptop/#\n")
    with mosquitto(tmp_path, port, f"acl_file {tmp_path / 'acl'}"):
        async with Listener(port, "cytowatch/#"):
            assert await make().send(DELIVERY) == RetryAfter(
                f"the broker refuses the topic {TOPIC}: Not authorized"
            )


async def test_a_forbidden_state_is_told_and_the_event_is_delivered(tmp_path, port, make):
    (tmp_path / "acl").write_text(f"topic read #\ntopic write cytowatch/laptop/#\ntopic write {TOPIC}\n")
    with mosquitto(tmp_path, port, f"acl_file {tmp_path / 'acl'}"):
        async with Listener(port, "cytowatch/#"):
            assert await make().send(DELIVERY) == Delivered(
                "taken by the broker; cytowatch/a1b2/state refused: Not authorized"
            )


async def test_what_the_broker_keeps_is_there_for_who_comes_later(tmp_path, port, make):
    with mosquitto(tmp_path, port):
        async with Listener(port, TOPIC):
            assert isinstance(await make(discovery_prefix="homeassistant").send(DELIVERY), Delivered)
        async with Listener(port, "#") as late:
            await until(lambda: late.of("cytowatch/a1b2/state") and late.of(FOUND))
    assert json.loads(late.of("cytowatch/a1b2/state")[0]) == {
        key: EVENT[key] for key in ("key", "stage", "name", "priority", "text", "occurred_at", "simulated")
    }
    said = json.loads(late.of(FOUND)[0])
    assert said["origin"]["name"] == "cytowatch"
    assert said["device"]["identifiers"] == ["cytowatch-a1b2"]
    for component in said["components"].values():
        assert component["platform"] == "sensor"
        assert component["unique_id"]
        assert "object_id" not in component
    assert late.of(TOPIC) == []  # an event of yesterday must not ring today


async def test_a_test_changes_no_state(tmp_path, port, make):
    with mosquitto(tmp_path, port):
        async with Listener(port, "cytowatch/#") as other:
            body = json.dumps({**EVENT, "stage": "test"}).encode()
            assert isinstance(await make().send(Delivery("t", body)), Delivered)
            assert isinstance(await make().send(Delivery("a", b'{"device":null}')), Delivered)
            await until(lambda: other.of("cytowatch/agent/event") == [b'{"device":null}'])
            assert other.of("cytowatch/a1b2/state") == []


REFUSING = {
    "QoS": (["max_qos 0"], {}, "the broker refuses the connection: QoS not supported"),
    "retained messages": (["retain_available false"], {}, "the broker refuses the connection: Retain not supported"),
    "name": ([], {}, "the broker refuses the connection: Not authorized"),
    "client id": (["clientid_prefixes ward-"], {}, "the broker refuses the connection: Not authorized"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSING)
async def test_a_broker_that_refuses_says_why(case, tmp_path, port, make):
    lines, keys, why = REFUSING[case]
    with mosquitto(tmp_path, port, *lines, anonymous=case != "name"):
        outcome = await make(**keys).send(DELIVERY)
        assert isinstance(outcome, RetryAfter)
        assert outcome.reason.startswith(why)
        assert outcome.was_reached, "somebody must repair it: it is asked again at the longest pause"


async def test_an_event_that_is_too_long_for_the_broker_is_refused_for_good(tmp_path, port, make):
    with mosquitto(tmp_path, port, "max_packet_size 200"):
        async with Listener(port, "cytowatch/#"):
            outcome = await make().send(DELIVERY)
            assert isinstance(outcome, Rejected)
            assert "takes 200 at most" in outcome.reason


async def test_a_broker_that_is_gone_is_asked_again_and_found(tmp_path, port, make):
    forwarder = make()
    assert (await forwarder.send(DELIVERY)).reason.startswith("not reached: ")
    with mosquitto(tmp_path, port):
        async with Listener(port, "cytowatch/#"):
            assert isinstance(await forwarder.send(DELIVERY), Delivered)
    assert isinstance(await forwarder.send(DELIVERY), RetryAfter)
    with mosquitto(tmp_path, port):
        async with Listener(port, "cytowatch/#"):
            assert isinstance(await forwarder.send(DELIVERY), Delivered)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
async def test_what_is_no_broker_is_a_failure_in_time(answer, port, make):
    server = socket.create_server(("127.0.0.1", port))
    server.setblocking(False)

    async def accept() -> None:
        loop, held = asyncio.get_running_loop(), []
        while True:
            held.append((await loop.sock_accept(server))[0])
            held[-1].send(answer)

    task = asyncio.ensure_future(accept())
    assert isinstance(await make(timeout_s=0.5).send(DELIVERY), RetryAfter)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    server.close()


async def test_the_broker_tells_others_when_this_laptop_dies_and_when_it_ends(tmp_path, port, make):
    status = "cytowatch/laptop/here/status"
    with mosquitto(tmp_path, port):
        async with Listener(port, "cytowatch/#") as other:
            dies, ends = make(client_id="here"), make(client_id="there")
            task = asyncio.ensure_future(dies.run())
            await until(lambda: dies._open and other.of(status) == [b"online"])
            # The socket breaks without a word, as when the process is killed.
            dies._open[0]._client.socket().shutdown(socket.SHUT_RDWR)
            await until(lambda: b"offline" in other.of(status))
            await until(lambda: other.of(status)[-1] == b"online")  # it comes back by itself
            task.cancel()
            await ends.send(DELIVERY)
            await ends.close()
            await until(lambda: other.of("cytowatch/laptop/there/status") == [b"online", b"offline"])


async def test_two_laptops_with_one_name_are_a_warning(tmp_path, port, make, caplog):
    with mosquitto(tmp_path, port):
        first, second = make(client_id="same"), make(client_id="same")
        task = asyncio.ensure_future(first.run())
        await until(lambda: first._open)
        await second.send(DELIVERY)
        await until(lambda: "another laptop may have the client_id same" in caplog.text)
        task.cancel()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """A folder with the certificate of 127.0.0.1, its key, and one that signed neither."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("own", "other"):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
            )
            .sign(key, hashes.SHA256())
        )
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        (folder / f"{name}.key").write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
    return folder


async def test_an_encrypted_broker_is_known_by_its_certificate_and_by_no_other(
    tmp_path, port, make, certificates
):
    lines = [f"certfile {certificates / 'own.pem'}", f"keyfile {certificates / 'own.key'}"]
    with mosquitto(tmp_path, port, *lines):
        keys = {"tls": True, "allow_no_subscriber": True}
        own, other = (make(**keys, ca_file=str(certificates / name)) for name in ("own.pem", "other.pem"))
        assert isinstance(await own.send(DELIVERY), Delivered)
        outcome = await other.send(DELIVERY)
        assert outcome.reason.startswith("its certificate is refused: ")
        named = make(**keys, ca_file=str(certificates / "own.pem"), host="localhost")
        assert "Hostname mismatch" in (await named.send(DELIVERY)).reason


REFUSED = {
    "plain to another machine": ({"host": "broker.example.org", "tls": False}, "tls = true"),
    "scheme": ({"host": "mqtt://broker.example.org"}, "name of a machine"),
    "path": ({"host": "broker.example.org/x"}, "name of a machine"),
    "invisible": ({"host": "broker\u200b.example.org"}, "must be deleted"),
    "wildcard": ({"topic": "ward/#"}, "pattern"),
    "name without password": ({"username": "cw"}, "exactly one of password_file"),
    "password without name": ({"password_env": "CW"}, "username together with"),
    "two passwords": (
        {"username": "cw", "password_file": "a", "password_env": "A"},
        "exactly one of password_file",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_configuration_that_cannot_work_is_refused(case):
    keys, why = REFUSED[case]
    with pytest.raises(ValidationError, match=why):
        MqttReceiver.model_validate({"name": "bus", "host": "broker.example.org", **keys})


def test_a_missing_password_and_wrong_certificates_are_told_by_place(tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate")
    receiver = MqttReceiver.model_validate(
        {"name": "bus", "host": "broker.example.org", "ca_file": str(tmp_path / "ca.pem"), "username": "cw",
         "password_file": str(tmp_path / "none")}
    )  # fmt: skip
    said = [str(problem) for problem in receiver.problems()]
    assert str(tmp_path / "none") in said[0]
    assert str(tmp_path / "ca.pem") in said[1]
    with pytest.raises(ConfigError):
        receiver.forwarder(lambda: 0)
