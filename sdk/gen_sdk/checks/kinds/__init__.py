"""Checks of what each interface promises; every check is chosen by kind and declared capabilities, never by name."""
