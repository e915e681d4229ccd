"""One equation a function: pure arithmetic, units and sources in every docstring."""
