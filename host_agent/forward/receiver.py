"""What the configuration says of one receiver: the keys that every kind has, and what a kind adds.

A kind is one file in `kinds/` and one line in `registry.py`. All that a person meets of it follows from its model.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from host_agent.forward.peer import Peer


class Receiver(Peer):
    """One table `[[kind]]` of the configuration. The docstring of a kind is the comment above its table."""

    example: ClassVar[dict[str, Any]]
    """Values of the keys without a default, for `cytowatch config --example`."""

    reaches: ClassVar[Literal["people", "subscribers", "nobody"]] = "people"
    """Whom it tells: a log or a record tells nobody, and a broker's subscriber is a person when a contact says so."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")] = Field(
        description="Name of this receiver in status and history: a-z, 0-9 and dashes."
        " Do not change it: waiting deliveries belong to the name."
    )
    accept_simulated: bool = Field(
        default=False,
        description="Deliver simulated events too. When false, they are recorded as withheld from this receiver.",
    )
    retry_first_s: float = Field(
        default=1.0, ge=0.05, le=60,
        description="Pause after the first failed attempt; it doubles after each further one.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip
    retry_cap_s: float = Field(
        default=60.0, ge=1, le=3600,
        description="Longest pause between two attempts, even if the receiver asks for a longer one.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip

    @property
    def title(self) -> str:
        return f"{self.kind} {self.name}"
