"""One event as FHIR R4 (4.0.1) resources, each with an identifier of its own: the same event gives the same resources.

    alarm        Flag (active until it is over), Communication, and an Observation for each value measured then
    grade rise   RiskAssessment, always preliminary: nobody signed it
    signed       Condition, only for a grade or death that counts; entered-in-error when it was reversed
    anything     Device, and a Communication with the text that people got

Patients are named by identifier and never made here: the record system knows them. A value without a time is no
Observation, and what is not known is left out. Codes: LOINC and ISO/IEEE 11073 of the vital-signs profiles, units UCUM.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from host_agent.diagnosis_codes import code_of

_LOINC = "http://loinc.org"
_MDC = "urn:iso:std:iso:11073:10101"
_UCUM = "http://unitsofmeasure.org"
_HL7 = "http://terminology.hl7.org/CodeSystem/"
_PROFILE = "http://hl7.org/fhir/StructureDefinition/"
_ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
_PRIORITIES = {"LOW": "routine", "MEDIUM": "urgent", "HIGH": "stat"}
_PERCENT = {"unit": "%", "system": _UCUM, "code": "%"}
_OVER = "over"


class Vital(NamedTuple):
    """How one value of an alarm is written; `scale` makes its unit of what the event holds."""

    field: str
    profile: str
    codes: tuple[tuple[str, str, str], ...]
    text: str
    scale: Callable[[int], float]
    unit: str
    ucum: str


VITALS = (
    Vital(
        "temperature_cc", "bodytemp",
        ((_LOINC, "8310-5", "Body temperature"), (_MDC, "150364", "MDC_TEMP_BODY")),
        "Body temperature", lambda cc: cc / 100, "°C", "Cel",
    ),
    Vital(
        "spo2_tenths", "oxygensat",
        ((_LOINC, "2708-6", "Oxygen saturation in Arterial blood"),
         (_LOINC, "59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
         (_MDC, "150456", "MDC_PULS_OXIM_SAT_O2")),
        "Oxygen saturation by pulse oximetry", lambda tenths: tenths / 10, "%", "%",
    ),
    Vital(
        "heart_rate_bpm", "heartrate",
        ((_LOINC, "8867-4", "Heart rate"), (_MDC, "149530", "MDC_PULS_OXIM_PULS_RATE")),
        "Heart rate by pulse oximetry", float, "/min", "/min",
    ),
)  # fmt: skip


class Systems(NamedTuple):
    """Identifier systems: of patients, as the record system has them, and of all that is made here."""

    patient: str
    own: str


class Named(NamedTuple):
    """A resource and the identifier value that finds it again; `fhir_id` is one that a server may take as its id."""

    type: str
    identifier: str
    body: dict[str, Any]

    @property
    def fhir_id(self) -> str:
        return "cw-" + hashlib.sha256(self.identifier.encode()).hexdigest()[:40]


def resources(event: Mapping[str, Any], systems: Systems) -> list[Named]:
    """The resources of one event of schema `cytowatch.event/1`."""
    made = _Maker(event, systems)
    return [
        *made.device(),
        *made.observations(),
        *made.flag(),
        *made.risk(),
        *made.condition(),
        *made.communication(),
    ]


class _Maker:
    def __init__(self, event: Mapping[str, Any], systems: Systems) -> None:
        self._event = event
        self._systems = systems
        device, patient = event.get("device"), event.get("patient")
        self._stage = event.get("stage") or "raised"
        self._at = event.get("occurred_at")
        self._subject = (
            {"subject": _reference("Patient", systems.patient, patient["id"])}
            if patient and patient.get("id")
            else {}
        )
        self._device = _reference("Device", systems.own, f"device-{device['id']}") if device else None

    def device(self) -> Iterator[Named]:
        device = self._event.get("device")
        if device:
            body = {
                "deviceName": [{"name": device.get("name") or device["id"], "type": "user-friendly-name"}],
                "type": {
                    "text": "Wearable thermometer and pulse oximeter. Research prototype, not a medical device."
                },
            }
            yield self._named("Device", f"device-{device['id']}", body)

    def observations(self) -> Iterator[Named]:
        values = self._event.get("values")
        if not values or not self._subject or self._at is None:
            return
        for vital in VITALS:
            if (value := values.get(vital.field)) is None:
                continue
            body: dict[str, Any] = {
                "status": "preliminary",
                "category": [_concept((_HL7 + "observation-category", "vital-signs", "Vital Signs"))],
                "code": _concept(*vital.codes, text=vital.text),
                **self._subject,
                "effectiveDateTime": self._at,
                "valueQuantity": {
                    "value": vital.scale(value), "unit": vital.unit, "system": _UCUM, "code": vital.ucum,
                },
            }  # fmt: skip
            if self._device:
                body["device"] = self._device
            if vital.field == "temperature_cc" and values.get("site"):
                body["bodySite"] = {"text": values["site"]}
            yield self._named("Observation", f"{self._event['key']}-{vital.profile}", body, vital.profile)

    def flag(self) -> Iterator[Named]:
        alarm = self._event.get("alarm")
        if not alarm or not self._subject:
            return
        period = {"end" if self._stage == _OVER else "start": self._at} if self._at else {}
        body = {
            "status": "inactive" if self._stage == _OVER else "active",
            "category": [_concept((_HL7 + "flag-category", "clinical", "Clinical"))],
            "code": {"text": alarm["name"]},
            **self._subject,
            **({"period": period} if period else {}),
            **({"author": self._device} if self._device else {}),
        }
        yield self._named("Flag", f"{self._event['key']}-flag", body)

    def risk(self) -> Iterator[Named]:
        grade = self._event.get("grade")
        if not grade or not self._subject:
            return
        lower, upper = grade["lower"], grade["upper"]
        span = f"grade {lower}" if lower == upper else f"at least grade {lower}, could be up to {upper}"
        not_known = f" Not known: {', '.join(grade['missing'])}." if grade.get("missing") else ""
        body = {
            "status": "preliminary",
            "method": {"text": grade["scale"]},
            "code": {"text": "Grade of cytokine release syndrome"},
            **self._subject,
            **({"occurrenceDateTime": self._at} if self._at else {}),
            **({"performer": self._device} if self._device else {}),
            "prediction": [
                {
                    "outcome": {"text": f"Cytokine release syndrome, {grade['scale']}: {span}"},
                    # None is known. Servers refuse a prediction without any: invariant ras-2 as it is published.
                    "probabilityRange": {"low": _PERCENT | {"value": 0}, "high": _PERCENT | {"value": 100}},
                }
            ],
            "note": [{"text": f"Computed from what was measured and entered; not signed.{not_known}"}],
        }
        yield self._named("RiskAssessment", f"{self._event['key']}-grade", body)

    def condition(self) -> Iterator[Named]:
        signed = self._event.get("signed")
        if not signed or not signed.get("record") or not self._subject:
            return
        code = code_of(signed["record_kind"], signed["scale"], signed["grade"], signed["cause"])
        if not code or not (signed["in_force"] or signed["kind"] == "reverse"):
            return
        by = f"{signed['account']} (account of this laptop)"
        body = {
            **({"clinicalStatus": _concept((_HL7 + "condition-clinical", "active", None))}
               if signed["in_force"] else {}),
            "verificationStatus": _concept(
                (_HL7 + "condition-ver-status", "confirmed", None)
                if signed["in_force"]
                else (_HL7 + "condition-ver-status", "entered-in-error", None)
            ),
            "code": _concept((_ICD10CM, code, None), text="Cytokine release syndrome, graded by a clinician"),
            **self._subject,
            **({"recordedDate": self._at} if self._at else {}),
            "asserter": {"type": "Practitioner", "display": by},
        }  # fmt: skip
        yield self._named("Condition", f"audit-{signed['record']}-condition", body)

    def communication(self) -> Iterator[Named]:
        event = self._event
        body: dict[str, Any] = {
            "status": "completed",
            "category": [_concept((_HL7 + "communication-category", "alert", "Alert"))],
            "priority": _PRIORITIES.get(event.get("priority", "HIGH"), "stat"),
            **self._subject,
            "payload": [{"contentString": event["text"]}],
            **({"sender": self._device} if self._device else {}),
            **({"sent": self._at} if self._at else {}),
        }
        if event.get("alarm") and self._subject:
            body["about"] = [_reference("Flag", self._systems.own, f"{event['key']}-flag")]
        yield self._named("Communication", f"{event['key']}-{self._stage}-message", body)

    def _named(self, kind: str, identifier: str, body: dict[str, Any], profile: str | None = None) -> Named:
        meta: dict[str, Any] = {}
        if self._event.get("simulated") or self._stage == "test":
            meta["security"] = [
                {"system": f"{_HL7}v3-ActReason", "code": "HTEST", "display": "test health data"}
            ]
        if profile:
            meta["profile"] = [_PROFILE + profile]
        whole = {
            "resourceType": kind,
            **({"meta": meta} if meta else {}),
            "identifier": [{"system": self._systems.own, "value": identifier}],
            **body,
        }
        return Named(kind, identifier, whole)


def _reference(kind: str, system: str, value: str) -> dict[str, Any]:
    return {"type": kind, "identifier": {"system": system, "value": value}}


def _concept(*codings: tuple[str, str, str | None], text: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if codings:
        found["coding"] = [
            {"system": system, "code": code, **({"display": display} if display else {})}
            for system, code, display in codings
        ]
    return found | ({"text": text} if text else {})
