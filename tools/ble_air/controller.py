"""A bumble controller whose simulation behaves as the Core specification says where it matters here.

Corrected: a scan response is its own data and only sent to active scanners; advertising that cannot be connected or
scanned is heard as such; intervals are in 0.625 ms; LE Create Connection Cancel cancels; a reset forgets; and the
features that bumble only claims (extended and periodic advertising, link layer privacy) are not claimed, or Linux
would wait for their events.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

from bumble import hci, ll
from bumble.controller import Controller, LegacyAdvertiser

from tools.ble_air.link import AirLink

_Type = hci.HCI_LE_Set_Advertising_Parameters_Command.AdvertisingType
_Report = hci.HCI_LE_Advertising_Report_Event
_CONNECTABLE = {_Type.ADV_IND}
_SCANNABLE = {_Type.ADV_IND, _Type.ADV_SCAN_IND}
_EVENT_TYPES = {
    _Type.ADV_IND: _Report.EventType.ADV_IND,
    _Type.ADV_SCAN_IND: _Report.EventType.ADV_SCAN_IND,
    _Type.ADV_NONCONN_IND: _Report.EventType.ADV_NONCONN_IND,
}
_ONLY_CLAIMED = (
    hci.LeFeatureMask.LL_PRIVACY
    | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING
    | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
)
_RSSI_DBM = -50
_OCTETS_MAX = 251  # data length extension: one PDU, one packet
_SHORTEST_S = 0.005


@dataclass
class _Advertisement(ll.AdvInd):
    kind: int = _Type.ADV_IND
    scan_response: bytes = b""


class _Advertiser(LegacyAdvertiser):
    def _on_timer_fired(self) -> None:
        self.send_advertising_data()
        if self.enabled:  # what it said may have ended it: somebody connected
            interval_s = max(_SHORTEST_S, self.advertising_interval_min * 0.625e-3)
            channel = self.controller.air.channel  # type: ignore[attr-defined]
            interval_s += channel.advertising_delay_s() if channel else 0
            self.timer_handle = asyncio.get_running_loop().call_later(interval_s, self._on_timer_fired)

    def send_advertising_data(self) -> None:
        if self.enabled and self.advertising_type in _EVENT_TYPES:
            self.controller.send_advertising_pdu(_Advertisement(
                advertiser_address=self.address, data=self.advertising_data, kind=self.advertising_type,
                scan_response=bytes(self.scan_response_data),
            ))  # fmt: skip


class AirController(Controller):
    """One radio on an AirLink. `host_source` and `host_sink` as of Controller: HCI packets from and to the host."""

    le_features = Controller.le_features & ~_ONLY_CLAIMED
    le_acl_data_packet_length = _OCTETS_MAX
    supported_max_tx_octets = _OCTETS_MAX
    supported_max_rx_octets = _OCTETS_MAX
    suggested_max_tx_octets = _OCTETS_MAX

    def __init__(self, name: str, link: AirLink, host_source=None, host_sink=None, address: str = "") -> None:  # type: ignore[no-untyped-def]
        super().__init__(name, host_source, host_sink, link, address or None)
        self.le_legacy_advertiser = _Advertiser(self)
        self.air = link
        self._waiting: deque[hci.HCI_AclDataPacket] = deque()
        self._next_event_s = 0.0

    def close(self) -> None:
        """End the radio: its connections are lost, and it sends nothing more."""
        self.le_legacy_advertiser.stop()
        self.pending_le_connection = None
        self.air.vanish(self)
        self.air.controllers.discard(self)

    def on_hci_acl_data_packet(self, packet: hci.HCI_AclDataPacket) -> None:
        """Send a packet of the host's: at once, or at the next connection event of a paced air."""
        if self.air.channel is not None:
            connection = self.find_le_connection_by_handle(packet.connection_handle)
            if connection is not None:
                connection.events.send(connection.self_address, lambda: self._carry(connection, packet))  # type: ignore[attr-defined]
            return
        if self.air.pace is None:
            super().on_hci_acl_data_packet(packet)
            return
        self._waiting.append(packet)
        if len(self._waiting) == 1:
            loop = asyncio.get_running_loop()
            self._next_event_s = max(self._next_event_s, loop.time())
            loop.call_at(self._next_event_s, self._connection_event)

    def _carry(self, connection: object, packet: hci.HCI_AclDataPacket) -> None:
        if self.find_le_connection_by_handle(packet.connection_handle) is connection:
            super().on_hci_acl_data_packet(packet)

    def _connection_event(self) -> None:
        pace = self.air.pace
        for _ in range(min(len(self._waiting), pace.packets if pace else len(self._waiting))):
            super().on_hci_acl_data_packet(self._waiting.popleft())
        self._next_event_s += pace.interval_s if pace else 0
        if self._waiting:
            asyncio.get_running_loop().call_at(self._next_event_s, self._connection_event)

    def on_hci_reset_command(self, _command: hci.HCI_Reset_Command) -> hci.HCI_StatusReturnParameters:
        """Forget connections, advertising and scanning."""
        self.le_legacy_advertiser.stop()
        self.pending_le_connection = None
        self.le_scan_enable = False
        self.air.cut(self)
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def on_advertising_pdu(self, pdu: ll.AdvInd | ll.AdvExtInd) -> None:
        """Report what a scan hears; connect when the host waits for this advertiser."""
        if not isinstance(pdu, _Advertisement):
            return
        address = pdu.advertiser_address
        if self.le_scan_enable:
            self._report(_EVENT_TYPES[_Type(pdu.kind)], address, pdu.data)
            if self.le_scan_type and pdu.kind in _SCANNABLE:
                self._report(_Report.EventType.SCAN_RSP, address, pdu.scan_response)
        pending = self.pending_le_connection
        if pending is not None and pdu.kind in _CONNECTABLE and pending.peer_address == address:
            self.create_le_connection(address)

    def _report(self, event_type: _Report.EventType, address: hci.Address, data: bytes) -> None:
        report = _Report.Report(
            event_type=event_type, address_type=address.address_type, address=address, data=data, rssi=_RSSI_DBM
        )  # fmt: skip
        self.send_hci_packet(_Report([report]))

    def create_le_connection(self, peer_address: hci.Address) -> None:
        """Connect, unless another central was faster."""
        for other in self.air.controllers:
            advertiser = other.le_legacy_advertiser
            if advertiser.enabled and advertiser.address == peer_address:
                self._connect(peer_address, other)
                return

    def _connect(self, peer_address: hci.Address, other: Controller) -> None:
        channel, pending = self.air.channel, self.pending_le_connection
        if channel is None or pending is None:
            super().create_le_connection(peer_address)
        # an end that vanished and has not timed out here yet keeps the place
        elif peer_address not in self.le_connections and self.random_address not in other.le_connections:
            events = channel.events(pending)
            super().create_le_connection(peer_address)
            self.air.begin(self, peer_address, events)

    def on_le_disconnected(self, connection, reason: int) -> None:  # type: ignore[no-untyped-def]
        """Tell the host once."""
        if self.le_connections.get(connection.peer_address) is connection:
            super().on_le_disconnected(connection, reason)

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Give up the pending connection and report it as LE Connection Complete with an error."""
        pending, self.pending_le_connection = self.pending_le_connection, None
        if pending is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        peer = getattr(pending, "peer_address", hci.Address.ANY)
        cancelled = hci.HCI_LE_Connection_Complete_Event(
            status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR, connection_handle=0, role=hci.Role.CENTRAL,
            peer_address_type=peer.address_type, peer_address=peer, connection_interval=0, peripheral_latency=0,
            supervision_timeout=0, central_clock_accuracy=0,
        )  # fmt: skip
        asyncio.get_running_loop().call_soon(self.send_hci_packet, cancelled)
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)
