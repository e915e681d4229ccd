"""Hardware: memory technology, chip, network, system."""
