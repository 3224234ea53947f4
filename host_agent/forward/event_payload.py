"""The body of an event, schema cytowatch.event/1, as a type: FORMATS.md says what each field means.

Fields are added, never changed in meaning: a reader ignores what it does not know. The JSON Schema in `../schema/` is
made from this (`make docs`), and a test holds every event that the agent makes beside it.
"""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

Priority = Literal["NONE", "LOW", "MEDIUM", "HIGH"]
Grade = Annotated[int, Field(ge=0, le=5)]


class Alarm(TypedDict):
    """Which alarm, and its priority now."""

    id: int
    name: str
    priority: str
    host: bool


class Device(TypedDict):
    """The wearable."""

    id: str
    name: str


class Patient(TypedDict):
    """Whom it is about, by pseudonym."""

    id: str
    binding_id: str
    day: int | None
    label: NotRequired[str | None]


class Call(TypedDict):
    """Phone numbers."""

    care_team: str | None
    emergency: str | None


class Source(TypedDict):
    """The record in the wearable's journal."""

    journal_id: str | None
    branch: int
    seq: int
    boot: int | None
    t_ms: int | None


class Values(TypedDict):
    """What the wearable measured when it raised the alarm; null where it measured nothing that may be used."""

    temperature_cc: int | None
    site: str | None
    spo2_tenths: int | None
    heart_rate_bpm: int | None
    temperature_age_ms: NotRequired[int | None]
    ppg_age_ms: NotRequired[int | None]


class Signed(TypedDict):
    """What a person signed; `record` is the grade, death or end that it is about."""

    entry: str
    kind: str
    account: str
    record: str | None
    record_kind: str | None
    in_force: bool | None
    scale: str | None
    grade: int | None
    cause: str | None


class AuditHead(TypedDict):
    """The last row of the audit chain when the event was queued."""

    rows: int
    hash: str


class Accept(TypedDict):
    """The one-time code by which the reader of this message accepts its alarm."""

    token: str
    until: str


class Acceptance(TypedDict):
    """Who accepted the alarm, how, and until when that holds while the alarm goes on."""

    who: str
    how: str
    signed: bool
    at: str
    until: str


class About(TypedDict):
    """What people call the patient and the wearable, and the temperature unit of the wearable."""

    patient: str
    wearable: str
    unit: str


class ToCall(TypedDict):
    """A number to call, and the words of a button that dials it."""

    label: str
    number: str


class EventPayload(TypedDict):
    """One event."""

    schema: Literal["cytowatch.event/1"]
    key: Annotated[str, Field(min_length=1)]
    notice: str
    simulated: bool
    priority: str
    kind: str
    name: str
    text: Annotated[str, Field(min_length=1)]
    detail: str
    alarm: Alarm | None
    grade: dict[str, Any] | None
    values: NotRequired[Values | None]
    signed: NotRequired[Signed | None]
    device: Device | None
    patient: Patient | None
    call: Call
    source: Source | None
    occurred_at: str | None
    time_bound_ms: int | None
    audit_head: AuditHead | None
    stage: NotRequired[Literal["raised", "reminder", "accepted", "over", "test"]]
    episode: NotRequired[str | int | None]
    accept: NotRequired[Accept]
    acceptance: NotRequired[Acceptance]
    title: NotRequired[str]
    language: NotRequired[str]
    to_call: NotRequired[list[ToCall]]
    to_accept: NotRequired[str]
    about: NotRequired[About]
    facts: NotRequired[dict[str, Any]]
    made_at: NotRequired[str]
