"""Start the application that boot.py chose. Runs after a power-on or a hard reset, not after a soft one."""

import sys


def _say(text):
    sys.stdout.write(text + "\n")


def _main():
    guard = sys.modules.get("boot_guard")
    if guard is None or guard.mode:
        return
    import machine
    import time

    try:
        guard.count_start()
    except OSError as error:
        # Monitoring goes on; only the fall-back to the other slot does not count this start.
        _say("main: flash refused: %s" % error)
    try:
        from crs_device.app import run

        run(guard)
    except KeyboardInterrupt:
        guard.hold()
        guard.uncount()
        _say("main: interrupted: NOT MONITORING for up to 30 minutes, or until a reset")
        return
    except Exception as error:
        sys.print_exception(error)
    # After a third failure in a row no slot runs: one whole HIGH pattern sounds between the attempts.
    is_loud = guard.starts >= 2 and guard.is_provisioned
    guard.hold(sound=is_loud)
    _say("main: the application ended; restarting")
    try:
        time.sleep_ms(8000 if is_loud else 2000)  # time for Ctrl-C
    except KeyboardInterrupt:
        guard.hold()
        return
    machine.reset()


_main()
