"""Priors: p(z)."""
