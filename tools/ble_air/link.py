"""The air itself: which controller hears which, and the harm that a test does to their packets.

bumble's own LocalLink labels data with the sender's random address and delivers a CONNECT_IND in a later turn of the
loop; here data carries the address of the connection, and a connection is made or refused at once, so two centrals
cannot both get the same advertisement.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Any, NamedTuple

from bumble import core, hci, ll
from bumble.controller import Controller
from bumble.link import LocalLink

from tools.ble_air.channel import Channel, ConnectionEvents

_ATT_CHANNEL = 4
_NOTIFICATION = 0x1B
Plan = Callable[[], list[float]]


class NotificationHarm:
    """A seeded plan that drops, doubles and delays notifications; shares between 0 and 1, delay in seconds."""

    def __init__(self, drop: float = 0, double: float = 0, delay_s: float = 0, seed: int = 1) -> None:
        self._drop, self._double, self._delay_s = drop, double, delay_s
        self._chance = random.Random(seed)
        self.dropped = self.doubled = 0

    def __call__(self) -> list[float]:
        """Seconds after which each copy arrives; none when it is lost."""
        if self._chance.random() < self._drop:
            self.dropped += 1
            return []
        if self._chance.random() < self._double:
            self.doubled += 1
            return [self._delay_s, self._delay_s]
        return [self._delay_s]


class _InOrder(dict[Any, None]):
    """A set in the order in which its members came."""

    def add(self, one: Any) -> None:
        self[one] = None

    def remove(self, one: Any) -> None:
        del self[one]

    def discard(self, one: Any) -> None:
        self.pop(one, None)


class Pace(NamedTuple):
    """Connection events: so many packets of each radio every `interval_s` seconds, as a slow central grants."""

    interval_s: float
    packets: int


class AirLink(LocalLink):
    """One place in which radios hear each other. `harm` is asked about each notification."""

    def __init__(self, channel: Channel | None = None) -> None:
        super().__init__()
        # bumble keeps a set, whose order is that of addresses in memory
        self.controllers: Any = _InOrder()
        self.harm: Plan | None = None
        self.pace: Pace | None = None  # None: as fast as this machine
        self.channel = channel  # None: perfect, and as fast as this machine
        self._away: set[Controller] = set()

    def set_range(self, controller: Controller, is_near: bool) -> None:
        """Carry a radio out of everybody's range, or back; its connections end as by supervision timeout."""
        if is_near:
            self._away.discard(controller)
            return
        self._away.add(controller)
        if self.channel is None:
            self.cut(controller)
            return
        for own, peer, other in self._links(controller):
            loop = asyncio.get_running_loop()
            loop.call_later(own.events.timeout_s, self._time_out, controller, own, peer, other)

    def _time_out(self, controller: Controller, own: Any, peer: Controller, other: Any) -> None:
        """Two ends that have not heard each other for too long, unless they are near again."""
        if self._away & {controller, peer}:
            controller.on_le_disconnected(own, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)
            peer.on_le_disconnected(other, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)

    def begin(self, central: Controller, address: hci.Address, events: ConnectionEvents) -> None:
        """Both ends of a new connection of `central` with `address` meet at these events."""
        peer = self.peer_of(central, address)
        if peer is not None:
            own = central.le_connections[address]
            events.is_broken = lambda: bool(self._away & {central, peer})
            own.events = peer.le_connections[own.self_address].events = events  # type: ignore[attr-defined]

    def vanish(self, controller: Controller) -> None:
        """A radio lost its power: the other ends of its connections notice by their supervision time-out."""
        for own, peer, other in self._links(controller) if self.channel else ():
            del controller.le_connections[own.peer_address]
            asyncio.get_running_loop().call_later(
                own.events.timeout_s,
                peer.on_le_disconnected,
                other,
                hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR,
            )
        self.cut(controller)

    def _links(self, controller: Controller) -> list[tuple[Any, Controller, Any]]:
        """For each connection of a radio its end, the other radio, and that one's end."""
        found = []
        for own in controller.le_connections.values():
            peer = self.peer_of(controller, own.peer_address)
            if peer is not None:
                found.append((own, peer, peer.le_connections[own.self_address]))
        return found

    def cut(self, controller: Controller) -> None:
        """End every connection of a radio on both sides, as lost, not as closed."""
        for connection in list(controller.le_connections.values()):
            peer = self.peer_of(controller, connection.peer_address)
            other = peer.le_connections.get(connection.self_address) if peer else None
            controller.on_le_disconnected(connection, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)
            if peer is not None and other is not None:
                peer.on_le_disconnected(other, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)

    def peer_of(self, controller: Controller, address: hci.Address) -> Controller | None:
        """The other end of a controller's connection with `address`."""
        own = controller.le_connections.get(address)
        for other in self.controllers:
            if other is controller:
                continue
            for connection in other.le_connections.values():
                if connection.self_address == address and (
                    own is None or connection.peer_address == own.self_address
                ):
                    return other
        return None

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: core.PhysicalTransport,
        data: bytes,
    ) -> None:
        """Carry one L2CAP PDU over a connection."""
        own = sender_controller.le_connections.get(destination_address)
        peer = self.peer_of(sender_controller, destination_address)
        if own is None or peer is None:
            return
        is_notification = len(data) > 4 and data[2] == _ATT_CHANNEL and data[4] == _NOTIFICATION
        delays = self.harm() if self.harm is not None and is_notification else [0.0]
        loop = asyncio.get_running_loop()
        for delay_s in delays:
            if delay_s:
                loop.call_later(delay_s, peer.on_link_acl_data, own.self_address, transport, data)
            else:
                loop.call_soon(peer.on_link_acl_data, own.self_address, transport, data)

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        """Let everybody near hear an advertisement."""
        if sender_controller in self._away:
            return
        for controller in list(self.controllers):
            if controller is sender_controller or controller in self._away:
                continue
            if self.channel is None or isinstance(packet, ll.ConnectInd) or self.channel.is_heard():
                controller.on_ll_advertising_pdu(packet)

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        """Carry a control PDU to the other end of a connection; to nobody when that end is gone."""
        for controller in self.controllers:
            connection = controller.le_connections.get(sender_address)
            if connection is not None and connection.self_address == receiver_address:

                def deliver(controller: Controller = controller) -> None:
                    asyncio.get_running_loop().call_soon(controller.on_ll_control_pdu, sender_address, packet)

                if self.channel is None:
                    deliver()
                else:
                    connection.events.send(sender_address, deliver)  # type: ignore[attr-defined]
                return
