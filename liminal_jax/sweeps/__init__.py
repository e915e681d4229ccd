"""Sweeps: all points of a grid or sample, reduced or kept, on whatever devices there are."""
