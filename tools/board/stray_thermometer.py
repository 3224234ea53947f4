"""Name a thermometer that answers at another address than the firmware asks, and the pins that put it there.

Sources: Texas Instruments TMP117 data sheet, "Address Pin and Slave Address Options" and "Device ID Register"; Maxim
MAX30205 data sheet (19-8505), register map.
"""

_ADD0 = {0x48: "ground", 0x49: "V+", 0x4A: "SDA", 0x4B: "SCL"}
_TMP117_ID = 0x0117
_MAX30205_LIMITS = (0x4B00, 0x5000)  # T_HYST and T_OS as at power-on

# Runs on the board, where `board` and `bus` exist: each address besides that of the thermometer (0x48) and the oximeter
# (0x57), with its registers 0F, 02 and 03 in hex.
ON_BOARD = """
def strays():
    found = []
    for address in board.i2c.scan():
        if address in (0x48, 0x57): continue
        words = ['%02x' % address]
        for register in (0x0f, 0x02, 0x03):
            try: words.append('%04x' % bus.read_u16(address, register))
            except OSError: words.append('-')
        found.append(' '.join(words))
    return ';'.join(found)
"""


def named(strays: str) -> str:
    """What `strays()` of the board found, in words, with what to do."""
    chips = [_chip(words.split()) for words in strays.split(";") if words.strip()]
    if any(chips):
        return " ".join(chip for chip in chips if chip)
    others = [f"0x{words.split()[0]}" for words in strays.split(";") if words.strip()]
    rest = f" What answers at {', '.join(others)} is no TMP117 or MAX30205." if others else ""
    return f"No thermometer answers at another address.{rest} Check its wires: 3.3 V, ground, SDA, SCL."


def _chip(words: list[str]) -> str:
    address = int(words[0], 16)
    part, low, high = (None if word == "-" else int(word, 16) for word in words[1:4])
    if part is not None and part & 0x0FFF == _TMP117_ID and address in _ADD0:
        why = f"its pin ADD0 is at {_ADD0[address]}"
        return f"A TMP117 answers at 0x{address:02x}: {why}. Connect ADD0 to ground for 0x48."
    if (low, high) == _MAX30205_LIMITS:
        why = "its pins A0, A1 and A2 are not all at ground"
        return f"A MAX30205 answers at 0x{address:02x}: {why}. Connect all three to ground for 0x48."
    return ""
