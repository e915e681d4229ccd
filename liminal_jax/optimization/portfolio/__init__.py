"""Common hardware for several workloads, and the price of its generality."""
