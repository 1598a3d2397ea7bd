"""What a denoiser can do besides drawing: fill in, sharpen, edit, blend. Samplers that need only `denoise`."""
