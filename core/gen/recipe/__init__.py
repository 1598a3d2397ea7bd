"""Recipes: reading, merging, overriding, checking and writing them (torch-free)."""
