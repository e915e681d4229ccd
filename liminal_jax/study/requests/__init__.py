"""Studies of a trace of requests: one piece of hardware, a mapping and batch for each class."""
