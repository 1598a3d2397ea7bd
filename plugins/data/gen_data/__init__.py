"""gen-data: data sets and transforms, the namespace `data`."""

__version__ = "0.1.0"
