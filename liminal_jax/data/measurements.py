"""Measurements that come with the package: rows of permissively licensed sources only.

Each row says its source and licence.
"""

from pathlib import Path

_FOLDER = Path(__file__).parent / "measurements"

MEASURED = _FOLDER / "decode.csv"
"""Nearly pure decode, of which the users at once are known."""

MAXIMUM = _FOLDER / "maximum.csv"
"""The most tokens a second that some chips reach; for how many users at once is not told."""
