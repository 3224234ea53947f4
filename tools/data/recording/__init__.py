"""Recordings of vital signs: the CSV that the virtual wearable plays, its reader, and converters into it."""
