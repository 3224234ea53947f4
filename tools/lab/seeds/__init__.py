"""Short lives in simulated time, one for each seed; see README.md."""
