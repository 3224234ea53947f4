"""What hangs on the wearable's I2C bus and what it is worn by: register models that run on CPython and MicroPython."""
