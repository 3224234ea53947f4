"""Read a journal without the wearable."""
