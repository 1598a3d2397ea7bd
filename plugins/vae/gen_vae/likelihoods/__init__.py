"""Likelihoods: what a decoder's output means, p(x given z)."""
