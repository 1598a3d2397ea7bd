"""gen-diffusion: denoising diffusion, EDM and flow matching for gen, with their networks and samplers."""

__version__ = "0.1.0"
