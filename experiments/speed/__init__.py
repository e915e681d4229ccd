"""What the experiment on the speed of sweeps is made of."""
