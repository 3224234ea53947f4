"""A life under harm, on real processes; see README.md."""
