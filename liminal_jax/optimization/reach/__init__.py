"""Inverse design: the least change that reaches a speed, and proofs where none does."""
