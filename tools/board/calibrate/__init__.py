"""Compare a wearable with references and write its calibration (see README.md)."""
