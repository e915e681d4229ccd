"""Numbers with sources, and the only loader of them."""
