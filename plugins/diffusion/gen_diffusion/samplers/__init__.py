"""Samplers that need only `denoise`: they run on every denoiser, of this plugin or another."""
