"""Names of the health counters that STATUS_IS and HEALTH carry by id.

The wearable counts by id (crs_device/health.py) and does not load this table; hosts and tools show it. A number keeps
its meaning for ever.
"""

# (id, name, what it counts), in id order
TABLE = (
    (1, "i2c_retry", "bus transfers that needed a second or third try"),
    (2, "i2c_fail", "bus transfers that failed after all tries"),
    (3, "ppg_overflow", "times the optical FIFO ran over before it was drained"),
    (
        4,
        "ppg_lost_samples",
        "optical samples lost to an overrun, as the chip counted them (at most 31 each time)",
    ),
    (5, "temp_fail", "temperature conversions that could not be read"),
    (6, "sensor_restart", "times a sensor was set up again after it failed"),
    (7, "step_late_seconds", "whole seconds of board time in which the alarm conditions were not stepped"),
    (8, "reading_late", "readings not made because the board was late"),
    (9, "journal_fail", "journal writes that the flash refused"),
    (10, "unjournaled_event", "events that were sounded but could not be journaled"),
    (11, "gap_coalesced", "sample gaps folded into a later SAMPLE_GAP event"),
    (12, "task_crash", "unexpected errors caught at a task's edge"),
    (13, "rx_bad_crc", "frames whose checksum did not match"),
    (14, "rx_oversize", "frames longer than a message may be"),
    (15, "rx_short", "frames too short to hold a message"),
    (16, "rx_text_bytes", "bytes between frames"),
    (17, "rx_bad_seal", "messages whose seal did not verify"),
    (18, "rx_replay", "messages with a counter already seen"),
    (19, "rx_lost_message", "messages missing from the peer's count"),
    (20, "rx_bad_message", "well-sealed messages that could not be decoded"),
    (21, "tx_dropped", "LIVE, ALARM or STATUS messages not sent because the port was full"),
    (22, "link_dead", "times the port took no byte for 2 s"),
    (23, "session_opened", "sessions opened"),
    (25, "session_timeout", "sessions or half-open sessions dropped for silence"),
    (26, "request_refused", "requests refused for lack of authority or bad content"),
    (27, "button_bounce", "button edges too short to be a press"),
    (28, "settings_bad", "times stored settings or keys could not be read"),
    (29, "rules_late_reading", "readings the grader refused as out of order"),
    (30, "watchdog_held", "times the watchdog was not fed because a task had stopped"),
    (31, "heap_low", "times free heap was below a tenth after a collection"),
    (32, "readings_dropped", "readings that could not be journaled"),
    (33, "rx_bad_escape", "frames with an escape that leads nowhere"),
    (34, "rx_reflected", "messages of our own that came back"),
    (35, "refused_version", "hosts refused for want of a common protocol version"),
    (36, "refused_key", "hosts refused because their key is unknown or revoked"),
    (37, "refused_proof", "hosts refused because they could not prove their key"),
    (
        44,
        "ppg_light_change",
        "changes of the optical sensor's light, to suit the skin or to wait for a finger",
    ),
    (45, "ppg_full_scale", "bursts of the optical sensor that ended at full scale"),
    (46, "ppg_ambient", "bursts with more ambient light than the optical sensor can take away"),
    (47, "ppg_swapped_lights", "times red and infrared looked exchanged, upside down or the same"),
    (48, "ble_stranger", "radio links ended because they neither paired nor opened a session"),
    (49, "ble_fragment_dropped", "radio fragments lost because more came than could be kept"),
    (50, "ble_pairing_refused", "pairings refused: no gesture, no passkey, or a wrong one"),
    (51, "ble_torn", "radio messages given up because a fragment was missing"),
    (52, "ble_full", "times the radio had no room for a notification"),
)


def counter_name(counter: int) -> str:
    """Name of a counter id, or `counter_N` for one this version does not know."""
    for number, name, _ in TABLE:
        if number == counter:
            return name
    return f"counter_{counter}"
