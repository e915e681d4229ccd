"""One chip for several workloads, and what its generality costs."""
