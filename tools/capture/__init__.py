"""Record raw light from a wearable: `python -m tools.capture PORT --out FILE.csv`."""
