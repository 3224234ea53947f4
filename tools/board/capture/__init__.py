"""Record raw light from a wearable: `python -m tools.board.capture PORT --out FILE.csv`."""
