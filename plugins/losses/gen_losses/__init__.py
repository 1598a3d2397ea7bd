"""gen-losses: losses as pure functions of tensors, the namespace `losses`."""

__version__ = "0.1.0"
