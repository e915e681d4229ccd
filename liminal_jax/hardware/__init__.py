"""What there is: memory technology, chip, network, system."""
