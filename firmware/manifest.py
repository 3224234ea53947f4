# For a MicroPython build of one's own with the application frozen in (`make ... FROZEN_MANIFEST=.../manifest.py`).
# Nothing needs this: stock firmware runs the bytecode that tools/board/flash copies into a slot. A frozen application
# has no slots: boot.py and main.py stay on the file system, and a slot file there is preferred. The port's own
# MPY_CROSS_FLAGS name the processor that the PPG chain's machine code is for.
import os

# what a wearable has no use for, as in tools/board/build_firmware.py
HOST_ONLY = (
    "code_texts.py",
    "on_cpython.py",
    "grade/scales/",
    "grade/case.py",
    "grade/course.py",
    "grade/prompts.py",
    "grade/rerun.py",
)
CORE = [
    os.path.relpath(os.path.join(folder, name), "crs_core").replace(os.sep, "/")
    for folder, _, names in os.walk("crs_core")
    for name in names
    if name.endswith(".py")
]
include("$(PORT_DIR)/boards/manifest.py")  # type: ignore[name-defined]  # noqa: F821
package("crs_core", [name for name in sorted(CORE) if not name.startswith(HOST_ONLY)], base_path=".", opt=3)  # type: ignore[name-defined]  # noqa: F821
package("crs_device", base_path=".", opt=3)  # type: ignore[name-defined]  # noqa: F821
package("boards", base_path=".", opt=3)  # type: ignore[name-defined]  # noqa: F821
