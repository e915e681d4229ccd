"""A prediction worked out on paper: plain numbers, straight arithmetic, the standard library alone.

The laws are written out again from their equations, models from their own configs, chips from the
rows of their data sheets. Nothing here reads the package's code, so that whoever doubts a
prediction can follow this one term by term instead. A chip's work is always that of one chip: the
busiest where time is asked, the mean one where energy is.
"""
