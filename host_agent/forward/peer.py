"""What the configuration says of whatever the agent sends to: its secrets, its files, its deadline."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from host_agent.errors import ConfigError
from host_agent.forward.delivery import Forwarder
from host_agent.forward.endpoint import Endpoint
from host_agent.forward.secret import SHORTEST_CHARS, read_secret


class Peer(BaseModel, ABC):
    """Keys that every receiver has, and the watcher outside too. A table has a kind and a name."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: ClassVar[str]
    """Name of the kind's file and of its table; the registry sets it."""

    secrets: ClassVar[tuple[str, ...]] = ()
    """Names of the kind's secrets. Secret X has the keys X_file and X_env, which say where it is; it is never shown."""

    files: ClassVar[tuple[str, ...]] = ()
    """Other keys that name a file: a relative path counts from the folder of the configuration."""

    timeout_s: float = Field(
        default=10.0, ge=0.1, le=60, description="Longest time for one whole delivery attempt.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip

    @property
    @abstractmethod
    def title(self) -> str:
        """What an error calls it: kind and name."""

    @abstractmethod
    def forwarder(self, utc_ms: Callable[[], int]) -> Forwarder:
        """What delivers to this receiver; `utc_ms` is the time to sign with. Raises ConfigError for a secret."""

    def endpoint(self) -> Endpoint | None:
        """Where it connects to, for `receivers test`; None when it uses no network. Raises ConfigError for a secret."""
        return None

    def for_test(self) -> Self:
        """The receiver as a second program uses it while the agent runs."""
        return self

    def proves(self) -> str:
        """What a delivery to it proves, and no more: one clause for people."""
        return "handed over; nothing proves that it arrived"

    def shown_address(self) -> str:
        """Where it sends, as it may be shown: without secrets."""
        return ""

    def needs(self, name: str) -> bool:
        """Whether this receiver cannot work without the secret of that name."""
        return True

    def problems(self) -> Iterator[ConfigError]:
        """What `doctor` and `config --check` report of it, without sending anything: here each secret."""
        for secret in self.secrets:
            if self.has_secret(secret):
                try:
                    self.read_secret(secret)
                except ConfigError as error:
                    yield error

    def has_secret(self, secret: str) -> bool:
        """Whether a key says where the secret is."""
        return getattr(self, f"{secret}_file") is not None or getattr(self, f"{secret}_env") is not None

    def read_secret(
        self, secret: str, environ: Mapping[str, str] = os.environ, shortest_chars: int = SHORTEST_CHARS
    ) -> bytes:
        """The secret from the place that its keys name; ConfigError names the place and never the content."""
        file, variable = getattr(self, f"{secret}_file"), getattr(self, f"{secret}_env")
        return read_secret(self.title, file, variable, environ, shortest_chars)

    @model_validator(mode="after")
    def _has_one_place_for_each_secret(self) -> Self:
        for secret in self.secrets:
            file, variable = f"{secret}_file", f"{secret}_env"
            has_two = getattr(self, file) is not None and getattr(self, variable) is not None
            if has_two or (self.needs(secret) and not self.has_secret(secret)):
                number = "exactly" if self.needs(secret) else "at most"
                raise ValueError(f"{number} one of {file} and {variable}")
        return self
