"""gen-translation: from one domain of images to another, the namespace `translation`."""

__version__ = "0.1.0"
