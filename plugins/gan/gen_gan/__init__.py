"""Generative adversarial networks for gen (torch-free)."""

__version__ = "0.1.0"
