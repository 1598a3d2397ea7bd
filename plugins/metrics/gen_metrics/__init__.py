"""gen-metrics: metrics, extractors and the classifier they lean on, the namespace `metrics`."""

__version__ = "0.1.0"
