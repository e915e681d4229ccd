"""What is asked: files, space, objective, constraints, batched evaluation."""
