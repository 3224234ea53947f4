"""Measure a wearable against references and write what was found as its calibration (see README.md)."""
