"""Checks that any network or model can be put through: plain functions that raise AssertionError with a hint."""
