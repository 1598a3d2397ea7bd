"""Samplers: new images, and completions of given ones."""
