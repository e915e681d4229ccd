"""The levers of software: each a part of `Algorithm`, off where it is left out."""
