"""Every number that stands for a word: alarms, priorities, reasons, gaps, faults, refusals, and their one-line texts.

Numbers are on flash and on the wire, so a number once given keeps its meaning; new ones are added, none is reused.
Texts are for people: they state what was measured and reassure nobody. MicroPython dicts have no order: look up, never
iterate for meaning.
"""

from crs_core.compat import const

# --- priority (IEC 60601-1-8 vocabulary); 0 in a change means "this condition ended"
PRIORITY_NONE = const(0)
PRIORITY_LOW = const(1)
PRIORITY_MEDIUM = const(2)
PRIORITY_HIGH = const(3)
PRIORITY_NAMES = ("NONE", "LOW", "MEDIUM", "HIGH")

# --- alarms of the wearable, physiological
FEVER = const(1)
POSSIBLE_FEVER = const(2)
HYPOXAEMIA = const(3)
SPO2_LOST = const(4)
PULSE_LOST = const(5)
LIFE_THREATENING = const(6)
PATIENT_BUTTON = const(7)
# --- technical
NO_DATA = const(8)
SENSOR_FAULT = const(9)
JOURNAL_FAULT = const(10)
HOST_AWAY = const(11)
LOW_BATTERY = const(12)
RECORDS_LOST = const(13)
NOT_MONITORING = const(14)
LAST_WEARABLE_ALARM = const(14)
# --- kept for signed context and prompts
HYPOTENSION = const(20)
ICE_LOW = const(21)
NEW_OXYGEN = const(22)
MEASURE_BP = const(23)
REASSESS = const(24)
PROMPT_MISSED = const(25)
# --- technical alarms of the host
NO_DATA_YET = const(40)
STALE_DATA = const(41)
FUTURE_DATA = const(42)
LINK_LOST = const(43)
FORK = const(44)
RECHECK_DISAGREES = const(45)
STORE_FAULT = const(46)
JOURNAL_REPLACED = const(47)
DEVICE_AT_REPL = const(48)

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
    NO_DATA_YET: "NO_DATA_YET",
    STALE_DATA: "STALE_DATA",
    FUTURE_DATA: "FUTURE_DATA",
    LINK_LOST: "LINK_LOST",
    FORK: "FORK",
    RECHECK_DISAGREES: "RECHECK_DISAGREES",
    STORE_FAULT: "STORE_FAULT",
    JOURNAL_REPLACED: "JOURNAL_REPLACED",
    DEVICE_AT_REPL: "DEVICE_AT_REPL",
}

ALARM_TEXTS = {
    FEVER: "Temperature at or above 38.0 °C.",
    POSSIBLE_FEVER: "Possible fever: take an oral temperature now.",
    HYPOXAEMIA: "Suspected low oxygen saturation.",
    SPO2_LOST: "Oxygen saturation cannot be read on a worn device.",
    PULSE_LOST: "Worn, but no pulse found.",
    LIFE_THREATENING: "Life-threatening pattern: two of high temperature, low oxygen saturation, fast heart rate.",
    PATIENT_BUTTON: "The patient pressed: I feel ill.",
    NO_DATA: "Not measuring: check the strap; take the temperature by hand.",
    SENSOR_FAULT: "A sensor does not answer.",
    JOURNAL_FAULT: "The wearable cannot write its journal.",
    HOST_AWAY: "The bedside laptop is not heard.",
    LOW_BATTERY: "Battery low: charge the wearable.",
    RECORDS_LOST: "Stored events were dropped before they were synced.",
    NOT_MONITORING: "In maintenance: not monitoring.",
    HYPOTENSION: "Low blood pressure was entered.",
    ICE_LOW: "Low neurological score was entered.",
    NEW_OXYGEN: "New or rising oxygen need was entered.",
    MEASURE_BP: "Measure the blood pressure now.",
    REASSESS: "An entry has expired: re-assess now.",
    PROMPT_MISSED: "A prompt was not answered in time.",
    NO_DATA_YET: "No data has arrived since the agent started.",
    STALE_DATA: "No new data has arrived.",
    FUTURE_DATA: "Data is dated in the future.",
    LINK_LOST: "The link to the wearable is lost.",
    FORK: "Two different records carry the same number.",
    RECHECK_DISAGREES: "The host's re-run of a decision disagrees with the wearable.",
    STORE_FAULT: "The host cannot write its store.",
    JOURNAL_REPLACED: "The wearable's journal was replaced without a known act.",
    DEVICE_AT_REPL: "The wearable runs no application: not monitoring.",
}


def is_physiological(alarm: int) -> bool:
    """True when the condition is about the patient, False when it is about the equipment or the link."""
    return 1 <= alarm <= 7 or 20 <= alarm <= 22


# --- fever criterion
FEVER_UNKNOWN = const(0)
FEVER_NOT_MET = const(1)
FEVER_POSSIBLE = const(2)
FEVER_MET = const(3)
FEVER_MASKED = const(4)
FEVER_NAMES = ("unknown", "not_met", "possible", "met", "masked")

# --- status of an assessment
NOT_GRADABLE = const(0)
PROVISIONAL = const(1)
SIGNED = const(2)
STATUS_NAMES = ("not_gradable", "provisional", "signed")

# --- scales
SCALE_ASTCT = const(1)
SCALE_NAMES = {SCALE_ASTCT: "ASTCT"}

