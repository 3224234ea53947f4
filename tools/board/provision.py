"""Give a wearable its identity, site, settings and keys: `python -m tools.board.provision PORT --site axilla ...`.

The first run makes the device id and the custodian's key. It writes an enrolment file sealed with a one-time code and
prints the code once. Bring the file and the code to the bedside laptop by different ways. Later runs change settings,
add a reader, replace the custodian or revoke a key. Keys never appear on a command line and cannot be read back.
"""

import argparse
import contextlib
import json
import os
import secrets
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from crs_core import settings
from crs_core.errors import RemoteError
from crs_core.keys import ROLE_CUSTODIAN, ROLE_READER, SLOTS
from crs_core.units import SITES

from host_agent.errors import ConfigError
from host_agent.keys.enrolment import Enrolment, new_code, seal
from host_agent.terminal.streams import run_clean
from tools.board.port import BoardPort, PortError, released

ROLES = {ROLE_CUSTODIAN: "custodian", ROLE_READER: "reader"}

# Runs on the board with the flashed application. Prints one line of JSON.
ON_BOARD = """
import sys, os, json, binascii
try:
    from crs_core.keys import Key
    from crs_device.settings.key_file import KeyFile
    from crs_device.settings.settings_file import SettingsFile
    from crs_device.journal import header
    from crs_device.journal.journal import Journal
except (OSError, ImportError) as e:
    print(json.dumps({'error': 'no application on this board (%r): run tools.board.flash first' % e})); raise SystemExit
import machine
keys, store = KeyFile(), SettingsFile()
keys.load()
changes, action = CHANGES, ACTION
try:
    if changes: store.change(changes)
    if action:
        kind, device_id, key_id, role, key, name = action
        old = [] if kind == 'first' else list(keys.keys)
        if kind == 'replace': old = [k for k in old if k.role != role]
        if kind == 'revoke': new = [k for k in old if k.key_id != key_id]
        else: new = old + [Key(key_id, role, key, name)]
        keys.store(device_id if kind == 'first' else keys.device_id, new)
    if (changes or action) and header.read('/journal') is None:
        Journal('/journal', 0, os.urandom, 1 << 20).create()
    found = header.read('/journal')
    print(json.dumps({'device_id': binascii.hexlify(keys.device_id).decode(), 'settings': store.load() or {},
        'fault': store.fault, 'keys': [[k.key_id, k.role, k.name] for k in keys.keys],
        'chip_id': binascii.hexlify(machine.unique_id()).decode(),
        'journal_id': binascii.hexlify(found[0]).decode() if found else ''}))
except Exception as e:
    print(json.dumps({'error': str(e)}))
"""


class ProvisionError(Exception):
    """The request does not fit the board's state; the message says what to do."""


@dataclass(frozen=True)
class Receipt:
    """What a run did. `code` opens the enrolment file; it is printed once and stored nowhere. It contains no key."""

    device_id: str
    chip_id: str
    journal_id: str
    settings: dict[str, Any]
    keys: list[dict[str, Any]]
    key_id: int | None = None
    enrolment: str = ""
    code: str = ""


Action = tuple[str, bytes, int, int, bytes, str]


def _on_board(port: BoardPort, changes: bytes, action: Action | None) -> dict[str, Any]:
    text = port.run_script(ON_BOARD.replace("CHANGES", repr(changes)).replace("ACTION", repr(action)))
    lines = [line for line in text.splitlines() if line.startswith("{")]
    if not lines:
        raise PortError(f"{port.port}: the board answered {text[-200:]!r}")
    state: dict[str, Any] = json.loads(lines[-1])
    if "error" in state:
        raise ProvisionError(f"{port.port}: {state['error']}")
    return state


def _choose(
    state: dict[str, Any], add_reader: str, replace: str, revoke: int | None, host: str
) -> Action | None:
    """The requested key change, checked against the keys on the board; None when none was requested."""
    key_id = 1 + secrets.randbelow((1 << 32) - 1)
    if not state["keys"]:
        if add_reader or replace or revoke:
            raise ProvisionError(
                "This wearable has no keys yet. Run without the key option: that makes the custodian's."
            )
        return ("first", secrets.token_bytes(8), key_id, ROLE_CUSTODIAN, secrets.token_bytes(32), host)
    if add_reader:
        if len(state["keys"]) >= SLOTS:
            raise ProvisionError(f"All {SLOTS} key slots are in use. Revoke one first with --revoke KEY_ID.")
        return ("add", b"", key_id, ROLE_READER, secrets.token_bytes(32), add_reader)
    if replace:
        return ("replace", b"", key_id, ROLE_CUSTODIAN, secrets.token_bytes(32), replace)
    if revoke is not None:
        role_of = {key_id: role for key_id, role, _ in state["keys"]}
        if revoke not in role_of:
            known = ", ".join(f"{key_id:08x}" for key_id in role_of)
            raise ProvisionError(f"No key {revoke:08x} on this wearable. Its keys are {known}.")
        if role_of[revoke] == ROLE_CUSTODIAN:
            raise ProvisionError(
                f"{revoke:08x} is the custodian's key. Without a custodian the journal fills up. "
                "Use --replace-custodian NAME."
            )
        return ("revoke", b"", revoke, ROLE_READER, b"", "")
    return None


def _receipt(state: dict[str, Any], *made: Any) -> Receipt:
    keys = [{"key_id": key_id, "role": ROLES[role], "name": name} for key_id, role, name in state["keys"]]
    return Receipt(state["device_id"], state["chip_id"], state["journal_id"], state["settings"], keys, *made)


