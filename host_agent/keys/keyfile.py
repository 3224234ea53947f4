"""Session keys on disk: keys/<device_id hex>.key, JSON, readable by this user alone. Never in database or log."""

import json
import os
from pathlib import Path
from typing import NamedTuple

from crs_core.code_texts import RIGHTS, role_name, role_of
from crs_core.wire import message as wire
from crs_core.wire import rights

from host_agent.errors import KeyFileError, NotAllowed
from host_agent.plain_file import FOLDER, kind_of, other_kind
from host_agent.text_file import TextFileError, read_text_file

ROLE_CUSTODIAN = rights.CUSTODIAN
ROLE_READER = rights.READER
_KEY_BYTES = 32
_DEVICE_ID_BYTES = 8

# For a laptop without the key of a wearable that a patient wears; only provisioning makes a key.
HOW_TO_GET_A_KEY = (
    "An engineer makes one (python -m tools.board.provision PORT --replace-custodian NAME --out FILE), then:"
    " cytowatch enrol FILE"
)


class DeviceKey(NamedTuple):
    """What this laptop needs to open a session with one wearable. `role` as in crs_core/wire/rights.py."""

    device_id: bytes
    key_id: int
    key: bytes
    role: int
    name: str
    site: str = ""  # as the enrolment named it; a key file of an earlier version has none

    def may(self, right: int) -> bool:
        """Whether this key has the right."""
        return bool(rights.of_role(self.role) & right)

    def demand(self, right: int) -> None:
        """NotAllowed when this key lacks the right."""
        if not self.may(right):
            raise NotAllowed(
                f"This laptop's key ({role_name(self.role)}) may not {RIGHTS[right][1]}.",
                wire.RESULT_FORBIDDEN,
            )

    def __repr__(self) -> str:
        return f"DeviceKey(device_id={self.device_id.hex()}, key_id={self.key_id}, role={self.role})"


def path_of(folder: Path, device_id: bytes) -> Path:
    """The file of one wearable."""
    return folder / f"{device_id.hex()}.key"


def is_missing(folder: Path, device_id: bytes) -> bool:
    """Whether there is no file for this wearable; one that cannot be read is not missing."""
    try:
        path_of(folder, device_id).stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def save(folder: Path, key: DeviceKey) -> Path:
    """Write the file with mode 0600, atomically and synced; replaces an older key of the same wearable."""
    _check(key, "This key")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = path_of(folder, key.device_id)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    text = json.dumps(
        {
            "device_id": key.device_id.hex(),
            "key_id": key.key_id,
            "key": key.key.hex(),
            "role": role_name(key.role),
            "name": key.name,
            "site": key.site,
        },
        indent=1,
    )
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    return path


def load(path: Path) -> DeviceKey:
    """Read one file; KeyFileError when it is missing, malformed or open to group or others."""
    if not kind_of(path):
        raise KeyFileError(f"{path} does not exist.")
    try:
        data = json.loads(read_text_file(path, private=True, advice=KeyFileError.default_advice))
        key = DeviceKey(
            bytes.fromhex(data["device_id"]),
            int(data["key_id"]),
            bytes.fromhex(data["key"]),
            role_of(data["role"]),
            str(data["name"]),
            str(data.get("site", "")),
        )
    except TextFileError as error:
        raise KeyFileError(f"{path} {error.why}", error.advice) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        # the cause is not chained: a JSON error quotes the file, and the file holds a key
        raise KeyFileError(f"{path} is not a key file.") from None
    _check(key, str(path))
    if path.name != f"{key.device_id.hex()}.key":
        raise KeyFileError(f"{path} holds the key of another wearable.", "Rename it to its device id.")
    return key


def load_all(folder: Path) -> tuple[dict[bytes, DeviceKey], list[KeyFileError]]:
    """All usable keys by device id, and the errors of the files that were refused."""
    keys: dict[bytes, DeviceKey] = {}
    errors: list[KeyFileError] = []
    if why := other_kind(folder, FOLDER):
        return keys, [
            KeyFileError(f"{folder} {why}.", "Another program made it: move it away. Then enrol again.")
        ]
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix == ".key")
    except FileNotFoundError:
        found = []
    except OSError as error:
        return keys, [
            KeyFileError(f"{folder} cannot be read ({error.strerror}).", f"Run: chmod 700 {folder}")
        ]
    for path in found:
        try:
            key = load(path)
        except KeyFileError as error:
            errors.append(error)
        else:
            keys[key.device_id] = key
    return keys, errors


def _check(key: DeviceKey, what: str) -> None:
    if len(key.device_id) != _DEVICE_ID_BYTES or len(key.key) != _KEY_BYTES:
        raise KeyFileError(f"{what} does not have a device id of 8 bytes and a key of 32 bytes.")
    if not rights.of_role(key.role):
        raise KeyFileError(
            f"{what} does not say what it may do: custodian, reader, or rights such as read+accept."
        )
    if not 0 < key.key_id < 1 << 32:
        raise KeyFileError(f"{what} has a key id that is not from 1 to 4294967295.")
