"""One workload, one objective: branch and bound, gradients, local search, and the certificate."""
