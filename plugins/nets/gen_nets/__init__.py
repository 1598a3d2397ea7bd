"""gen-nets: networks, tensors in and tensors out, the namespace `nets`."""

__version__ = "0.1.0"
