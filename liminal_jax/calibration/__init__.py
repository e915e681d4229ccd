"""What real engines on real chips lose against the ideal bound, in named terms."""
