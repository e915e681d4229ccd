"""Robust design: the design that does best in the mean, a quantile or the worst of many futures."""
