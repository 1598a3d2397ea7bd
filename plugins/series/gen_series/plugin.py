"""What gen-series registers, under the namespace `series` (torch-free)."""

from __future__ import annotations

from gen.hookspecs import Component, hookimpl

__all__ = ["gen_components"]


@hookimpl
def gen_components() -> list[Component]:
    """Data, models, networks, the sampler and the metrics of the namespace `series`."""
    return [
        Component("csv", "gen_series.csv_file:Csv"),
        Component("sunspots", "gen_series.sunspots:Sunspots"),
        Component("ar", "gen_series.ar:AR"),
        Component("forecaster", "gen_series.forecaster:Forecaster"),
        Component("recurrent", "gen_series.networks.recurrent:Recurrent"),
        Component("transformer", "gen_series.networks.transformer:Transformer"),
        Component("simulate", "gen_series.simulate:Simulate"),
        Component("forecast-error", "gen_series.forecast_error:ForecastError"),
        Component("residuals", "gen_series.residuals:Residuals"),
    ]
