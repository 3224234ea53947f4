"""Speeds, sizes and memory, each with its target; see README.md."""

import tools.rig  # noqa: F401 from here on `crs_device` can be imported
