"""Priors that nothing but a sample is asked of: a ring of modes, a roll."""
