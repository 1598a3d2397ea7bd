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
        Component("linear-noise", "gen.noise_schedules:LinearNoise"),
        Component("cosine-noise", "gen.noise_schedules:CosineNoise"),
        Component("sigmoid-noise", "gen.noise_schedules:SigmoidNoise"),
        Component("vp-noise", "gen.noise_schedules:VariancePreserving"),
        Component("ve-noise", "gen.noise_schedules:VarianceExploding"),
        Component("edm-noise", "gen.noise_schedules:EdmNoise"),
        Component("linear-path", "gen.noise_schedules:LinearPath"),
        Component("trigonometric-path", "gen.noise_schedules:TrigonometricPath"),
        Component("loss", "gen.loss_metric:LossMetric"),
        Component("tensorboard", "gen.trackers:TensorBoard"),
    ]
