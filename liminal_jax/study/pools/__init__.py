"""Pools of different chips that serve the same requests."""
