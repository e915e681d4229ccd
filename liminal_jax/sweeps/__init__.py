"""Sweeps: every point of a grid or sample, reduced or kept, on all devices."""
