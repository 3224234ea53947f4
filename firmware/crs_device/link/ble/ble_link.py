"""The radio link: who may stay, who is in session, when to advertise. `turn` never waits.

A central that is neither secure nor in session is a stranger, and is dropped after 20 s. Every stranger that ends,
dropped or by itself, is counted, whatever its address: an address costs nothing to forge. While strangers come they get
3 s for their HELLO. One each minute gets 8 s, so that a slow laptop whose own tries were counted still gets in. Where
the board takes several centrals and all places are taken, the oldest stranger goes, once it had its 3 s. A host in
session that can only read keeps the last place for a minute at most: one that may accept alarms could be waiting.
"""

from crs_core.compat import const
from crs_core.wire import gatt_uuids as names
from crs_core.wire import rights
from crs_core.wire.fragment_carrier import FragmentCarrier
from crs_core.wire.session import SERIAL_LARGEST_TO_DEVICE
from crs_device import health as counts
from crs_device.heap import unload_modules
from crs_device.link.ble.bonds import Bonds
from crs_device.link.ble.fragment_port import FragmentPort
from crs_device.link.ble.pairing import PairingWindow
from crs_device.link.ble.radio import FRAGMENT_MAX, Radio
from crs_device.version import APP_VERSION

INTERVAL_US = const(152_500)  # one that phones look for, always the same: it tells no alarm
RENEW_MS = const(900_000)  # what is advertised and the address, as radios renew private addresses
STRANGER_MS = const(20_000)
SLOW_MS = const(8000)  # a central on a bad link needs this long for discovery
HELLO_MS = const(3000)
# its HELLO came: the rest of the handshake is two packets each way
_PROOF_MS = const(1000)
# by how many strangers ended lately
_PATIENCE_MS = (STRANGER_MS, SLOW_MS, HELLO_MS)
_COUNTED_FOR_MS = const(30_000)  # each, one after the other
_COUNTED_MAX = const(4)
SLOW_EVERY_MS = const(60_000)
_ASK_AGAIN_MS = const(2000)
_TYPING_MS = const(60_000)  # somebody types the passkey
_READER_MS = const(60_000)
_PLACES = const(4)  # of NimBLE; stock BTstack has one
_FLUSH_EVERY_MS = const(1000)


