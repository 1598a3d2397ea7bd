"""Corruptions: what spoils x before a denoising autoencoder sees it."""