# --- reasons of an assessment, u8
R_FEVER_MET = const(1)
R_BELOW_AT_AXILLA = const(2)
R_BELOW = const(3)
R_POSSIBLE_LEVEL = const(4)
R_POSSIBLE_RISE = const(5)
R_FEVER_EARLIER = const(6)
R_MASKED = const(7)
R_SKIN_BELOW = const(8)
R_TEMP_ABSENT = const(10)
R_TEMP_OFF_BODY = const(11)
R_TEMP_SETTLING = const(12)
R_TEMP_OUT_OF_RANGE = const(13)
R_TEMP_TOO_OLD = const(14)
R_TEMP_FLAT = const(15)
R_SITE_MISSING = const(16)
R_PPG_ABSENT = const(20)
R_PPG_NO_CONTACT = const(21)
R_PPG_SETTLING = const(22)
R_LOW_PERFUSION = const(23)
R_PPG_DISTURBED = const(24)
R_PPG_TOO_OLD = const(25)
R_PPG_OUT_OF_RANGE = const(26)
R_NO_PULSE = const(27)
R_FUTURE = const(30)
R_DOUBLED = const(31)
R_CONTEXT_AGE_UNKNOWN = const(40)
R_HYPOTENSION = const(50)
R_ONE_VASOPRESSOR = const(51)
R_SEVERAL_VASOPRESSORS = const(52)
R_VASOPRESSIN_ALONE = const(53)
R_OXYGEN_LOW = const(54)
R_OXYGEN_HIGH = const(55)
R_POSITIVE_PRESSURE = const(56)
R_ROOM_AIR_UNSETTLED = const(57)
R_VENTILATION_OTHER = const(58)
R_OTHER_CAUSE = const(59)
R_DEATH = const(60)

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
    R_SITE_MISSING: "Where the thermometer sits is not known.",
    R_PPG_ABSENT: "No optical sensor.",
    R_PPG_NO_CONTACT: "The optical sensor has no contact.",
    R_PPG_SETTLING: "The optical sensor is settling.",
    R_LOW_PERFUSION: "Too little pulse signal for a value.",
    R_PPG_DISTURBED: "The pulse signal is disturbed.",
    R_PPG_TOO_OLD: "The oxygen saturation is too old.",
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
}

# --- inputs that are missing, u8: the vocabulary's key
MISSING_TEMPERATURE = const(1)
MISSING_BLOOD_PRESSURE = const(2)
MISSING_VASOPRESSORS = const(3)
MISSING_OXYGEN = const(4)
MISSING_SPO2 = const(5)
MISSING_FEVER_EARLIER = const(6)
MISSING_NAMES = {
    MISSING_TEMPERATURE: "temperature_cc",
    MISSING_BLOOD_PRESSURE: "blood_pressure",
    MISSING_VASOPRESSORS: "vasopressors",
    MISSING_OXYGEN: "oxygen",
    MISSING_SPO2: "spo2_tenths",
    MISSING_FEVER_EARLIER: "fever_earlier",
}
MISSING_TEXTS = {
    MISSING_TEMPERATURE: "temperature",
    MISSING_BLOOD_PRESSURE: "blood pressure",
    MISSING_VASOPRESSORS: "vasopressors",
    MISSING_OXYGEN: "oxygen",
    MISSING_SPO2: "oxygen saturation",
    MISSING_FEVER_EARLIER: "fever earlier in this episode",
}

# --- why a range of sequence numbers is not there
GAP_DROPPED = const(1)
GAP_CORRUPT = const(2)
GAP_FLASH_FAILED = const(3)
GAP_TEXTS = {
    GAP_DROPPED: "dropped to make room",
    GAP_CORRUPT: "unreadable in flash",
    GAP_FLASH_FAILED: "lost when flash failed",
}

# --- FAULT records: subsystem and code
SUBSYSTEM_PPG = const(1)
SUBSYSTEM_TEMP = const(2)
SUBSYSTEM_JOURNAL = const(3)
SUBSYSTEM_LINK = const(4)
SUBSYSTEM_POWER = const(5)
SUBSYSTEM_ALARM = const(6)
SUBSYSTEM_SETTINGS = const(7)
SUBSYSTEM_APP = const(8)
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
FAULT_ABSENT = const(1)
FAULT_BUS = const(2)
FAULT_WRONG_PART = const(3)
FAULT_STALLED = const(4)
FAULT_FLASH = const(5)
FAULT_UNREADABLE = const(6)
FAULT_EXCEPTION = const(7)
FAULT_DEADLINE = const(8)
FAULT_MISSING = const(9)
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

# --- why a session is refused (REFUSE message) or closed (BYE)
REFUSE_VERSION = const(1)
REFUSE_KEY = const(2)
REFUSE_PROOF = const(3)
REFUSE_DEVICE = const(4)
REFUSE_BUSY = const(5)
REFUSE_JOURNAL_CHANGED = const(6)
REFUSE_TEXTS = {
    REFUSE_VERSION: "no protocol version in common",
    REFUSE_KEY: "unknown or revoked key",
    REFUSE_PROOF: "the proof of the key is wrong",
    REFUSE_DEVICE: "another device answered",
    REFUSE_BUSY: "another session is open",
    REFUSE_JOURNAL_CHANGED: "the journal was replaced",
}


def alarm_name(alarm: int) -> str:
    """Name of an alarm id; an id from a newer peer gives "ALARM_<n>"."""
    return ALARM_NAMES.get(alarm) or "ALARM_%d" % alarm


def reason_text(code: int) -> str:
    """One sentence for a reason code; an unknown code says so."""
    return REASON_TEXTS.get(code) or "Reason %d, not known here." % code