class BleLink:
    """`app` is the running application, `bluetooth` the port's module. OSError when the radio or its table refuses."""

    def __init__(self, app, bluetooth) -> None:  # type: ignore[no-untyped-def]
        self._app = app
        self.window = PairingWindow()
        self._radio = Radio(bluetooth, Bonds(), self.window, app.clock)
        self.can_pair = self._radio.can_pair
        # needed at the start alone
        from crs_device.link.ble import attributes

        shown = attributes.services(self.can_pair)
        room = app.board.attribute_bytes
        if room and attributes.table_bytes(shown) > room:
            self._radio.ble.active(False)
            raise OSError("attribute table: %d bytes of %d" % (attributes.table_bytes(shown), room))
        self._handles = attributes.register(self._radio.ble, bluetooth, shown)
        del attributes
        unload_modules("crs_device.link.ble.attributes")
        self._radio.in_handle = self._handles[names.IN]
        self._radio.ble.gatts_set_buffer(self._radio.in_handle, FRAGMENT_MAX)
        self._write_device_information(app.board)
        self._health = None
        if self.can_pair:
            # loaded only where phones can pair, to save heap
            from crs_device.link.ble.health_services import HealthServices

            self._health = HealthServices(self._radio, self._handles, app.board.simulated)
            self._radio.utc_ms = self._utc_ms  # type: ignore[assignment]
        self._with_server: list = []  # type: ignore[type-arg]  # connections whose fragments are served
        self._strangers = 0  # that ended lately
        self._forget_one_ms = 0
        self._next_slow_ms = 0
        self._bell = 0
        self._renew_ms = 0
        self._was_pairing = False
        self._data = self._response = b""
        self._next_flush_ms = 0
        if self.can_pair and getattr(app.guard, "pairing", False):
            self.window.open(app.clock.real_ms())
        self.keys_changed()

    def _write_device_information(self, board) -> None:  # type: ignore[no-untyped-def]
        model = board.name + " SIMULATED" if board.simulated else board.name
        # The serial number is empty: everybody could read an id. Without its row, the handles that a bonded central
        # remembers would move.
        for uuid, text in ((0x2A29, names.NAME), (0x2A24, model), (0x2A25, ""), (0x2A26, APP_VERSION)):
            self._radio.ble.gatts_write(self._handles[uuid], text.encode())

    # -- what the application calls --------------------------------------------------------------------------------

    def ring(self) -> None:
        """The alarms changed: ring at every host in session. What is advertised does not change."""
        self._bell = (self._bell + 1) & 0xFF
        for connection in self._with_server:
            if connection.server.is_open and not connection.is_gone:
                self._radio.notify(connection.number, self._handles[names.DOORBELL], bytes([self._bell]))

    def show(self, live) -> None:  # type: ignore[no-untyped-def]
        """The newest values, for the health services."""
        if self._health is not None:
            self._health.show(live, self._app.power.battery_mv, self._utc_ms())

    def keys_changed(self) -> None:
        """Another custodian or another journal makes another passkey, other keys other tags."""
        app = self._app
        self._renew_ms = 0
        journal = app.log.journal
        self._radio.passkey = -1  # without a custodian nobody pairs
        for key in app.keys:
            if key.role == 1:
                self._radio.passkey = names.passkey(
                    key.key, journal.journal_id if journal is not None else bytes(8)
                )

    def wipe_bonds(self) -> None:
        """Delete the bonds of the previous patient's phones. OSError: flash refused."""
        self._radio.refuse_pairing()
        self._radio.bonds.wipe()

    def off(self) -> None:
        """Switch the radio off: the program ends."""
        try:
            self._radio.ble.active(False)
        except OSError:
            return  # a reset ends it

    def _utc_ms(self) -> int | None:
        requests = self._app.requests
        return requests.utc_ms(self._app.clock.ms()) if requests is not None else None  # type: ignore[no-any-return]

    # -- the turn --------------------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Keep connections and advertising in order. Each central's LinkServer sends in its own turn."""
        now = self._app.clock.real_ms()
        radio = self._radio
        self._end_gone()
        for connection in list(radio.connections.values()):
            if connection.server is None and connection.inbox:
                self._serve(connection)
        for connection in self._with_server:
            connection.carrier.size = connection.room
        self._drop_strangers(now)
        self._keep_advertising(now)
        if now >= self._next_flush_ms:
            self._next_flush_ms = now + _FLUSH_EVERY_MS
            radio.listen()
            self._count()
            try:
                radio.bonds.flush()
            except OSError:
                self._app.health.count(counts.JOURNAL_FAIL)

    def _serve(self, connection) -> None:  # type: ignore[no-untyped-def]
        connection.carrier = FragmentCarrier(connection.room, SERIAL_LARGEST_TO_DEVICE)
        port = FragmentPort(self._radio, connection, self._handles[names.OUT])
        connection.server = self._app.serve(port, connection.carrier)
        self._with_server.append(connection)

    def _end_gone(self) -> None:
        for connection in self._with_server:
            if not connection.is_gone:
                continue
            connection.server.link_lost()
            connection.server.take_counts()
            self._app.servers.remove(connection.server)
        if any([connection.is_gone for connection in self._with_server]):
            self._with_server = [connection for connection in self._with_server if not connection.is_gone]

    def _drop_strangers(self, now: int) -> None:
        radio = self._radio
        self._count_strangers(now)
        oldest = None
        is_full = len(radio.connections) >= self._places()
        is_freed = any([connection.must_go for connection in radio.connections.values()])
        for connection in radio.connections.values():
            server = connection.server
            if connection.is_secure or (server is not None and server.is_open):
                may_stay = connection.is_secure or server.rights & rights.ACCEPT
                if may_stay or not is_full or not connection.is_proven:
                    connection.since_ms = now
                elif not is_freed and now - connection.since_ms >= _READER_MS:
                    connection.must_go = is_freed = True
                connection.is_proven = True
            else:
                patience_ms = self._patience_ms(connection, now)
                if now - connection.since_ms >= patience_ms:
                    connection.must_go = True
                has_more = connection.is_slow or patience_ms == _TYPING_MS
                if not has_more and (oldest is None or connection.since_ms < oldest.since_ms):
                    oldest = connection
        if (
            self.can_pair
            and is_full
            and oldest is not None
            and not any([c.must_go for c in radio.connections.values()])
        ):
            # not sooner: a burst of strangers would drop the custodian's laptop before its HELLO
            oldest.must_go = now - oldest.since_ms >= HELLO_MS
        for connection in list(radio.connections.values()):
            if connection.must_go and now >= connection.ask_ms:
                if not connection.ask_ms and not connection.is_proven:
                    self._app.health.count(counts.BLE_STRANGER)
                connection.ask_ms = now + _ASK_AGAIN_MS  # the stack reports its end later, if it understood
                radio.disconnect(connection.number)

    def _places(self) -> int:
        return _PLACES if self.can_pair else 1

    def _count_strangers(self, now: int) -> None:
        ended, self._radio.strangers_ended = self._radio.strangers_ended, 0
        if ended:
            self._strangers = min(self._strangers + ended, _COUNTED_MAX)
        elif not self._strangers or now < self._forget_one_ms:
            return
        else:
            self._strangers -= 1
        self._forget_one_ms = now + _COUNTED_FOR_MS

    def _patience_ms(self, connection, now: int) -> int:  # type: ignore[no-untyped-def]
        if self._radio.is_pairing(connection.number):
            return _TYPING_MS
        patience_ms = _PATIENCE_MS[min(self._strangers, len(_PATIENCE_MS) - 1)]
        if patience_ms < SLOW_MS:
            if not connection.was_judged and now >= self._next_slow_ms:
                self._next_slow_ms = now + SLOW_EVERY_MS
                connection.is_slow = True
            connection.was_judged = True
            if connection.is_slow:
                patience_ms = SLOW_MS
            elif connection.server is not None and connection.server.session.half_open:
                patience_ms += _PROOF_MS
        return patience_ms

    def _keep_advertising(self, now: int) -> None:
        radio = self._radio
        if len(radio.connections) >= self._places():
            return  # every place is taken: the stack would refuse, or say nothing
        pairing = self.window.is_open(now)
        if now >= self._renew_ms or pairing != self._was_pairing:
            self._renew_ms = now + RENEW_MS
            self._was_pairing = pairing
            self._renew(pairing)
        elif radio.is_advertising:
            return
        radio.advertise(INTERVAL_US, self._data, self._response)

    def _renew(self, pairing: bool) -> None:
        # loaded for one call and unloaded again, to save heap
        from crs_device.link.ble.advertising import renewed

        self._data, self._response = renewed(self._radio, self._app, pairing)
        del renewed
        unload_modules("crs_device.link.ble.advertising")

    def _count(self) -> None:
        radio, health = self._radio, self._app.health
        for connection in self._with_server:
            if connection.server.port.times_full:
                health.count(counts.BLE_FULL, connection.server.port.times_full)
                connection.server.port.times_full = 0
        for counter, name in (
            (counts.BLE_FRAGMENT_DROPPED, "fragments_dropped"),
            (counts.BLE_PAIRING_REFUSED, "pairing_refused"),
            (counts.TASK_CRASH, "errors"),
        ):
            by = getattr(radio, name)
            if by:
                health.count(counter, by)
                setattr(radio, name, 0)
