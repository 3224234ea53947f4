"""Settings: one table with every key, its bounds and its unit, and one canonical text.

The text is UTF-8: `key=value` lines sorted by key, each ended by a newline. `encode` writes every key, so a SETTINGS
record needs nothing else. `site` and both phone numbers have no default: a configuration without a number to call is
refused. Keys and secrets are never settings.
"""

from collections import namedtuple

from crs_core.compat import const
from crs_core.errors import RemoteError
from crs_core.units import SITES

# kind: "int" (lo..hi), "enum" (choices), "text" (lo..hi bytes), "phone" (lo..hi characters)
Spec = namedtuple("Spec", ("kind", "default", "lo", "hi", "unit", "doc", "choices"))


RULES_MAX_BYTES = const(1200)


def _int(default: int, lo: int, hi: int, unit: str, doc: str) -> Spec:
    return Spec("int", default, lo, hi, unit, doc, ())


def _enum(default: str | None, choices: tuple[str, ...], doc: str) -> Spec:
    return Spec("enum", default, 0, 0, "", doc, choices)


SETTINGS = {
    "site": _enum(None, SITES[1:], "where the thermometer sits; the fever rules depend on it"),
    "patient_call_number": Spec("phone", None, 3, 24, "", "the care team, in the patient's text", ()),
    "emergency_number": Spec("phone", None, 2, 16, "", "the emergency service, in the patient's text", ()),
    "reading_interval_s": _int(10, 1, 60, "s", "time between two journaled readings"),
    "device_name": Spec("text", "", 0, 24, "", "shown on the host, never a patient's name", ()),
    "unit": _enum("C", ("C", "F"), "first temperature unit in texts"),
    "language": _enum("en", ("en",), "language of texts on the wearable"),
    "sound_pause_s": _int(120, 10, 120, "s", "how long a short press pauses sound"),
    "heartbeat_s": _int(15, 5, 60, "s", "a host that sends nothing for three of these is away"),
    "host_away_low_s": _int(
        1800, 60, 7200, "s", "host away without an open alarm: a LOW alarm after this time"
    ),
    "host_away_alarm_s": _int(60, 10, 60, "s", "host away with an open alarm: escalate within this time"),
    "journal_budget_kb": _int(
        1024, 64, 8192, "KiB", "flash that the journal may fill; it leaves room for two applications"
    ),
    "led_red_ua": _int(7000, 200, 50000, "uA", "start current of the red LED"),
    "led_ir_ua": _int(7000, 200, 50000, "uA", "start current of the infrared LED"),
    "measuring": _enum(
        "continuous",
        ("continuous", "by_state"),
        "by_state: the optical sensor rests for some seconds while all is calm",
    ),
    "ble": _enum("on", ("on", "off"), "the radio, where the board has one; from the next start"),
    "ppg_channels": _enum(
        "red_ir", ("red_ir", "ir_red"), "which LED comes first; ir_red on some clone boards"
    ),
    "rules": Spec(
        "text",
        "",
        0,
        RULES_MAX_BYTES,
        "",
        "signed numbers that differ from the program's: name:value,...",
        (),
    ),
    "limits": Spec(
        "text", "", 0, 400, "", "the same for the patient who is bound; wiped when the binding ends", ()
    ),
    "calibration": Spec(
        "text", "", 0, 200, "", "calibration of this device (tools/board/calibrate); from the next start", ()
    ),
    "calibration_id": _int(1, 1, 999, "", "SpO2 curve without an own calibration: 1 AN6845, 2 AN6409"),
}
_PHONE_SIGNS = "0123456789+-() "


def _refuse(key: str, why: str) -> RemoteError:
    return RemoteError("setting %s: %s" % (key, why))


def parse_value(key: str, text: str) -> int | str:
    """The value that `text` says for `key`; RemoteError naming the key when unknown, ill-typed or out of bounds."""
    if key not in SETTINGS:
        raise _refuse(key, "no such setting")
    spec = SETTINGS[key]
    if spec.kind == "int":
        # MicroPython's int() accepts " 7", "1_0" and "+7", and CPython's isdigit() "²"; one number must have one text.
        digits = text.isdigit() and max(text) <= "9" and (text == "0" or text[0] != "0") and len(text) < 10
        if not digits or not spec.lo <= int(text) <= spec.hi:
            raise _refuse(key, "%r is not a whole number %d..%d" % (text, spec.lo, spec.hi))
        return int(text)
    if spec.kind == "enum":
        if text not in spec.choices:
            raise _refuse(key, "%r is none of %s" % (text, ", ".join(spec.choices)))
        return text
    for sign in text:
        if ord(sign) < 32 or ord(sign) == 127 or (spec.kind == "phone" and sign not in _PHONE_SIGNS):
            raise _refuse(key, "character %r not allowed" % sign)
    if not spec.lo <= len(text.encode()) <= spec.hi or text != text.strip():
        raise _refuse(key, "text must be %d..%d bytes without outer spaces" % (spec.lo, spec.hi))
    if spec.kind == "phone" and not any(sign.isdigit() for sign in text):
        raise _refuse(key, "a number to call needs digits")
    return text


def parse_changes(data: bytes, ignore_unknown: bool = False) -> dict[str, int | str]:
    """The settings in `data`, in any order, without defaults. RemoteError names the key.

    `ignore_unknown` is for a device that rolled back to an older application: it must start with a newer file.
    """
    try:
        text = str(bytes(data), "utf-8")
    except UnicodeError:
        raise RemoteError("settings are not UTF-8")
    values: dict[str, int | str] = {}
    for line in text.split("\n"):
        if not line:
            continue
        at = line.find("=")
        if at < 1:
            raise RemoteError("settings line %r is not key=value" % line[:40])
        key = line[:at]
        if ignore_unknown and key not in SETTINGS:
            continue
        if key in values:
            raise _refuse(key[:40], "given twice")
        values[key] = parse_value(key, line[at + 1 :])
    # A stored calibration is checked where it is used: a wrong one must not block the other settings.
    if not ignore_unknown:
        _check_calibration(values)
    return values


def _check_calibration(values: dict[str, int | str]) -> None:
    if values.get("calibration") or "calibration_id" in values:
        from crs_core.calibration import in_use

        in_use(str(values.get("calibration", "")), 1)
        in_use("", int(values.get("calibration_id", 1)))


def complete(values: dict[str, int | str]) -> dict[str, int | str]:
    """`values` checked, with every default filled in; RemoteError names the first key that is wrong or missing."""
    full: dict[str, int | str] = {}
    for key in sorted(values):
        full[key] = parse_value(key, str(values[key]))
    for key in sorted(SETTINGS):
        if key not in full:
            if SETTINGS[key].default is None:
                raise _refuse(key, "missing and without a default")
            full[key] = SETTINGS[key].default
    return full


def encode(values: dict[str, int | str]) -> bytes:
    """Canonical text of the complete settings; RemoteError as `complete`."""
    full = complete(values)
    return "".join("%s=%s\n" % (key, full[key]) for key in sorted(full)).encode()


def decode(data: bytes, ignore_unknown: bool = False) -> dict[str, int | str]:
    """Complete settings from text; RemoteError naming the key."""
    return complete(parse_changes(data, ignore_unknown))
