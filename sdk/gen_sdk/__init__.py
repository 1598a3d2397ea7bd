"""gen-sdk: what the author of a gen plugin uses at development time. Running a plugin never needs it."""

__version__ = "0.1.0"
