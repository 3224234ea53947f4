"""Which pin of the virtual chip is wired to what; firmware/boards/virtual.py says the same (a test compares)."""

LED_RED, LED_GREEN, LED_BLUE = 18, 19, 20
BUZZER = 21
VIBRATION = 17
BUTTON = 22  # low while pressed
CHARGING = 16  # high while the charger is connected
BATTERY_ADC = 26  # behind a divider by two
BATTERY_DIVIDER = 2
