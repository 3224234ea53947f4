"""Texts and names of the numbers in codes.py, for people. They state what was measured and reassure nobody.

Hosts import this module; a wearable shows no text and does not load it. What only people enter has its numbers and its
texts in grade/scales/.
"""

from crs_core.codes import (
    DEVICE_AT_REPL,
    FAULT_ABSENT,
    FAULT_BUS,
    FAULT_DEADLINE,
    FAULT_EXCEPTION,
    FAULT_FLASH,
    FAULT_MISSING,
    FAULT_STALLED,
    FAULT_UNREADABLE,
    FAULT_WRONG_PART,
    FEVER,
    FORK,
    FUTURE_DATA,
    GAP_CORRUPT,
    GAP_DROPPED,
    GAP_FLASH_FAILED,
    HEARTBEAT_UNHEARD,
    HOST_AWAY,
    HYPOTENSION,
    HYPOXAEMIA,
    ICE_LOW,
    JOURNAL_FAULT,
    JOURNAL_REPLACED,
    LAPTOP_BATTERY,
    LIFE_THREATENING,
    LINK_LOST,
    LOW_BATTERY,
    MEASURE_BP,
    MISSING_BLOOD_PRESSURE,
    MISSING_FEVER_EARLIER,
    MISSING_OXYGEN,
    MISSING_SPO2,
    MISSING_TEMPERATURE,
    MISSING_VASOPRESSORS,
    NEW_OXYGEN,
    NOBODY_REACHED,
    NO_SOUND,
    NOT_BACK,
    NOT_UNDERSTOOD,
    TIME_CONTRADICTS,
    NOT_MONITORING,
    NOT_TAKEN,
    NO_DATA,
    NO_DATA_YET,
    PATIENT_BUTTON,
    PAUSE_OVER,
    POSSIBLE_FEVER,
    PROMPT_MISSED,
    PULSE_LOST,
    REASSESS,
    RECHECK_DISAGREES,
    RECORD_CONTRADICTS,
    RECORDS_LOST,
    R_BELOW,
    R_BELOW_AT_AXILLA,
    R_CONTEXT_AGE_UNKNOWN,
    R_DEATH,
    R_DOUBLED,
    R_FEVER_BY_HAND,
    R_FEVER_EARLIER,
    R_FEVER_MET,
    R_FUTURE,
    R_HELD_1,
    R_HELD_2,
    R_HELD_3,
    R_HELD_4,
    R_HYPOTENSION,
    R_LOW_PERFUSION,
    R_MASKED,
    R_MASK_WINDOW_OVER,
    R_NO_PULSE,
    R_ONE_VASOPRESSOR,
    R_OTHER_CAUSE,
    R_OXYGEN_HIGH,
    R_OXYGEN_LOW,
    R_POSITIVE_PRESSURE,
    R_POSSIBLE_LEVEL,
    R_POSSIBLE_RISE,
    R_PPG_ABSENT,
    R_PPG_DISTURBED,
    R_PPG_NO_CONTACT,
    R_PPG_OUT_OF_RANGE,
    R_PPG_RESTING,
    R_PPG_SETTLING,
    R_PPG_TOO_OLD,
    R_ROOM_AIR_UNSETTLED,
    R_SEVERAL_VASOPRESSORS,
    R_SITE_MISSING,
    R_SKIN_BELOW,
    R_TEMP_ABSENT,
    R_TEMP_ARTEFACT,
    R_TEMP_FLAT,
    R_TEMP_OFF_BODY,
    R_TEMP_OUT_OF_RANGE,
    R_TEMP_SETTLING,
    R_TEMP_TOO_OLD,
    R_VASOPRESSIN_ALONE,
    R_VENTILATION_OTHER,
    SENSOR_FAULT,
    SPO2_LOST,
    STALE_DATA,
    STORE_FAULT,
    SUBSYSTEM_ALARM,
    SUBSYSTEM_APP,
    SUBSYSTEM_JOURNAL,
    SUBSYSTEM_LINK,
    SUBSYSTEM_POWER,
    SUBSYSTEM_PPG,
    SUBSYSTEM_SETTINGS,
    SUBSYSTEM_TEMP,
)
from crs_core.wire import rights
from crs_core.wire import hello

