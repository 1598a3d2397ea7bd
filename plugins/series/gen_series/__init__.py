"""gen-series: time series, autoregressions in closed form and forecasters, the namespace `series`."""

__version__ = "0.1.0"
