"""gen-compression: `gen compress` and `gen decompress`, lossless, with trained models."""

__version__ = "0.1.0"
