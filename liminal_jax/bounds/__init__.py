"""Bounds of a function over boxes of a lattice: what makes a proof of optimality possible."""
