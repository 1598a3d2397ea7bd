"""Encoders and decoders trained by a discriminator, for gen (torch-free)."""

__version__ = "0.1.0"
