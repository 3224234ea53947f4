"""Who reads what a receiver gets: this decides role, language and unit of its messages."""

from typing import NamedTuple

from host_agent.config.model import Config
from host_agent.languages import FIRST

CLINICIAN, CAREGIVER, PATIENT = ROLES = ("clinician", "caregiver", "patient")
_ROLE_OF = {"patient": PATIENT, "caregiver": CAREGIVER}  # everybody else reads a clinician's text


class Reader(NamedTuple):
    """`unit` "" is the wearable's."""

    role: str = CLINICIAN
    language: str = FIRST
    unit: str = ""


NURSE = Reader()


def readers_of(config: Config) -> dict[str, Reader]:
    """The reader of every receiver by its name; one that no contact has is read by clinicians."""
    system = Reader(CLINICIAN, config.agent.language)
    return {one.name: system for one in config.receivers} | {
        channel: Reader(_ROLE_OF.get(one.role, CLINICIAN), one.language, one.unit or "")
        for one in config.contact
        for channel in one.channels
    }
