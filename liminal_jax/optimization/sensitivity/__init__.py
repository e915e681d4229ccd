"""Sensitivity analysis at an optimum: elasticities, shadow prices, tornado."""
