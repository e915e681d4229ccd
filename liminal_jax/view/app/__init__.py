"""A page of sliders: one design, redrawn as its numbers are dragged."""
