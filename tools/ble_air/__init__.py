"""A simulated Bluetooth air: controllers of bumble on one link, with what its simulation gets wrong put right."""
