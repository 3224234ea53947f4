"""A person's signing key on disk: accounts/<name>.json, mode 0600, sealed with a passphrase. Never in database or log.

The key is scrypt(passphrase, salt); the content, an Ed25519 private key, is AES-256-GCM with the other fields as
associated data, so that a wrong passphrase and a changed byte look alike and both are refused.
"""

import base64
import binascii
import json
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from host_agent.errors import HostAgentError
from host_agent.people.entry import is_account_name, key_id_of, signed_bytes
from host_agent.plain_file import FOLDER, open_plain, other_kind, read_plain

FORMAT = "cytowatch.account/1"
PASSPHRASE_CHARS = 8
# As in keys/enrolment.py; fixed, so that a file cannot ask for a weak key.
SCRYPT = {"n": 1 << 16, "r": 8, "p": 2}
_LARGEST_FILE_BYTES = 8192


class AccountKeyError(HostAgentError):
    """A key file that is missing, altered, open to others, or a passphrase that does not open it."""

    code = "account_key"
    default_advice = "See `cytowatch account list`. When a key is lost, a clinician adds a new account."


class Signer:
    """A person who opened the key of an account: signs entries in its name."""

    def __init__(self, name: str, private_key: Ed25519PrivateKey) -> None:
        self.name = name
        self._private_key = private_key
        self.public_key = private_key.public_key().public_bytes_raw()
        self.key_id = key_id_of(self.public_key)

    def sign(self, raw: bytes) -> bytes:
        """The signature over the canonical bytes of an entry."""
        return self._private_key.sign(signed_bytes(raw))

    def __repr__(self) -> str:  # a traceback must not carry the key
        return f"Signer(name={self.name}, key_id={self.key_id.hex()})"


def new_signer(name: str) -> Signer:
    """A fresh key for this account, in memory only."""
    return Signer(name, Ed25519PrivateKey.from_private_bytes(os.urandom(32)))


def path_of(folder: Path, name: str) -> Path:
    """The file of one account; AccountKeyError for a name that no account can have."""
    if not is_account_name(name):
        raise AccountKeyError(
            f"{name!r} is not an account name.", "Use 1 to 32 of a-z, 0-9, dot, dash, underscore: a role or initials."
        )  # fmt: skip
    return folder / f"{name}.json"


def save(folder: Path, signer: Signer, passphrase: str) -> Path:
    """Write the sealed key. AccountKeyError when a file of this name exists: a replaced key could never sign again."""
    if len(passphrase) < PASSPHRASE_CHARS:
        raise AccountKeyError(
            f"The passphrase has fewer than {PASSPHRASE_CHARS} characters.", "Choose a longer one."
        )
    path = path_of(folder, signer.name)
    check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    salt, nonce = os.urandom(16), os.urandom(12)
    header = {
        "format": FORMAT, "name": signer.name, "public_key": signer.public_key.hex(), **SCRYPT,
        "salt": _b64(salt), "nonce": _b64(nonce),
    }  # fmt: skip
    secret = signer._private_key.private_bytes_raw()
    sealed = AESGCM(_stretch(passphrase, salt)).encrypt(nonce, secret, _associated(header))
    text = json.dumps({**header, "sealed": _b64(sealed)}, indent=1) + "\n"
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise AccountKeyError(f"{path} exists already.", "Choose another account name.") from None
    with os.fdopen(number, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return path


def unseal(folder: Path, name: str, passphrase: str) -> Signer:
    """The signer of this account; AccountKeyError says why not, never with a byte of the file in it."""
    check_there(folder, name)
    path = path_of(folder, name)
    try:
        with os.fdopen(open_plain(path), "rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise AccountKeyError(f"{path} can be read by other users.", f"Run: chmod 600 {path}")
            data = file.read(_LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise AccountKeyError(f"{path} cannot be read: {error.strerror}.") from error
    header, sealed, salt, nonce = _parse(path, data)
    if header["name"] != name:
        raise AccountKeyError(f"{path} holds the key of another account.", "Give the file its old name back.")
    try:
        secret = AESGCM(_stretch(passphrase, salt)).decrypt(nonce, sealed, _associated(header))
    except InvalidTag:
        raise AccountKeyError(
            f"The key of {name} does not open: the passphrase is wrong, or the file was altered.",
            "Type the passphrase again.",
        ) from None
    signer = Signer(name, Ed25519PrivateKey.from_private_bytes(secret))
    if signer.public_key.hex() != header["public_key"]:
        raise AccountKeyError(f"{path} is not an account key.")
    return signer


def check_there(folder: Path, name: str) -> None:
    """AccountKeyError when this computer holds no key of that account."""
    if not path_of(folder, name).exists():
        raise AccountKeyError(f"This computer holds no key of account {name}.")


def check_folder(folder: Path) -> None:
    """AccountKeyError when something else stands in the place of the folder of keys."""
    if why := other_kind(folder, FOLDER):
        raise AccountKeyError(f"{folder} {why}.", "Another program made it: move it away.")


def names(folder: Path) -> list[str]:
    """Accounts whose keys are on this computer; AccountKeyError when their folder is none."""
    check_folder(folder)
    return sorted(path.stem for path in folder.glob("*.json")) if folder.is_dir() else []


def public_keys(folder: Path) -> dict[str, str]:
    """Account -> public key in hex, of every readable key file; the passphrase is not needed for it."""
    found = {}
    for name in names(folder):
        try:
            path = path_of(folder, name)
            found[name] = str(_parse(path, read_plain(path, _LARGEST_FILE_BYTES + 1))[0]["public_key"])
        except (OSError, AccountKeyError):
            continue
    return found


def _parse(path: Path, data: bytes) -> tuple[dict[str, Any], bytes, bytes, bytes]:
    try:
        tree = json.loads(data)
        wanted = {"format", "name", "public_key", *SCRYPT, "salt", "nonce", "sealed"}
        if set(tree) != wanted or tree["format"] != FORMAT:
            raise ValueError
        if any(tree[key] != value for key, value in SCRYPT.items()):
            raise ValueError
        sealed, salt, nonce = (
            base64.b64decode(tree[name], validate=True) for name in ("sealed", "salt", "nonce")
        )
        if (len(salt), len(nonce), len(sealed)) != (16, 12, 32 + 16):
            raise ValueError
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error):
        raise AccountKeyError(f"{path} is not an account key.") from None
    del tree["sealed"]
    return tree, sealed, salt, nonce


def _stretch(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, **SCRYPT).derive(passphrase.encode())


def _associated(header: dict[str, Any]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode()


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
