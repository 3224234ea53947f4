"""The agent's configuration: every key with its unit, default, bounds and meaning; unknown keys are refused.

Secrets never stand in here: a key names the file or the environment variable that holds one.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from host_agent.config.problems import describe_problems, syntax_problem
from host_agent.errors import ConfigError

LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
LARGEST_CONFIG_BYTES = 1_000_000  # a configuration is a page; anything larger is another file


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AgentSection(_Section):
    """The process itself."""

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="How much the agent writes to its log (standard error)."
    )


class SerialSection(_Section):
    """Which serial ports the agent may open. It never opens a port that is neither named nor a known board."""

    ports: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="Ports to open, as paths or names, whether or not they exist yet.",
    )
    scan_usb: bool = Field(
        default=True,
        description="Open ports too whose USB id is that of a supported board, and wearables seen before.",
    )


class BleSection(_Section):
    """The radio link. Only wearables that this laptop holds a key of are looked for."""

    enabled: bool = Field(
        default=True,
        description="Reach wearables over Bluetooth when no cable serves them (needs the extra 'ble').",
    )


class WatchdogSection(_Section):
    """When silence becomes an alarm. Times run on the agent's clock; they are proposals a clinician must sign."""

    no_data_yet_s: int = Field(
        default=120, ge=10, le=3600, description="From start-up without any reading to NO_DATA_YET.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip
    stale_s: int = Field(
        default=180, ge=60, le=3600,
        description="Age of the newest reading that raises STALE_DATA (the wearable closes a block within 120 s).",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip
    future_s: int = Field(
        default=60, ge=5, le=3600,
        description="How far a reading may lie ahead of the agent's clock before FUTURE_DATA.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip
    medium_after_s: int = Field(
        default=900, ge=60, le=86400, description="Silence after which a LOW alarm becomes MEDIUM.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip
    high_after_s: int = Field(
        default=1800, ge=120, le=86400, description="Silence after which it becomes HIGH.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip

    @model_validator(mode="after")
    def _grows(self) -> "WatchdogSection":
        if not self.stale_s <= self.medium_after_s < self.high_after_s:
            raise ValueError("stale_s <= medium_after_s < high_after_s, so that the alarm grows with time")
        return self


class StoreSection(_Section):
    """What is kept. Roll-ups, alarms, grades, events, entries and signatures always are."""

    keep_days: int = Field(
        default=0, ge=0, le=36_500,
        description="Days after a patient's end until single readings lose their rows; 0 keeps them for ever.",
        json_schema_extra={"unit": "days"},
    )  # fmt: skip


class WebhookSection(_Section):
    """One receiver of events over HTTPS. Write one [[webhook]] table per receiver."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")] = Field(
        description="Name of this receiver in status and history: a-z, 0-9 and dashes. Keep it: deliveries follow it."
    )
    url: str = Field(description="Address that takes the POST. Redirects are refused.")
    secret_file: str | None = Field(
        default=None,
        description="File with the shared secret (first line, 16 characters or more, readable by you alone).",
    )
    secret_env: Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$")] | None = Field(
        default=None,
        description="Environment variable with the shared secret; exactly one of secret_file and secret_env.",
    )
    accept_simulated: bool = Field(
        default=False,
        description="Deliver simulated events too. When false they are recorded as withheld for this receiver.",
    )
    allow_plain_http: bool = Field(
        default=False,
        description="Permit http:// to another machine. Unencrypted: the network sees what is sent.",
    )
    timeout_s: float = Field(
        default=10.0, ge=0.1, le=60, description="Longest time for one whole delivery attempt.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip
    retry_first_s: float = Field(
        default=1.0, ge=0.05, le=60, description="Pause after the first failed attempt; it doubles with each one.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip
    retry_cap_s: float = Field(
        default=60.0, ge=1, le=3600, description="Longest pause between attempts, also against a longer Retry-After.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            parts.port  # noqa: B018 a port out of range raises here
        except ValueError as error:
            raise ValueError("an address such as https://alarms.example.org/cytowatch") from error
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("an address such as https://alarms.example.org/cytowatch")
        if parts.username or parts.password:
            raise ValueError("an address without user name or password; the signature proves the sender")
        return url

    @model_validator(mode="after")
    def _is_whole(self) -> "WebhookSection":
        if (self.secret_file is None) == (self.secret_env is None):
            raise ValueError("exactly one of secret_file and secret_env")
        parts = urlsplit(self.url)
        if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS and not self.allow_plain_http:
            raise ValueError("https:// (or allow_plain_http = true, when the network itself is protected)")
        return self


class Config(_Section):
    """The whole file. An absent table means its defaults."""

    agent: AgentSection = AgentSection()
    serial: SerialSection = SerialSection()
    ble: BleSection = BleSection()
    watchdog: WatchdogSection = WatchdogSection()
    store: StoreSection = StoreSection()
    webhook: tuple[WebhookSection, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _names_differ(self) -> "Config":
        names = [hook.name for hook in self.webhook]
        if len(set(names)) != len(names):
            raise ValueError("a different webhook name for each [[webhook]] table")
        return self


def parse_config(text: str, source: str = "configuration") -> Config:
    """Check `text` (TOML) whole; raises ConfigError naming each wrong key, its line and what was expected."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{source}: {syntax_problem(error)}",
            advice="Compare with `cytowatch config --example`.",
        ) from None
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        problems = "\n  ".join(describe_problems(error, Config, text))
        raise ConfigError(
            f"{source} is refused:\n  {problems}",
            advice="`cytowatch config --example` shows every key with its unit and default.",
        ) from None


def load_config(path: Path) -> Config:
    """Read and check the file at `path`; raises ConfigError."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_CONFIG_BYTES + 1)
        if len(data) > LARGEST_CONFIG_BYTES:
            raise ConfigError(f"{path}: larger than 1 MB, so not a configuration.", advice="Check the path.")
        text = data.decode("utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}).",
            advice="Give the path of a readable file, or leave --config out to use the defaults.",
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: not UTF-8 text (byte {error.start}).", advice="Save it as UTF-8."
        ) from None
    return parse_config(text, str(path))
