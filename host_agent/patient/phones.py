"""The two mandatory phone numbers: what one may look like, and bringing them to a wearable, whose settings keep them.

Every text for patient and caregiver carries both, so nobody is bound to a wearable that lacks one.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from crs_core import settings
from crs_core.errors import CoreError

from host_agent.errors import ConfigError, HostAgentError

CALL, EMERGENCY = "patient_call_number", "emergency_number"
# setting of the wearable -> the option that gives it
OPTIONS = {CALL: "--call-number", EMERGENCY: "--emergency-number"}
HOW_TO_SET = "cytowatch phones --call-number NUMBER --emergency-number NUMBER"
# setting -> fewest and most digits. The longest number of ITU-T E.164 has 15; a ward's own numbers are short.
_DIGITS = {CALL: (3, 15), EMERGENCY: (2, 15)}


class NumbersMissing(HostAgentError):  # noqa: N818 named by the condition, as in errors.py
    """Texts about this wearable could not say whom to call."""

    code = "numbers_missing"
    default_advice = f"Set both numbers: {HOW_TO_SET}"


class SettingsClient(Protocol):
    """The part of a session's client that is needed here."""

    async def get_settings(self) -> Any:
        """The SettingsIs of the wearable."""
        ...

    async def set_settings(self, text: str) -> None:
        """Returns when the wearable keeps and uses them; RequestRefused when it does not."""
        ...


def fault(setting: str, number: str) -> str:
    """What is expected of this number, when it is not that; "" when it can be dialled and read aloud."""
    low, high = _DIGITS[setting]
    expected = (
        f"a phone number of {low} to {high} digits and at most {settings.SETTINGS[setting].hi} characters, such as"
        " +49 30 1234567 or 555-0100"
    )
    digits = [sign for sign in number if sign in "0123456789"]
    plus_is_first = "+" not in number[1:] and not number.startswith("+0")
    try:
        settings.parse_value(setting, number)
    except CoreError:
        return expected
    is_abroad_and_short = number.startswith("+") and len(digits) < 7
    brackets = "".join(sign for sign in number if sign in "()")
    is_right = low <= len(digits) <= high and plus_is_first and not is_abroad_and_short
    return "" if is_right and brackets in ("", "()") and "  " not in number else expected


def check(numbers: Mapping[str, str]) -> None:
    """ConfigError names the option of the first number that is wrong."""
    for setting, number in numbers.items():
        if setting not in OPTIONS:
            raise ConfigError(
                f"{setting} is no phone number of a wearable.", "See `cytowatch phones --help`."
            )
        if why := fault(setting, number):
            raise ConfigError(
                f"{OPTIONS[setting]}: expected {why}, found {number!r}.", "See `cytowatch phones --help`."
            )


def settings_in(answer: Any) -> dict[str, str]:
    """The settings in a SettingsIs, as texts; keys of another version too."""
    lines = bytes(answer.data).decode(errors="replace").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def demand_both(has: Mapping[str, str], call_number: str | None) -> None:
    """NumbersMissing for settings without both; `call_number` of the binding takes the place of the care team's."""
    numbers = {CALL: call_number or has.get(CALL, ""), EMERGENCY: has.get(EMERGENCY, "")}
    missing = {CALL: "the care team", EMERGENCY: "the emergency service"}
    if lacks := [missing[setting] for setting, number in numbers.items() if fault(setting, number)]:
        raise NumbersMissing(f"The wearable has no number of {' and of '.join(lacks)} that can be called.")


async def bring(client: SettingsClient, numbers: Mapping[str, str]) -> dict[str, str]:
    """Change these numbers on the wearable; returns both as it has them then, "" for one that it lacks.

    ConfigError and RequestRefused say why not; nothing is changed then.
    """
    check(numbers)
    has = settings_in(await client.get_settings())
    differs = {setting: number for setting, number in numbers.items() if has.get(setting) != number}
    if differs:
        await client.set_settings("".join(f"{key}={number}\n" for key, number in sorted(differs.items())))
        has = settings_in(await client.get_settings())
    return {setting: has.get(setting, "") for setting in OPTIONS}
