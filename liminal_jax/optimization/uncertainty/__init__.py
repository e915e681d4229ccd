"""Uncertainty analysis: optima over samples of uncertain numbers, and robust designs."""
