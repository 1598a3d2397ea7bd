"""Core's own plugin: the namespace `core`, the only one that a recipe may leave out (torch-free)."""

from __future__ import annotations

from gen.hookspecs import Component, hookimpl

__all__ = ["gen_components"]


@hookimpl
def gen_components() -> list[Component]:
    return [
        Component("adam", "gen.optimizers:Adam"),
        Component("adamw", "gen.optimizers:AdamW"),
        Component("adagrad", "gen.optimizers:Adagrad"),
        Component("rmsprop", "gen.optimizers:RMSprop"),
        Component("sgd", "gen.optimizers:SGD"),
        Component("constant", "gen.lr_schedules:Constant"),
        Component("linear", "gen.lr_schedules:Linear"),
        Component("cosine", "gen.lr_schedules:Cosine"),
        Component("step", "gen.lr_schedules:Step"),
        Component("loss", "gen.loss_metric:LossMetric"),
        Component("tensorboard", "gen.trackers:TensorBoard"),
    ]
