"""Measurements that come with the package: rows of permissively licensed sources only.

Each row says its source and licence.
"""

from pathlib import Path

_FOLDER = Path(__file__).parent / "measurements"

MEASURED = _FOLDER / "decode.csv"
"""Nearly pure decode, of which the users at once are known.

Rows of `llama-batched-bench` (source `llamacpp-spark`, build 6989) decode tokens drawn at random
for each sequence (llama.cpp, pull request 15398): their sequences are not alike, and how evenly
such tokens fall on experts is not known.
"""

MAXIMUM = _FOLDER / "maximum.csv"
"""The most tokens a second that some chips reach; for how many users at once is not told."""
