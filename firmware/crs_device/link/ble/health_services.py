"""The standard health services: values that a central may read, and that are sent to every secure central.

MicroPython does not say whether a central subscribed, and the descriptor that subscribes is open to strangers. So a
value is sent to each secure connection by itself, and to nobody else.
"""

from crs_core import battery, units
from crs_core.compat import const
from crs_device.link.ble import health_values

_TEMPERATURE = const(0x2A1C)
_TYPE = const(0x2A1D)
_OXIMETER = const(0x2A5F)
_FEATURES = const(0x2A60)
_LEVEL = const(0x2A19)
_TIME = const(0x2A2B)


class HealthServices:
    """`handles` as of attributes.register. An unknown battery level is neither sent nor readable."""

    def __init__(self, radio, handles: dict, simulated: bool) -> None:  # type: ignore[no-untyped-def,type-arg]
        self._radio = radio
        self._handles = handles
        self._simulated = simulated
        self._site = -1
        self._percent: int | None = None
        self._had_temp = False
        radio.ble.gatts_write(handles[_FEATURES], health_values.PLX_FEATURES)
        radio.time_handle = handles[_TIME]
        radio.level_handle = handles[_LEVEL]

    def show(self, live, battery_mv: int, utc_ms: int | None) -> None:  # type: ignore[no-untyped-def]
        """Update the values from a LIVE message, and send them."""
        radio, handles = self._radio, self._handles
        site = units.site_of(live.status)
        if site != self._site:
            self._site = site
            radio.ble.gatts_write(handles[_TYPE], health_values.temperature_type(site))
        percent = battery.steady(battery.percent(battery_mv), self._percent)
        level = b"" if percent is None or percent == self._percent else bytes([percent])
        self._percent = percent
        radio.is_level_known = percent is not None
        if level:
            radio.ble.gatts_write(handles[_LEVEL], level)
        secure = [c for c in radio.connections.values() if c.is_secure and not c.is_gone]
        if not secure:
            self._had_temp = False
            return
        valid = units.temp_state_of(live.status) == units.TEMP_VALID
        temp_cc = live.temp_cc if valid else None
        temperature = None
        # Sent once without a value, so that the last value does not stay on a screen.
        if valid or self._had_temp:
            temperature = health_values.temperature(temp_cc, site, utc_ms)
        self._had_temp = valid
        oximeter = health_values.oximeter(
            live.spo2_tenths, live.hr_bpm, live.pi_hundredths, live.status, self._simulated
        )
        for connection in secure:
            if temperature is not None:
                radio.indicate(connection.number, handles[_TEMPERATURE], temperature)
            radio.notify(connection.number, handles[_OXIMETER], oximeter)
            if level:
                radio.notify(connection.number, handles[_LEVEL], level)
