"""Pareto fronts with the proof that no nondominated design is missing."""
