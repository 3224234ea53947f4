"""Scenarios against real BlueZ: bluetoothd and the kernel's Bluetooth in user-mode Linux, with a simulated air."""
