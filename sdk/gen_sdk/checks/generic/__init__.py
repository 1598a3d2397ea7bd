"""Checks of what every component must be, whatever its kind."""
