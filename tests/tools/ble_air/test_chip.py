"""The chip's `bluetooth` module says what the real stacks say: errors, limits, silence. On the real interpreter."""

import asyncio
import tempfile
from pathlib import Path

import pytest

from tools.ble_air import codes
from tools.ble_air.air import Air
from tools.rig.micropython import ROOT
from tools.virtual_wearable.chip_process import interpreter

pytestmark = pytest.mark.wearable

HEAD = """
import sys
sys.path.insert(0, "tools/virtual_wearable/chip")
import bluetooth
bluetooth.profile, bluetooth.air, bluetooth.address = "{profile}", "{path}", "C0:00:00:00:00:07"
ble = bluetooth.BLE()
def code(do):
    try:
        do()
    except (OSError, ValueError, AttributeError) as error:
        return type(error).__name__, error.args[0] if isinstance(error, OSError) else ""
    return "done"
S = bluetooth.UUID("6acd5f30-7c4c-436c-a191-3aa35a771ced")
C = bluetooth.UUID(0x2A19)
"""


async def said(profile: str, program: str) -> list[str]:
    """What a program prints, run on a chip that is on an air."""
    with tempfile.TemporaryDirectory(prefix="air-") as folder:
        async with Air.open(Path(folder)) as air:
            process = await asyncio.create_subprocess_exec(
                str(interpreter()), "-c", HEAD.format(profile=profile, path=air.chip_path) + program,
                cwd=ROOT, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            out, _ = await asyncio.wait_for(process.communicate(), 20)
            assert process.returncode == 0
            return out.decode().split("\n")[:-1]


@pytest.mark.parametrize("profile", ["nimble", "btstack"])
async def test_nothing_works_before_the_radio_is_on(profile: str) -> None:
    lines = await said(
        profile, "print(code(lambda: ble.gap_advertise(1000)), code(lambda: ble.gatts_notify(1, 1)))"
    )
    assert lines == ["('OSError', 19) ('OSError', 19)"]


async def test_nimble_refuses_what_the_real_one_refuses() -> None:
    lines = await said("nimble", """
ble.active(True)
((h,),) = ble.gatts_register_services(((S, ((C, 2),)),))
print(ble.config("gap_name"))
print(code(lambda: ble.gap_advertise(100000, bytes(32))))
print(code(lambda: ble.config(mtu=9999)), code(lambda: ble.config(nonsense=1)))
print(code(lambda: ble.gatts_notify(77, h)), code(lambda: ble.gatts_write(9999, b"x")), ble.gatts_read(9999))
ble.gap_advertise(100000, b"")
print(code(lambda: ble.gatts_register_services(((S, ((C, 2),)),))))
ble.gatts_write(h, bytes(30))
print(len(ble.gatts_read(h)))
""")  # fmt: skip
    assert lines == [
        "b'MPY NIMBLE'",
        "('OSError', -18)",
        "('OSError', 22) ('ValueError', '')",
        "('OSError', 107) ('OSError', 22) b''",
        "('OSError', 16)",
        "30",
    ]


async def test_btstack_knows_no_pairing_and_loses_services_without_a_word() -> None:
    lines = await said("btstack", """
ble.active(True)
print(code(lambda: ble.config(bond=True)), code(lambda: ble.gap_pair(1)), code(lambda: ble.gap_passkey(1, 3, 0)))
many = tuple((bluetooth.UUID("6acd5f%02x-7c4c-436c-a191-3aa35a771ced" % n), 0x1A) for n in range(12))
((*handles,),) = ble.gatts_register_services(((S, many),))
print(handles.count(0) > 0, handles[0] > 0, len(handles))
""")  # fmt: skip
    assert lines == ["('ValueError', '') ('AttributeError', '') ('AttributeError', '')", "True True 12"]


async def test_an_air_that_ends_leaves_a_chip_without_radio_and_running() -> None:
    program = """
import time
ble.active(True)
print("up")
for _ in range(400):
    time.sleep_ms(10)
    if not ble.active():
        print("off", code(lambda: ble.gap_advertise(1000)))
        break
"""
    with tempfile.TemporaryDirectory(prefix="air-") as folder:
        async with Air.open(Path(folder)) as air:
            process = await asyncio.create_subprocess_exec(
                str(interpreter()), "-c", HEAD.format(profile="nimble", path=air.chip_path) + program,
                cwd=ROOT, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert process.stdout is not None
            assert await asyncio.wait_for(process.stdout.readline(), 10) == b"up\n"
            air.radios[0].hang_up()
            out, _ = await asyncio.wait_for(process.communicate(), 20)
            assert out == b"off ('OSError', 19)\n"


def test_both_ends_of_the_wire_have_the_same_numbers() -> None:
    source = (ROOT / "tools/virtual_wearable/chip/bluetooth.py").read_text()
    first = source.split("(_ACTIVE")[1]
    for group, start in ((first.split("range(1, 13)")[0], 1),):
        found = ["ACTIVE", *[w.strip(" ()=\n") for w in group.split(",")[1:]]]
        assert [getattr(codes, name.lstrip("_")) for name in found if name] == list(range(start, start + 12))
    assert (codes.CONNECTED, codes.MTU, codes.ENCRYPTED, codes.CONNECTION_UPDATED) == (20, 25, 27, 31)
