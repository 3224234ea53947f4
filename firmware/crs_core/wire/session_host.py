"""The host's side of a session; see session.py, which hands it out."""

from crs_core.wire import hello as hello_part
from crs_core.wire import message as message_part
from crs_core.wire.carrier import SerialCarrier
from crs_core.wire.hello import Hello
from crs_core.wire.session_core import LARGEST_TO_HOST, Opened, Refused, SessionCore  # noqa: F401


class HostSession(SessionCore):
    """The host's side, under one Key (key_id, role, key, name). With `device_id` another device is not opened."""

    _role = hello_part.ROLE_HOST

    def __init__(  # type: ignore[no-untyped-def]
        self, key, random_bytes, device_id: bytes | None = None,
        features: int = hello_part.FEATURES, largest: int = LARGEST_TO_HOST, carrier=None,
    ) -> None:  # fmt: skip
        SessionCore.__init__(self, carrier or SerialCarrier(True, largest), random_bytes, features, largest)
        self._own_key = key
        self._device_id = device_id
        self._own_hello: bytes | None = None  # set from start() to the device's PROOF
        self._device_hello: bytes | None = None
        self._device: Hello | None = None

    @property
    def state(self) -> str:
        """ "idle", "handshake" or "open"."""
        return "open" if self._sealer is not None else "idle" if self._own_hello is None else "handshake"

    def start(self) -> bytes:
        """Return the HELLO to write, and wait for the device's; ends an open session of this side silently."""
        return b"".join(self.start_pieces())

    def start_pieces(self) -> list[bytes]:
        """`start` as the pieces that the carrier writes."""
        self._end(message_part.BYE_REPLACED, [])
        self._device_hello = None
        self._own_hello = hello_part.encode_hello(Hello(
            hello_part.VERSION_LOW, hello_part.VERSION_HIGH, self._features, self._largest, self._role,
            hello_part.NO_ID, hello_part.NO_ID, self._own_key.key_id,
            self._random_bytes(hello_part.NONCE_BYTES),
        ))  # fmt: skip
        return self._carrier.encode(self._own_hello)  # type: ignore[no-any-return]

    def again_pieces(self) -> list[bytes]:
        """The same HELLO once more, for a link that lost it; after `start`."""
        if self._own_hello is None:
            return self.start_pieces()
        return self._carrier.encode(self._own_hello)  # type: ignore[no-any-return]

    def drop_half_open(self) -> None:
        """Forget a handshake that the device did not finish."""
        self._own_hello = None
        self._device_hello = None
        self._device = None

    def _receive_hello(self, peer: Hello, payload: bytes, events: list) -> None:  # type: ignore[type-arg]
        if self._own_hello is None or self._device_hello is not None:
            self._count("unexpected")
            return
        reason = 0
        if not hello_part.common_version(peer.low, peer.high):
            reason = hello_part.REFUSE_VERSION
        elif self._device_id is not None and peer.device_id != self._device_id:
            reason = hello_part.REFUSE_DEVICE
        elif peer.key_id != self._own_key.key_id:
            reason = hello_part.REFUSE_KEY
        if reason:
            self._count("refused")
            events.append(Refused(reason, peer.low, peer.high))
            return
        self._device_hello = payload
        self._device = peer
        proof = hello_part.encode_proof(self._own_key.key, self._role, self._own_hello, payload)
        self._send(proof, events)

    def _receive_proof(self, payload: bytes, events: list) -> None:  # type: ignore[type-arg]
        own, device, peer = self._own_hello, self._device_hello, self._device
        if own is None or device is None or peer is None:
            self._count("unexpected")
            return
        self.drop_half_open()
        if not hello_part.verify_proof(payload, self._own_key.key, hello_part.ROLE_DEVICE, own, device):
            self._count("refused")
            events.append(Refused(hello_part.REFUSE_PROOF, peer.low, peer.high))
            return
        self._begin(self._own_key, peer, own, device, events)

    def _receive_refuse(self, refuse: hello_part.Refuse, events: list) -> None:  # type: ignore[type-arg]
        self._count("refused")
        events.append(Refused(refuse.reason, refuse.low, refuse.high))
