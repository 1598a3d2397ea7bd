"""What gen-diffusion registers (torch-free)."""

from __future__ import annotations

from gen.hookspecs import Component, hookimpl

__all__ = ["gen_components"]


@hookimpl
def gen_components() -> list[Component]:
    return [
        Component("ddpm", "gen_diffusion.ddpm:DDPM"),
        Component("edm", "gen_diffusion.edm:EDM"),
        Component("flow-matching", "gen_diffusion.flow_matching:FlowMatching"),
        Component("unet", "gen_diffusion.networks.unet:UNet"),
        Component("dit", "gen_diffusion.networks.dit:DiT"),
        Component("mlp", "gen_diffusion.networks.mlp:MLPDenoiser"),
        Component("min-snr", "gen_diffusion.weightings.min_snr:MinSnr"),
        Component("soft-min-snr", "gen_diffusion.weightings.min_snr:SoftMinSnr"),
        Component("edm-weighting", "gen_diffusion.weightings.edm:EdmWeighting"),
        Component("ancestral", "gen_diffusion.samplers.ddpm:Ancestral"),
        Component("ddim", "gen_diffusion.samplers.ddim:DDIM"),
        Component("euler", "gen_diffusion.samplers.ode:Euler"),
        Component("heun", "gen_diffusion.samplers.ode:Heun"),
        Component("dpm-solver", "gen_diffusion.samplers.dpm_solver:DPMSolver"),
        Component("unipc", "gen_diffusion.samplers.unipc:UniPC"),
        Component("edm-stochastic", "gen_diffusion.samplers.edm_stochastic:EdmStochastic"),
        Component("adaptive", "gen_diffusion.samplers.adaptive:Adaptive"),
        Component("langevin", "gen_diffusion.samplers.langevin:Langevin"),
        Component("inpaint", "gen_diffusion.tasks.inpaint:Inpaint"),
        Component("super-resolve", "gen_diffusion.tasks.super_resolve:SuperResolve"),
        Component("deblur", "gen_diffusion.tasks.deblur:Deblur"),
        Component("edit", "gen_diffusion.tasks.edit:Edit"),
        Component("interpolate", "gen_diffusion.tasks.interpolate:Interpolate"),
    ]
