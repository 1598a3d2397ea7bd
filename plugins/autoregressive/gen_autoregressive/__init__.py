"""gen-autoregressive: pixel by pixel, the namespace `autoregressive`."""

__version__ = "0.1.0"
