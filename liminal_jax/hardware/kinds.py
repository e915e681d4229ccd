"""Kinds of data that memories hold; needs no JAX, since files name them."""

KINDS = ("weights", "cache", "experts")
"""Kinds of data, in the order in which memories are filled: what is read most for its size first.
"""
