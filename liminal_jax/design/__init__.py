"""The search: found, proven, explained."""
