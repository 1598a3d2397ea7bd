"""Quantizers: codes become tokens, and tokens code vectors."""
