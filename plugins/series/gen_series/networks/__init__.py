"""Autoregressors over sequences: a recurrent one and a transformer."""

__all__: list[str] = []