ALARM_NAMES = {
    FEVER: "FEVER",
    POSSIBLE_FEVER: "POSSIBLE_FEVER",
    HYPOXAEMIA: "HYPOXAEMIA",
    SPO2_LOST: "SPO2_LOST",
    PULSE_LOST: "PULSE_LOST",
    LIFE_THREATENING: "LIFE_THREATENING",
    PATIENT_BUTTON: "PATIENT_BUTTON",
    NO_DATA: "NO_DATA",
    SENSOR_FAULT: "SENSOR_FAULT",
    JOURNAL_FAULT: "JOURNAL_FAULT",
    HOST_AWAY: "HOST_AWAY",
    LOW_BATTERY: "LOW_BATTERY",
    RECORDS_LOST: "RECORDS_LOST",
    NOT_MONITORING: "NOT_MONITORING",
    HYPOTENSION: "HYPOTENSION",
    ICE_LOW: "ICE_LOW",
    NEW_OXYGEN: "NEW_OXYGEN",
    MEASURE_BP: "MEASURE_BP",
    REASSESS: "REASSESS",
    PROMPT_MISSED: "PROMPT_MISSED",
    RECORD_CONTRADICTS: "RECORD_CONTRADICTS",
    PAUSE_OVER: "PAUSE_OVER",
    NO_DATA_YET: "NO_DATA_YET",
    STALE_DATA: "STALE_DATA",
    FUTURE_DATA: "FUTURE_DATA",
    LINK_LOST: "LINK_LOST",
    FORK: "FORK",
    RECHECK_DISAGREES: "RECHECK_DISAGREES",
    STORE_FAULT: "STORE_FAULT",
    JOURNAL_REPLACED: "JOURNAL_REPLACED",
    DEVICE_AT_REPL: "DEVICE_AT_REPL",
    NOT_TAKEN: "NOT_TAKEN",
    NOT_BACK: "NOT_BACK",
    NOBODY_REACHED: "NOBODY_REACHED",
    NOT_UNDERSTOOD: "NOT_UNDERSTOOD",
    TIME_CONTRADICTS: "TIME_CONTRADICTS",
    HEARTBEAT_UNHEARD: "HEARTBEAT_UNHEARD",
    NO_SOUND: "NO_SOUND",
    LAPTOP_BATTERY: "LAPTOP_BATTERY",
}

# What each alarm says to people is in host_agent/escalation/words/languages/.

REASON_TEXTS = {
    R_FEVER_MET: "Temperature at or above 38.00 °C.",
    R_BELOW_AT_AXILLA: "Below 38.00 °C at the axilla, which does not exclude fever.",
    R_BELOW: "Below 38.00 °C at a site that settles the fever row.",
    R_POSSIBLE_LEVEL: "Axilla at or above 37.50 °C for a while: fever possible.",
    R_POSSIBLE_RISE: "Well above the wearer's own baseline: fever possible.",
    R_FEVER_EARLIER: "The fever criterion was met earlier in this episode.",
    R_MASKED: "A drug that hides fever was given: a temperature below 38.00 °C says nothing.",
    R_SKIN_BELOW: "Below 38.00 °C on the skin, which cannot exclude fever.",
    R_TEMP_ABSENT: "No temperature.",
    R_TEMP_OFF_BODY: "The thermometer is off the body.",
    R_TEMP_SETTLING: "The thermometer is settling.",
    R_TEMP_OUT_OF_RANGE: "The temperature is outside what a body can have.",
    R_TEMP_TOO_OLD: "The temperature is too old to grade.",
    R_TEMP_FLAT: "The temperature has not moved at all for too long.",
    R_TEMP_ARTEFACT: "The thermometer fell faster than a body can: an open arm, a slipped probe or chill.",
    R_SITE_MISSING: "Where the thermometer sits is not known.",
    R_PPG_ABSENT: "No optical sensor.",
    R_PPG_NO_CONTACT: "The optical sensor has no contact.",
    R_PPG_SETTLING: "The optical sensor is settling.",
    R_LOW_PERFUSION: "Too little pulse signal for a value.",
    R_PPG_DISTURBED: "The pulse signal is disturbed.",
    R_PPG_TOO_OLD: "The oxygen saturation is too old.",
    R_PPG_RESTING: "The optical sensor rests for some seconds by plan.",
    R_PPG_OUT_OF_RANGE: "The oxygen saturation is outside what can be measured.",
    R_NO_PULSE: "Contact, but no pulse.",
    R_FUTURE: "The reading is dated in the future.",
    R_DOUBLED: "The reading is a repeat.",
    R_CONTEXT_AGE_UNKNOWN: "How old an entry is became unknown with a restart: it counts as expired.",
    R_HYPOTENSION: "Hypotension.",
    R_ONE_VASOPRESSOR: "One vasopressor.",
    R_SEVERAL_VASOPRESSORS: "Several vasopressors, not counting vasopressin.",
    R_VASOPRESSIN_ALONE: "Vasopressin alone: read as one vasopressor; the table does not name the case.",
    R_OXYGEN_LOW: "Low-flow nasal cannula or blow-by oxygen.",
    R_OXYGEN_HIGH: "High-flow cannula or mask oxygen.",
    R_POSITIVE_PRESSURE: "Positive pressure.",
    R_ROOM_AIR_UNSETTLED: "Room air does not settle the oxygen need without a saturation at or above the limit.",
    R_VENTILATION_OTHER: "Positive pressure given for airway or procedure, not for hypoxia.",
    R_OTHER_CAUSE: "A clinician attributes the present fever to another cause.",
    R_DEATH: "Signed record of death due to CRS.",
    R_HELD_1: "At least 1 was known from an entry that has expired: re-assess.",
    R_HELD_2: "At least 2 was known from an entry that has expired: re-assess.",
    R_HELD_3: "At least 3 was known from an entry that has expired: re-assess.",
    R_HELD_4: "At least 4 was known from an entry that has expired: re-assess.",
    R_MASK_WINDOW_OVER: "The time in which a drug hides fever is over; whether more was given since is not known.",
    R_FEVER_BY_HAND: "A reading by hand is at or above 38.00 °C.",
}

