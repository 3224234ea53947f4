"""What happens between power-on and boot.py on the virtual chip. Runs on MicroPython, before the root is swapped."""

import gc
import io
import micropython
import os
import sys
import time
import vfs

import backplane
import console_out
import machine_parts
import nor_flash

FLASH = {"progsize": 256, "readsize": 256, "lookahead": 32}
CORRUPT = (
    "The filesystem cannot be mounted and is not blank: it is left as it is, nothing was formatted.\n"
    "Copy the image, then start with a new one."
)


_simulated_time = None  # the module, when a conductor owns the time


def _stall(on: bool) -> None:
    machine_parts.stalled[0] = 1 if on else 0
    if _simulated_time is not None:
        _simulated_time.hold(on)


def _kbd_intr(char: int) -> None:
    """Make Ctrl-C interrupt (3), or pass it as data: the board decides, the interpreter's own way would kill it."""
    machine_parts.board.tell(b"I\1" if char == 3 else b"I\0")
    if _simulated_time is not None:
        _simulated_time.wants_break = char == 3


def _machine():
    import machine

    own = {}
    for name in dir(machine_parts):
        if not name.startswith("_") and name not in (
            "board",
            "inputs",
            "interrupts",
            "stalled",
            "micropython",
            "struct",
            "time",
        ):
            own[name] = getattr(machine_parts, name)
    chip_id = bytes(int(os.getenv("VW_CHIP_ID")[i : i + 2], 16) for i in range(0, 16, 2))
    cause = int(os.getenv("VW_RESET_CAUSE"))
    return console_out.copy_of(
        machine,
        unique_id=lambda: chip_id,
        reset_cause=lambda: cause,
        VIRTUAL=True,
        VIRTUAL_SPEED=int(os.getenv("VW_SPEED")),
        VIRTUAL_ATTRIBUTE_BYTES=512 if os.getenv("VW_BLE") == "btstack" else 0,
        **own,
    )


def _radio() -> None:
    """Give the chip its radio, if it has one: the firmware then finds `bluetooth`."""
    if not os.getenv("VW_BLE"):
        return
    import bluetooth
    import radio_wire

    bluetooth.profile = os.getenv("VW_BLE")
    bluetooth.air = os.getenv("VW_AIR")
    bluetooth.address = os.getenv("VW_BLE_ADDRESS")
    radio_wire.stalled = machine_parts.stalled
    radio_wire.simulated_time = _simulated_time


def _simulate_time(board) -> None:
    """A conductor owns the time: from here on every clock, wait and interrupt of the chip is its own."""
    global _simulated_time, time
    import simulated_time

    _simulated_time = simulated_time
    simulated_time.begin(board, int(os.getenv("VW_START_US")), int(os.getenv("VW_UTC_MS")))
    sys.modules.update(simulated_time.modules(console_out.copy_of))
    time = machine_parts.time = sys.modules["time"]
    machine_parts.interrupts = simulated_time
    console_out.wrote = simulated_time.end_lease
    import _asyncio
    import simulated_tasks  # after the clock that it reads is in its place

    sys.modules["_asyncio"] = console_out.copy_of(
        _asyncio, Task=simulated_tasks.Task, TaskQueue=simulated_tasks.TaskQueue
    )


def _draw_from(seed: str) -> None:
    """Everything random on the chip comes from this seed."""
    import chance
    import random

    random.seed(int(seed))
    sys.modules["os"] = console_out.copy_of(os, urandom=chance.Chance(seed.encode()).urandom)


def _mount(flash) -> bool:
    # LittleFS takes the time of a file from the computer's clock: what comes from a seed has none
    mtime = not os.getenv("VW_SEED")
    try:
        filesystem = vfs.VfsLfs2(flash, mtime=mtime, **FLASH)
    except OSError:
        if not flash.is_blank():
            return False
        vfs.VfsLfs2.mkfs(flash, **FLASH)
        filesystem = vfs.VfsLfs2(flash, mtime=mtime, **FLASH)
    vfs.umount("/")
    vfs.mount(filesystem, "/")
    os.chdir("/")
    return True


