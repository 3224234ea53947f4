"""The wire between a chip's `bluetooth` module and the air: u16 length of the body, u8 operation, u8 id, body.

An id other than 0 wants a reply: operation REPLY with the same id, body u8 errno (0: done) and data. Little-endian. The
chip's side (virtual_wearable/chip/bluetooth.py) has the same numbers; a test holds them together.
"""

REPLY = 0
# chip to air
ACTIVE, INACTIVE, CONFIG, REGISTER = 1, 2, 3, 4  # JSON; nothing; JSON; JSON
ADVERTISE, ADVERTISE_STOP = 5, 6  # u32 interval_us, u8 connectable, u8 length, data, scan response; nothing
NOTIFY, INDICATE = 7, 8  # u16 connection, u16 handle, data
UPDATE = 9  # u16 0, u16 handle, data: to everybody who subscribed
DISCONNECT, PAIR = 10, 11  # u16 connection
PASSKEY = 12  # u16 connection, u8 action, u32 passkey (both ways)
# air to chip
CONNECTED, DISCONNECTED = 20, 21  # u16 connection, u8 address type, 6 bytes address, most significant first
WRITTEN, READ = 22, 23  # u16 connection, u16 handle, data; reply: value or an ATT error as errno
INDICATED = 24  # u16 connection, u16 handle, u8 status
MTU = 25  # u16 connection, u16 mtu
ENCRYPTED = 27  # u16 connection, u8 encrypted, u8 authenticated, u8 bonded, u8 key size
GET_SECRET = 28  # u8 type, u8 index, key; reply: value, or errno 2
SET_SECRET = 29  # u8 type, u8 length of key, key, value; no value: forget
SENT = 30  # u8 how many notifications have left
CONNECTION_UPDATED = 31  # u16 connection, u16 interval, u16 latency, u16 timeout, u16 status
