"""Choices for each layer of a model, beside what all share: a problem of many members."""
