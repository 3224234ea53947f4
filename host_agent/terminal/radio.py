"""What a command needs before it uses the radio."""

from host_agent.errors import ConfigError
from host_agent.link import ble_radio


def need_radio() -> None:
    """ConfigError where the package for the radio is not installed."""
    if not ble_radio.is_installed():
        raise ConfigError("The radio needs the package bleak.", "Install it: pip install 'cytowatch[ble]'.")
