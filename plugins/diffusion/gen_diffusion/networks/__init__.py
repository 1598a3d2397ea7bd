"""Denoisers: networks that see x_noisy and its noise level."""
