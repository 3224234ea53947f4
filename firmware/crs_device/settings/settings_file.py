"""The settings file of the wearable: canonical text (crs_core.settings) in two slots."""

from crs_core import settings
from crs_core.errors import RemoteError
from crs_device.two_slot import TwoSlot


class SettingsFile:
    """`/settings`; `version` counts every change, modulo 2**16."""

    def __init__(self, path: str = "/settings") -> None:
        self._file = TwoSlot(path)
        self.fault = ""  # why the last load gave None, one sentence

    @property
    def version(self) -> int:
        """Number of stores so far, u16; 0 before provisioning."""
        return self._file.generation & 0xFFFF

    def load(self) -> dict[str, int | str] | None:
        """Complete settings; None when there are none or they are refused (`fault` says why).

        A key that this application does not know is passed over: after going back to an older application the
        wearable must still start.
        """
        data = self._file.load()
        self.fault = ""
        if data is None:
            self.fault = "settings unreadable" if self._file.damaged else "not provisioned"
            return None
        try:
            return settings.decode(data, ignore_unknown=True)
        except RemoteError as error:
            self.fault = str(error.args[0])
            return None

    def store(self, values: dict[str, int | str]) -> None:
        """Check and store complete settings. RemoteError names a wrong key; OSError: the old ones still count."""
        self._file.store(settings.encode(values))

    def change(self, text: bytes) -> dict[str, int | str]:
        """Apply `key=value` lines to the stored settings and return the result; refused lines change nothing."""
        changes = settings.parse_changes(text)
        values = self.load() or {}
        values.update(changes)
        values = settings.complete(values)
        self.store(values)
        return values
