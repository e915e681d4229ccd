"""The performance model: one pure function of one design."""
