"""Settings and keys between flash and the running application. Load, change, then `release()` the code's heap."""

from crs_core import settings as table
from crs_device.keys import KeyStore
from crs_device.settings import SettingsStore
from crs_device.unload import unload


def release() -> None:
    """Let this code and what it loaded go; call it last."""
    unload(
        "crs_device.stored", "crs_device.settings", "crs_device.keys", "crs_core.settings", "crs_core.keys"
    )


def load_settings(app) -> str:  # type: ignore[no-untyped-def]
    """Fill in the application's settings; returns why they cannot be used, or ""."""
    store = SettingsStore()
    values = store.load()
    _take(app, values or {}, store.version)
    return store.fault


def change_settings(app, text: bytes) -> None:  # type: ignore[no-untyped-def]
    """Check, keep and use changed settings. RemoteError names a wrong key; OSError: nothing changed."""
    store = SettingsStore()
    values = store.change(text)
    _take(app, values, store.version)


def _take(app, values: dict, version: int) -> None:  # type: ignore[no-untyped-def,type-arg]
    app.settings = values
    app.settings_version = version
    app.settings_text = table.encode(values).decode() if values else ""


def load_keys(app) -> bool:  # type: ignore[no-untyped-def]
    """Fill in the application's identity and keys; False when the wearable has none."""
    store = KeyStore()
    found = store.load()
    app.device_id = store.device_id or bytes(8)
    app.keys = store.keys
    return found


def revoke_key(app, key_id: int) -> bool:  # type: ignore[no-untyped-def]
    """Take a reader's key away; False when no reader has it."""
    store = KeyStore()
    store.load()
    done = store.revoke(key_id)
    app.keys = store.keys
    return done


def drop_readers(app) -> None:  # type: ignore[no-untyped-def]
    """Take every reader's key away."""
    store = KeyStore()
    store.load()
    store.drop_readers()
    app.keys = store.keys
