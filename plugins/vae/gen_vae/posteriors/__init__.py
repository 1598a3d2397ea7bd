"""Posteriors: what an encoder's output means, q(z given x)."""
