"""The key file of the wearable: device id and host keys (crs_core.keys) in two slots. Never logged, never journaled."""

from crs_core import keys
from crs_core.errors import RemoteError
from crs_device.two_slot import TwoSlot


class KeyFile:
    """`/keys`; call `load` once at start. A change is on flash before it takes effect."""

    def __init__(self, path: str = "/keys") -> None:
        self._file = TwoSlot(path)
        self.device_id = b""  # 8 bytes once provisioned
        self.keys: list[keys.Key] = []

    def load(self) -> bool:
        """Whether the wearable has an identity; without one no session can open."""
        data = self._file.load()
        if data is None:
            return False
        try:
            self.device_id, self.keys = keys.decode(data)
        except RemoteError:
            return False
        return True

    def store(self, device_id: bytes, new_keys: list[keys.Key]) -> None:
        """Replace identity and keys. LocalError when the set breaks the rules; OSError: the old ones still count."""
        self._file.store(keys.encode(device_id, new_keys))
        self.device_id = device_id
        self.keys = list(new_keys)

    def revoke(self, key_id: int) -> bool:
        """Remove a reader's key; False when unknown or the custodian's, which only provisioning replaces."""
        key = keys.find(self.keys, key_id)
        if key is None or key.role == keys.ROLE_CUSTODIAN:
            return False
        self.store(self.device_id, [other for other in self.keys if other.key_id != key_id])
        return True

    def drop_readers(self) -> None:
        """Remove every key but the custodian's (end of a patient binding)."""
        kept = [key for key in self.keys if key.role == keys.ROLE_CUSTODIAN]
        if len(kept) != len(self.keys):
            self.store(self.device_id, kept)
