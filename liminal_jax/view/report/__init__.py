"""One page for a run: a single HTML file that needs no network."""
