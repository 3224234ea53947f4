"""A raw notification sender on the chip's own radio: the most that the link can carry.

tools/lab/bench/ble.py replaces the placeholders.
 Advertises one characteristic, then notifies 244 bytes as fast as the
stack takes them until the central is gone.
"""

import sys
import time

sys.path.insert(0, "CHIP_DIR")
import bluetooth

bluetooth.profile, bluetooth.air, bluetooth.address = "nimble", "AIR", "C0:00:00:00:00:77"
SERVICE = bluetooth.UUID("11111111-7c4c-436c-a191-3aa35a771ced")
VALUE = bluetooth.UUID("11111112-7c4c-436c-a191-3aa35a771ced")
connections = []


def irq(event, data):
    """Keep track of connections."""
    if event == 1:
        connections.append(data[0])
    elif event == 2:
        connections.clear()


ble = bluetooth.BLE()
ble.irq(irq)
ble.active(True)
ble.config(mtu=247)
((handle,),) = ble.gatts_register_services(
    ((SERVICE, ((VALUE, bluetooth.FLAG_NOTIFY | bluetooth.FLAG_WRITE),)),)
)
ble.gap_advertise(30_000, b"\x02\x01\x06\x11\x07" + bytes(SERVICE))
payload = bytes(244)
began = False
while True:
    if connections and (began or ble.gatts_read(handle)):  # a write starts the sending
        began = True
        try:
            ble.gatts_notify(connections[0], handle, payload)
        except OSError:
            time.sleep_us(200)
    else:
        time.sleep_ms(1)
