"""The best design of a study, its proof, and what the numbers behind it decide."""
