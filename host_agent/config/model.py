"""The agent's configuration: every key with its unit, default, bounds and meaning; unknown keys are refused.

Secrets never stand in here: a key names the file or the environment variable that holds one.
"""

import tomllib
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, model_validator

from host_agent.config.contacts import (
    ContactSection,
    EscalationSection,
    Language,
    StepSection,
    contact_problems,
)
from host_agent.config.metrics import MetricsSection
from host_agent.config.page import PageSection
from host_agent.config.problems import describe_all, describe_problems, syntax_problem
from host_agent.config.sound import SoundSection
from host_agent.errors import ConfigError, HalfRegistered
from host_agent.forward.heartbeat import HeartbeatSection
from host_agent.forward.peer import Peer
from host_agent.forward.receiver import Receiver
from host_agent.forward.registry import receiver_kinds
from host_agent.forward.secret import is_elsewhere
from host_agent.languages import FIRST
from host_agent.text_file import read_text_file

LARGEST_CONFIG_BYTES = 1_000_000  # a configuration is a page; anything larger is another file


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AgentSection(_Section):
    """The agent itself."""

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="How much the agent writes to its log (standard error)."
    )
    language: Language = Field(
        default=FIRST, description="Language of the messages to receivers that no contact names."
    )
    log_form: Literal["text", "json"] = Field(
        default="text",
        description="text is for people; json writes an object on each line: time, level, source, text and trace.",
    )


class SerialSection(_Section):
    """Serial ports that the agent may open: those named here and those of known boards. It opens no other port."""

    ports: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="Ports to open, as paths or names. A port may be absent for now.",
    )
    scan_usb: bool = Field(
        default=True,
        description="Also open ports whose USB id is that of a known board or of a wearable seen before.",
    )


class BleSection(_Section):
    """The radio link. The agent looks only for wearables whose key is on this laptop."""

    enabled: bool = Field(
        default=True,
        description="Reach wearables over Bluetooth when no cable serves them. Needs pip install 'cytowatch[ble]'.",
    )


