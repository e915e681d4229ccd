"""Losses of real engines on real chips compared with the ideal bound, as named terms."""
