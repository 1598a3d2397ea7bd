"""Comparisons of a set of generated samples with a set of real ones."""
