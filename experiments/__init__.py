"""Questions: one experiment a file, one shared runner."""
