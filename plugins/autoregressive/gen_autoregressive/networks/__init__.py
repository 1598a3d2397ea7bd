"""Autoregressors: networks that see, for each value, the values before it alone."""
