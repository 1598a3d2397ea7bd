"""Transforms of samples: one file each."""