class WatchdogSection(_Section):
    """When silence becomes an alarm, by the agent's clock. The times are proposals that a clinician must sign."""

    no_data_yet_s: int = Field(
        default=120, ge=10, le=3600, description="Time from the start without any reading until the alarm NO_DATA_YET.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip
    stale_s: int = Field(
        default=180, ge=60, le=3600,
        description="Age of the newest reading that raises STALE_DATA. The wearable sends a block within 120 s.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip
    future_s: int = Field(
        default=60, ge=5, le=3600,
        description="How far a reading may lie ahead of the agent's clock before the alarm FUTURE_DATA.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip
    medium_after_s: int = Field(
        default=900, ge=60, le=86400, description="Silence after which a LOW alarm becomes MEDIUM.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip
    high_after_s: int = Field(
        default=1800, ge=120, le=86400, description="Silence after which the alarm becomes HIGH.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if not self.stale_s <= self.medium_after_s < self.high_after_s:
            raise ValueError("stale_s <= medium_after_s < high_after_s, so that the alarm grows with time")
        return self


class StoreSection(_Section):
    """How long readings are kept. Roll-ups, alarms, grades, events, entries and signatures are always kept."""

    keep_days: int = Field(
        default=0, ge=0, le=36_500,
        description="Days from a patient's end until the rows of single readings are deleted. 0 keeps them for ever.",
        json_schema_extra={"unit": "days"},
    )  # fmt: skip


def _with_receivers(tables: type[BaseModel]) -> type[BaseModel]:
    """Add one list of tables for each kind of receiver; the name of the table says which model it has."""
    for kind in receiver_kinds():
        if kind in tables.model_fields:
            raise HalfRegistered(
                f"The receiver kind {kind} has the name of a table of the configuration.",
                f"Rename host_agent/forward/kinds/{kind}.py and its line in host_agent/forward/registry.py.",
            )
    lists: dict[str, Any] = {
        kind: (tuple[model, ...], Field(default=(), strict=False))  # type: ignore[valid-type]
        for kind, model in receiver_kinds().items()
    }
    return create_model(tables.__name__, __base__=tables, __doc__=tables.__doc__, **lists)


@_with_receivers
class Config(_Section):
    """The whole file. An absent table means its defaults."""

    agent: AgentSection = AgentSection()
    serial: SerialSection = SerialSection()
    ble: BleSection = BleSection()
    watchdog: WatchdogSection = WatchdogSection()
    store: StoreSection = StoreSection()
    heartbeat: HeartbeatSection = HeartbeatSection()
    metrics: MetricsSection = MetricsSection()
    page: PageSection = PageSection()
    sound: SoundSection = SoundSection()
    escalation: EscalationSection = EscalationSection()
    contact: tuple[ContactSection, ...] = Field(default=(), strict=False)
    step: tuple[StepSection, ...] = Field(default=(), strict=False)

    @property
    def receivers(self) -> tuple[Receiver, ...]:
        """Every receiver of every kind."""
        return tuple(receiver for kind in receiver_kinds() for receiver in getattr(self, kind))

    @property
    def reaching(self) -> tuple[str, ...]:
        """Names of the receivers that reach a person: those of contacts, or without contacts those that tell people."""
        if self.contact:
            return tuple(channel for one in self.contact for channel in one.channels)
        return tuple(receiver.name for receiver in self.receivers if receiver.reaches == "people")

    @property
    def people(self) -> dict[str, str]:
        """Receiver → the contact whom it reaches."""
        return {channel: one.name for one in self.contact for channel in one.channels}

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [receiver.name for receiver in self.receivers]
        names += [self.heartbeat.name] if self.heartbeat.is_on else []
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f"a different name for each receiver; {name} is used {names.count(name)} times"
                )
        return self


def parse_config(text: str, source: str = "configuration", folder: Path | None = None) -> Config:
    """Check `text` (TOML) whole; raises ConfigError naming each wrong key, its line and what was expected.

    The files that it names by a relative path are sought in `folder`, None: in the working directory.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{source}: {syntax_problem(error, text)}",
            advice="Compare with `cytowatch config --example`.",
        ) from None
    except (ValueError, RecursionError):
        # TOMLDecodeError is a ValueError too; this one is a number of thousands of digits, or brackets without end
        raise ConfigError(
            f"{source}: a number in it is too long, or its brackets are too deep.",
            advice="Compare with `cytowatch config --example`.",
        ) from None
    if folder is not None:
        _place_files(tree, folder)
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        problems = describe_problems(error, Config, text)
    else:
        wrong = contact_problems(config.contact, config.step, config.escalation, config.receivers)
        problems = describe_all(wrong, text)
        if not problems:
            return config
    raise ConfigError(
        f"{source} is refused:\n  " + "\n  ".join(problems),
        advice="`cytowatch config --example` shows every key with its unit and default.",
    )


def load_config(path: Path, *, typed: bool = False) -> Config:
    """Read and check the file at `path`; raises ConfigError. Its relative paths count from its own folder.

    `typed`: a person named it just now, so that it may be a pipe of the shell.
    """
    text = read_text_file(
        path,
        typed=typed,
        largest_bytes=LARGEST_CONFIG_BYTES,
        advice="Give the path of a readable file, or leave --config out to use the defaults.",
    )
    return parse_config(text, str(path), path.absolute().parent)


def _place_files(tree: dict[str, Any], folder: Path) -> None:
    """Write the whole path of each file that the table of a receiver or of the heartbeat names into it."""
    models: dict[str, type[Peer]] = {**receiver_kinds(), HeartbeatSection.kind: HeartbeatSection}
    for kind, model in models.items():
        tables: Any = tree.get(kind)
        for table in tables if isinstance(tables, list) else (tables,):
            for key in (*(f"{secret}_file" for secret in model.secrets), *model.files):
                named = table.get(key) if isinstance(table, dict) else None
                if isinstance(named, str) and not named.startswith("~") and not is_elsewhere(named):
                    table[key] = str(folder / named)
