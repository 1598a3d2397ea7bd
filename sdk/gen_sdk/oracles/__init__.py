"""Oracles: distributions with closed forms, for tests that compare a method with the truth."""
