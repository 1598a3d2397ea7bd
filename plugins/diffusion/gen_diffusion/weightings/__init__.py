"""Weights of the loss as functions of the noise level."""
