"""Functions of tests as predictions are evaluated: traced, and never compiled.

A derivative of the model takes many times as long to compile as all differences that it is held to.
"""

from experiments.listed import in_numpy

__all__ = ["in_numpy"]
