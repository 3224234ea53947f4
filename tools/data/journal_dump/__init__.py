"""Read a wearable's journal from an image or a folder, without the wearable."""
