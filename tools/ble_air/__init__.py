"""A simulated Bluetooth air: controllers of bumble on one link, with corrections where its simulation is wrong."""
