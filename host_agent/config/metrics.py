"""The table `[metrics]`: where figures about the agent can be read."""

import ipaddress
from typing import NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Place(NamedTuple):
    """An address of this computer."""

    host: str
    port: int


class MetricsSection(BaseModel):
    """Figures for Prometheus, at /metrics, without any patient in them. Needs pip install 'cytowatch[metrics]'."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    listen: str | None = Field(
        default=None,
        description="Address and port, usually 127.0.0.1:9469. Without it there are none.",
    )
    allow_network: bool = Field(
        default=False,
        description="Allow an address that other machines reach. Everyone on the network can then read the figures.",
    )

    @property
    def place(self) -> Place | None:
        """Where to listen; None: nowhere."""
        return None if self.listen is None else _place(self.listen)

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        place = self.place
        if place is not None and not self.allow_network and not ipaddress.ip_address(place.host).is_loopback:
            raise ValueError(
                "a listen address of this computer alone, such as 127.0.0.1 (or allow_network = true)"
            )
        return self


def _place(text: str) -> Place:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(host)
        if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65_536):
            raise ValueError
    except ValueError:
        raise ValueError("listen = address:port with an address in numbers, such as 127.0.0.1:9469") from None
    return Place(host, int(port))
