"""The designs between which only a preference can choose, with the proof that none is missing."""
