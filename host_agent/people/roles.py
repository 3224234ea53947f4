"""Which role may enter and sign what. The rule behind it: a role that knows less may raise concern and never remove it.

A caregiver says what is measured by hand and what is seen; nobody but a nurse or a clinician says that something was
looked for and is not there. Statements that take a criterion out of the grade, and every signature on a grade, are a
clinician's.
"""

from typing import Any

CLINICIAN = "clinician"
NURSE = "nurse"
CAREGIVER = "caregiver"
ROLES = (CLINICIAN, NURSE, CAREGIVER)
ADMINISTRATOR = "administrator"  # of the administrator code, which is no account
_ADMINISTRATOR_MAY = ("account_add", "account_disable", "vouch")

# What a caregiver may enter, and which values of it; None: any.
CAREGIVER_MAY: dict[str, tuple[Any, ...] | None] = {
    "temperature_cc": None,
    "site": None,
    "spo2_tenths": None,
    "hr_bpm": None,
    "constitutional": (True,),
    "antipyretic": (True,),
    "consciousness": ("voice", "touch", "unarousable"),
    "seizure": ("brief", "prolonged"),
    "motor_weakness": (True,),
}
# Statements by which a fever or a ventilation no longer counts.
CLINICIAN_ONLY = ("fever_other_cause", "ventilation_not_for_hypoxia")


def why_not(role: str, kind: str, values: dict[str, Any]) -> str:
    """Why this role may not sign an entry of this kind with these values; "" when it may."""
    if role == CLINICIAN or (kind == "accept" and role in ROLES):
        return ""  # whoever comes, comes
    if role == ADMINISTRATOR:
        return (
            ""
            if kind in _ADMINISTRATOR_MAY
            else "The administrator code signs for accounts and nothing else."
        )
    if kind == "act" and role == NURSE and "lost" not in values:
        return ""
    if kind == "act" and "lost" not in values:
        return (
            f"Only a nurse or a clinician may do this while a HIGH alarm stands; this account is a {role}'s."
        )
    if kind == "silence":
        return "" if role == NURSE else "Only a nurse or a clinician may silence an alarm. Accept it instead."
    if kind != "context":
        return f"Only a clinician may sign this; this account is a {role}'s."
    for key in values:
        if key in CLINICIAN_ONLY:
            return f"{key}: only a clinician may state it."
    if role == NURSE:
        return ""
    for key, value in values.items():
        if key not in CAREGIVER_MAY:
            return f"{key}: only a nurse or a clinician may enter it."
        allowed = CAREGIVER_MAY[key]
        if value is not None and allowed is not None and value not in allowed:
            words = ", ".join("true" if word is True else str(word) for word in allowed)
            return f"{key}: a caregiver may enter {words}. A nurse or a clinician enters anything else."
    return ""
