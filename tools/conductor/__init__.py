"""Simulated time: a conductor that owns it, and what a process needs to take part."""
