"""gen-vae: variational autoencoders, the namespace `vae`."""

__version__ = "0.1.0"