@contextlib.contextmanager
def _enrolment_file(path: Path) -> Iterator[BinaryIO]:
    """A new file that only this user may read; it is deleted again when the board did not store the key."""
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except FileExistsError:
        why = f"{path} exists already. It may contain a key that is still in use. Name another file."
        raise ProvisionError(why) from None
    except OSError as error:
        raise ProvisionError(f"{path} cannot be written: {error.strerror}. Nothing was changed.") from None
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink()
        raise


def provision(
    port: str, changes: dict[str, str], out: Path | None = None, host: str = "bedside", add_reader: str = "",
    replace_custodian: str = "", revoke: int | None = None, restart: bool = True,
) -> Receipt:  # fmt: skip
    """Provision one board; raise PortError, ProvisionError or ConfigError with advice."""
    board = BoardPort(port)
    text = "".join(f"{key}={value}\n" for key, value in changes.items()).encode()
    try:
        settings.parse_changes(text)
    except RemoteError as error:
        raise ProvisionError(f"{error}. All settings: firmware/crs_device/README.md") from None
    state = _on_board(board, b"", None)
    action = _choose(state, add_reader, replace_custodian, revoke, host)
    if not state["settings"]:
        required = [key for key, spec in settings.SETTINGS.items() if spec.default is None]
        missing = [key for key in required if key not in changes]
        if missing:
            raise ProvisionError(
                f"A new wearable needs {', '.join(missing)}. The fever limit depends on the thermometer's site, "
                "and the patient's text needs the numbers to call."
            )
    makes_key = action is not None and action[0] != "revoke"
    if makes_key and out is None:
        raise ProvisionError("Name the enrolment file to write: --out FILE.")
    if action is None or not makes_key or out is None:
        state = _on_board(board, text, action) if text or action else state
        key_id, code = None, ""
    else:
        key_id, code = action[2], new_code(os.urandom)
        # The file is opened first: a key on the board that is in no file would be useless.
        with _enrolment_file(out) as file:
            state = _on_board(board, text, action)
            device_id, site = bytes.fromhex(state["device_id"]), str(state["settings"]["site"])
            file.write(seal(Enrolment(device_id, key_id, action[4], ROLES[action[3]], action[5], site), code))
    # A restart ends every session that still uses a revoked key.
    if restart:
        board.restart()
    return _receipt(state, key_id, str(out) if key_id else "", code)


def hexadecimal(text: str) -> int:
    return int(text, 16)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.board.provision", description=__doc__)
    parser.add_argument("port")
    parser.add_argument("--site", choices=SITES[1:], help="where the thermometer sits")
    parser.add_argument("--call-number", metavar="NUMBER", help="care team's number in the patient's text")
    parser.add_argument("--emergency-number", metavar="NUMBER", help="emergency number in the patient's text")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="other settings")
    parser.add_argument("--out", type=Path, help="enrolment file to write, for a run that makes a key")
    parser.add_argument("--host", default="bedside", metavar="NAME", help="custodian's name (bedside)")
    keys = parser.add_mutually_exclusive_group()
    keys.add_argument("--add-reader", default="", metavar="NAME", help="make a key that can only read")
    keys.add_argument("--replace-custodian", default="", metavar="NAME", help="replace the custodian's key")
    keys.add_argument("--revoke", type=hexadecimal, metavar="KEY_ID", help="remove a reader's key (hex)")
    parser.add_argument("--show", action="store_true", help="print settings and key names; change nothing")
    parser.add_argument("--no-restart", action="store_true", help="leave the board at its REPL")
    parser.add_argument("--json", action="store_true", help="print the receipt as JSON on stdout")
    return parser.parse_args()


def _changes(options: argparse.Namespace) -> dict[str, str]:
    named = {"site": "site", "patient_call_number": "call_number", "emergency_number": "emergency_number"}
    given = {key: getattr(options, name) for key, name in named.items()}
    changes = {key: value for key, value in given.items() if value is not None}
    for pair in options.set:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ProvisionError(f"--set {pair} has no '='. Write --set KEY=VALUE.")
        changes[key] = value
    return changes


def show(port: str, restart: bool) -> Receipt:
    """Return identity, settings and key names; change nothing. PortError or ProvisionError like `provision`."""
    board = BoardPort(port)
    state = _on_board(board, b"", None)
    if restart:
        board.restart()
    return _receipt(state)


def main() -> int:
    """Exit 0 when done, 1 when the board could not be reached or refused, 2 when the request was wrong."""
    options = _arguments()
    try:
        changes = _changes(options)
        with released(options.port):
            if options.show:
                receipt = show(options.port, not options.no_restart)
            else:
                receipt = provision(
                    options.port, changes, options.out, options.host, options.add_reader, options.replace_custodian,
                    options.revoke, not options.no_restart,
                )  # fmt: skip
    except ProvisionError as error:
        print(f"provision: {error}", file=sys.stderr)
        return 2
    except (PortError, ConfigError) as error:
        print(f"provision: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("provision: stopped. Run it with --show to see the wearable's settings.", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(asdict(receipt)))
        return 0
    print(f"wearable {receipt.device_id or '(no identity)'} on chip {receipt.chip_id}")
    print(f"  journal {receipt.journal_id or '(none)'}")
    for slot in receipt.keys:
        print(f"  key {slot['key_id']:08x}  {slot['role']:<9}  {slot['name']}")
    for key in sorted(receipt.settings):
        print(f"  {key} = {receipt.settings[key]}")
    if receipt.code:
        print(f"enrolment file: {receipt.enrolment}")
        print(f"one-time code:  {receipt.code}   (send the code and the file by different ways)")
    return 0


if __name__ == "__main__":
    run_clean(main)
