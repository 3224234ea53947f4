"""Every number that stands for a word: alarms, priorities, reasons, gaps, faults. code_texts.py has their texts.
wire/hello.py has the reasons why a session is refused, wire/message.py those why it was closed.

Numbers are on flash and on the wire: a number keeps its meaning for ever, and none is used again for another meaning.
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
# --- from signed context and prompts
HYPOTENSION = const(20)
ICE_LOW = const(21)
NEW_OXYGEN = const(22)
MEASURE_BP = const(23)
REASSESS = const(24)
PROMPT_MISSED = const(25)
RECORD_CONTRADICTS = const(26)
PAUSE_OVER = const(27)  # technical: the planned pause is over and no values came back
FIRST_TOLD_ALARM = const(20)
LAST_TOLD_ALARM = const(27)
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
NOT_TAKEN = const(49)
NOT_BACK = const(50)
NOBODY_REACHED = const(51)  # no receiver took an alarm: sounds on the wearable too
NOT_UNDERSTOOD = const(55)
TIME_CONTRADICTS = const(56)
HEARTBEAT_UNHEARD = const(57)  # the watcher outside does not hear the laptop
NO_SOUND = const(60)  # the bedside laptop cannot be heard
LAPTOP_BATTERY = const(61)


def is_physiological(alarm: int) -> bool:
    """True when the condition is about the patient, False when it is about the equipment or the link."""
    return 1 <= alarm <= 7 or 20 <= alarm <= 22 or alarm == RECORD_CONTRADICTS


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

# --- scales; those that no wearable holds have their numbers in grade/scales/
SCALE_ASTCT = const(1)

# --- reasons of an assessment, u8; from 100 on in grade/scales/
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
R_TEMP_ARTEFACT = const(17)
R_PPG_ABSENT = const(20)
R_PPG_NO_CONTACT = const(21)
R_PPG_SETTLING = const(22)
R_LOW_PERFUSION = const(23)
R_PPG_DISTURBED = const(24)
R_PPG_TOO_OLD = const(25)
R_PPG_OUT_OF_RANGE = const(26)
R_NO_PULSE = const(27)
R_PPG_RESTING = const(28)
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
R_HELD_1 = const(61)  # and the three after it: the least grade that an expired entry had proved
R_HELD_2 = const(62)
R_HELD_3 = const(63)
R_HELD_4 = const(64)
R_MASK_WINDOW_OVER = const(65)
R_FEVER_BY_HAND = const(66)


# --- inputs that are missing, u8: the vocabulary's key; from 20 on in grade/scales/
MISSING_TEMPERATURE = const(1)
MISSING_BLOOD_PRESSURE = const(2)
MISSING_VASOPRESSORS = const(3)
MISSING_OXYGEN = const(4)
MISSING_SPO2 = const(5)
MISSING_FEVER_EARLIER = const(6)

# --- why a range of sequence numbers is missing
GAP_DROPPED = const(1)
GAP_CORRUPT = const(2)
GAP_FLASH_FAILED = const(3)

# --- FAULT records: subsystem and code
SUBSYSTEM_PPG = const(1)
SUBSYSTEM_TEMP = const(2)
SUBSYSTEM_JOURNAL = const(3)
SUBSYSTEM_LINK = const(4)
SUBSYSTEM_POWER = const(5)
SUBSYSTEM_ALARM = const(6)
SUBSYSTEM_SETTINGS = const(7)
SUBSYSTEM_APP = const(8)
FAULT_ABSENT = const(1)
FAULT_BUS = const(2)
FAULT_WRONG_PART = const(3)
FAULT_STALLED = const(4)
FAULT_FLASH = const(5)
FAULT_UNREADABLE = const(6)
FAULT_EXCEPTION = const(7)
FAULT_DEADLINE = const(8)
FAULT_MISSING = const(9)
