"""Guards come first. They refuse a value that is too old, off the body, settling, out of range or of low perfusion.

Each guard returns 0 when the value may be used, else the reason code (crs_core.codes R_*).
"""

# mypy: disable-error-code="no-any-return"
# const() of MicroPython has no type.

from crs_core import codes, units

_TEMP_REASONS = (
    0,
    codes.R_TEMP_ABSENT,
    codes.R_TEMP_OFF_BODY,
    codes.R_TEMP_SETTLING,
    codes.R_TEMP_OUT_OF_RANGE,
    codes.R_TEMP_TOO_OLD,
    codes.R_TEMP_FLAT,
    codes.R_TEMP_ARTEFACT,
)
_PPG_REASONS = (
    0,
    codes.R_PPG_ABSENT,
    codes.R_PPG_NO_CONTACT,
    codes.R_PPG_SETTLING,
    codes.R_LOW_PERFUSION,
    codes.R_PPG_DISTURBED,
    codes.R_PPG_DISTURBED,
    codes.R_PPG_DISTURBED,
    codes.R_PPG_DISTURBED,
    codes.R_PPG_TOO_OLD,
    codes.R_NO_PULSE,
    codes.R_PPG_RESTING,
)


def temp(
    temp_cc: int | None, temp_state: int, site: int, wear: int, age_ms: int | None, max_age_ms: int
) -> int:
    """Reason why a temperature (0.01 °C at `site`, `age_ms` old) is not gradable; 0 when it is."""
    if temp_state != units.TEMP_VALID:
        return _TEMP_REASONS[temp_state] if temp_state < len(_TEMP_REASONS) else codes.R_TEMP_ABSENT
    if wear == units.WEAR_OFF:
        return codes.R_TEMP_OFF_BODY
    if temp_cc is None:
        return codes.R_TEMP_ABSENT
    if not units.TEMP_MIN_CC <= temp_cc <= units.TEMP_MAX_CC:
        return codes.R_TEMP_OUT_OF_RANGE
    if site == units.SITE_NONE or site > units.SITE_SKIN:
        return codes.R_SITE_MISSING
    if age_ms is None or age_ms > max_age_ms:
        return codes.R_TEMP_TOO_OLD
    return 0


def ppg(
    spo2_tenths: int | None,
    pi_hundredths: int | None,
    ppg_state: int,
    age_ms: int | None,
    max_age_ms: int,
    pi_min: int,
) -> int:
    """Reason why a saturation (0.1 %, `age_ms` old) is not usable; 0 when it is. An unknown PI refuses nothing."""
    if ppg_state != units.PPG_VALID:
        return _PPG_REASONS[ppg_state] if ppg_state < len(_PPG_REASONS) else codes.R_PPG_ABSENT
    if spo2_tenths is None:
        return codes.R_PPG_ABSENT
    if not units.SPO2_MIN_TENTHS <= spo2_tenths <= units.SPO2_MAX_TENTHS:
        return codes.R_PPG_OUT_OF_RANGE
    if pi_hundredths is not None and pi_hundredths < pi_min:
        return codes.R_LOW_PERFUSION
    if age_ms is None or age_ms > max_age_ms:
        return codes.R_PPG_TOO_OLD
    return 0


def heart_rate_usable(hr_bpm: int | None, ppg_state: int, age_ms: int | None, max_age_ms: int) -> bool:
    """True when a heart rate (1/min) may decide: valid optical state, possible number, fresh."""
    return (
        hr_bpm is not None
        and ppg_state == units.PPG_VALID
        and units.HR_MIN_BPM <= hr_bpm <= units.HR_MAX_BPM
        and age_ms is not None
        and age_ms <= max_age_ms
    )


def is_back(wear: int, temp_why: int, ppg_why: int) -> bool:
    """True when the wearable measures on the body again, although a settling probe has no value yet.

    `temp_why`, `ppg_why`: what `temp` and `ppg` returned.
    """
    return wear != units.WEAR_OFF and ppg_why == 0 and (temp_why == 0 or temp_why == codes.R_TEMP_SETTLING)
