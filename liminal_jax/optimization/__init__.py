"""Optimisation: optima with certificates, Pareto fronts, sensitivity and uncertainty analysis."""