def _print_exception(error) -> None:
    """As a port prints it: without the line of this file."""
    text = io.StringIO()
    sys.print_exception(error, text)
    for line in text.getvalue().split("\n")[:-1]:
        if "power_on.py" not in line:
            print(line)


def _run(path: str, names: dict) -> bool:
    """Run a file as the ports do; False after an exception, which is printed. SystemExit is a soft reset."""
    try:
        os.stat(path)
    except OSError:
        return True
    try:
        execfile(path, names)  # noqa: F821 MicroPython's builtin
    except SystemExit:
        machine_parts.board.tell(b"Z\0")
        while True:
            time.sleep_ms(100)
    except BaseException as error:  # noqa: BLE001 Ctrl-C too: it ends the program, not the board
        _print_exception(error)
        return False
    return True


def go(names: dict) -> None:
    """Boot: the whole life of the chip up to the REPL. `names` are the globals of the programs that run."""
    try:
        if not _power_on():
            print(CORRUPT)
            while os.getenv("VW_RAW_REPL") != "1":  # as stock esp32 does: say it until somebody breaks in
                time.sleep(3)
                print(CORRUPT)
            return
        if _run("boot.py", names) and os.getenv("VW_RAW_REPL") != "1":
            _run("main.py", names)
    except KeyboardInterrupt:
        pass
    finally:
        micropython.kbd_intr(-1)  # at the prompt Ctrl-C is a character
        if _simulated_time is not None:
            machine_parts.board.tell(b"E\0")


def _power_on() -> bool:
    """Install the board around the interpreter; False when the flash holds something that cannot be mounted."""
    board = machine_parts.board = backplane.Backplane(os.getenv("VW_SOCKET"))
    inputs = machine_parts.inputs = backplane.Inputs(os.getenv("VW_INPUTS"))
    mark = os.getenv("VW_RAW_MARK").encode()
    erase_ms = int(os.getenv("VW_ERASE_MS"))
    if os.getenv("VW_SEED"):
        _draw_from(os.getenv("VW_SEED"))
    if os.getenv("VW_START_US"):
        _simulate_time(board)
        flash = nor_flash.NorFlash(
            os.getenv("VW_IMAGE"),
            board,
            inputs,
            erase_ms,
            _stall,
            _simulated_time.erase_wait(int(os.getenv("VW_SPEED"))),
        )
    else:
        flash = nor_flash.NorFlash(os.getenv("VW_IMAGE"), board, inputs, erase_ms, _stall)
    chip = _machine()
    _radio()
    for module in (
        "backplane",
        "ble_uuid",
        "chance",
        "console_out",
        "machine_parts",
        "nor_flash",
        "power_on",
        "radio_wire",
        "simulated_tasks",
        "simulated_time",
    ):
        sys.modules.pop(module, None)
    # what was allocated is twice as much as on the chip, and it collects no more often
    scale = int(os.getenv("VW_WORD_SCALE"))
    sys.modules["gc"] = console_out.copy_of(
        gc, threshold=lambda *amount: gc.threshold(*[each * scale if each > 0 else each for each in amount])
    )
    sys.path[:] = ["", ".frozen", "/lib"]
    sys.argv[:] = []
    sys.modules["machine"] = chip
    sys.modules["micropython"] = console_out.copy_of(
        micropython, kbd_intr=_kbd_intr, alloc_emergency_exception_buf=lambda size: None
    )
    sys.modules["sys"] = console_out.copy_of(sys, stdout=console_out.TextOut(mark))
    mounted = _mount(flash)
    micropython.kbd_intr(3)  # installs the handler; without it the first Ctrl-C would not be an exception
    board.tell(b"C\1" if mounted else b"C\0")
    return mounted
