"""Measured decode that comes with the package: rows of permissively licensed sources only."""

from pathlib import Path

MEASURED = Path(__file__).parent / "measurements" / "decode.csv"
"""The rows; each says its source and licence."""
