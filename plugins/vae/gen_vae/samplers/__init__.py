"""Samplers that work through the codes of a trained model."""
