# For a MicroPython build of one's own with the application frozen in (`make ... FROZEN_MANIFEST=.../manifest.py`).
# Nothing needs this: stock firmware runs the bytecode that tools/flash copies into a slot. A frozen application has no
# slots: boot.py and main.py stay on the file system, and a slot file there is preferred.
include("$(PORT_DIR)/boards/manifest.py")  # type: ignore[name-defined]  # noqa: F821
package("crs_core", base_path=".", opt=3)  # type: ignore[name-defined]  # noqa: F821
package("crs_device", base_path=".", opt=3)  # type: ignore[name-defined]  # noqa: F821
package("boards", base_path=".", opt=3)  # type: ignore[name-defined]  # noqa: F821
