"""Pixel likelihoods: what the numbers of a factor mean, p(x_i given x_<i)."""