MISSING_NAMES = {
    MISSING_TEMPERATURE: "temperature_cc",
    MISSING_BLOOD_PRESSURE: "blood_pressure",
    MISSING_VASOPRESSORS: "vasopressors",
    MISSING_OXYGEN: "oxygen",
    MISSING_SPO2: "spo2_tenths",
    MISSING_FEVER_EARLIER: "fever_earlier",
}

MISSING_TEXTS = {
    # a reading at the armpit is known and settles nothing: a temperature by mouth would
    MISSING_TEMPERATURE: "temperature by mouth",
    MISSING_BLOOD_PRESSURE: "blood pressure",
    MISSING_VASOPRESSORS: "vasopressors",
    MISSING_OXYGEN: "oxygen",
    MISSING_SPO2: "oxygen saturation",
    MISSING_FEVER_EARLIER: "fever earlier in this episode",
}

GAP_TEXTS = {
    GAP_DROPPED: "dropped to make room",
    GAP_CORRUPT: "unreadable in flash",
    GAP_FLASH_FAILED: "lost when flash failed",
}

SUBSYSTEM_NAMES = {
    SUBSYSTEM_PPG: "ppg",
    SUBSYSTEM_TEMP: "temperature",
    SUBSYSTEM_JOURNAL: "journal",
    SUBSYSTEM_LINK: "link",
    SUBSYSTEM_POWER: "power",
    SUBSYSTEM_ALARM: "alarm output",
    SUBSYSTEM_SETTINGS: "settings",
    SUBSYSTEM_APP: "application",
}

FAULT_TEXTS = {
    FAULT_ABSENT: "does not answer",
    FAULT_BUS: "bus error",
    FAULT_WRONG_PART: "wrong part id",
    FAULT_STALLED: "stopped delivering",
    FAULT_FLASH: "flash error",
    FAULT_UNREADABLE: "unreadable content",
    FAULT_EXCEPTION: "unexpected error",
    FAULT_DEADLINE: "deadline passed",
    FAULT_MISSING: "missing",
}

REFUSE_TEXTS = {
    hello.REFUSE_VERSION: "no protocol version in common",
    hello.REFUSE_KEY: "unknown or revoked key",
    hello.REFUSE_PROOF: "the proof of the key is wrong",
    hello.REFUSE_NO_SESSION: "no session is open: the device restarted",
    hello.REFUSE_BUSY: "busy: try again later",
    hello.REFUSE_DEVICE: "another device answered",
}


def alarm_name(alarm: int) -> str:
    """Name of an alarm id; an id from a newer peer gives "ALARM_<n>"."""
    return ALARM_NAMES.get(alarm) or "ALARM_%d" % alarm


def reason_text(code: int) -> str:
    """One sentence for a reason code; an unknown code says so."""
    return REASON_TEXTS.get(code) or "Reason %d, not known here." % code


# right -> (its name, what a host with it may do), in the order of their bits
RIGHTS = {
    rights.READ: ("read", "read this wearable"),
    rights.TIME: ("time", "date its records"),
    rights.ACCEPT: ("accept", "accept its alarms"),
    rights.CONTEXT: ("context", "bring what people entered to it"),
    rights.SETTINGS: ("settings", "change its settings, test it, service it or pause it"),
    rights.BIND: ("bind", "start or end its patient or revoke a laptop"),
}
_ROLES = {rights.CUSTODIAN: "custodian", rights.READER: "reader"}


def role_name(role: int) -> str:
    """Name of the role of a key: custodian, reader, or its rights as `read+accept`; `role N` for an unknown one."""
    held = rights.of_role(role)
    spelled = "+".join(name for right, (name, _) in RIGHTS.items() if held & right)
    return _ROLES.get(role) or spelled or f"role {role}"


def role_of(name: str) -> int:
    """The role of this name; 0 when there is none. Rights stand in any order, `read` among them or not."""
    for role, known in _ROLES.items():
        if name == known:
            return role  # type: ignore[no-any-return]
    named = {name: right for right, (name, _) in RIGHTS.items()}
    parts = name.replace(",", "+").split("+")
    if any(part not in named for part in parts):
        return 0
    held = rights.READ | sum({named[part] for part in parts} - {rights.READ})
    return rights.READER if held == rights.READ else rights.OTHER + held  # type: ignore[no-any-return]
