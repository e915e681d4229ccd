"""How sure an answer is when the numbers behind it are uncertain."""
