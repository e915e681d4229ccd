"""What each number, limit and range is worth at an optimum."""
