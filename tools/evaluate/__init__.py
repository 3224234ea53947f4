"""Evaluation of the wearable's rules on simulated patients and on charted stays, with baselines and plots."""
