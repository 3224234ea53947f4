"""Named counters of a wearable, or of the agent itself."""

from host_agent.store.db import Tx


def count(tx: Tx, device: int | None, name: str, by: int = 1) -> None:
    """Add to a named counter of a device (None: of the agent)."""
    tx.execute(
        "INSERT INTO counters VALUES (?, ?, ?) ON CONFLICT (device, name) DO UPDATE SET value = value + excluded.value",
        (device or 0, name, by),
    )


def counters(tx: Tx) -> dict[str, int]:
    """Counter → its sum over the agent and all wearables."""
    return dict(tx.execute("SELECT name, sum(value) FROM counters GROUP BY name ORDER BY name").fetchall())
