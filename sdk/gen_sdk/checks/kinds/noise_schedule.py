"""What a noise schedule promises: alpha, sigma, their derivatives and the inverse of the log-SNR belong together."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gen_sdk.checks.check import check, expect
from gen_sdk.checks.kinds.probing import expect_close, expect_shape
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS"]

KINDS = ("noise-schedule",)


def _times(schedule: Any, margin: float = 0.0) -> Tensor:
    """Times [51] from t_min to 1, both included unless there is a margin."""
    return torch.linspace(schedule.t_min + margin, 1 - margin, 51, dtype=torch.float64)


@check(
    tier="bronze",
    kinds=KINDS,
    hint="no negative amplitude; t = 0 is data (alpha = 1, little sigma), t = 1 the most noise",
)
def noise_grows_with_time(subject: Subject) -> None:
    """alpha and sigma are [B], finite, at least 0; alpha never grows, and the log-SNR falls strictly."""
    schedule = subject.make()
    t = _times(schedule)
    alpha, sigma = schedule.alpha(t), schedule.sigma(t)
    for what, found in {"alpha": alpha, "sigma": sigma}.items():
        expect_shape(found, (51,), what)
        expect(bool(found.isfinite().all()) and bool((found >= -1e-12).all()), f"{what} is negative or not finite")
    expect(bool((alpha.diff() <= 1e-12).all()), "alpha grows with t: there would be more of x in more noise")
    log_snr = schedule.log_snr(t)[:-1]  # at the end it may be minus infinity
    expect(bool((log_snr.diff() < 0).all()), "the log-SNR does not fall strictly")
    expect(schedule.log_snr(t[:1]).item() > 2, "at t_min there is hardly more of x than of noise")
    expect(schedule.log_snr(t[-2:-1]).item() < 0, "near t = 1 there is more of x than of noise")


@check(tier="bronze", kinds=KINDS, hint="differentiate the very formula that alpha and sigma use")
def schedule_derivatives_are_right(subject: Subject) -> None:
    """d_alpha and d_sigma agree with central differences of alpha and sigma, to a thousandth."""
    schedule = subject.make()
    t, h = _times(schedule, 0.02), 1e-5
    for name in ("alpha", "sigma"):
        value = getattr(schedule, name)
        slope = (value(t + h) - value(t - h)) / (2 * h)
        expect_close(getattr(schedule, f"d_{name}")(t), slope, 1e-3, f"d_{name} against differences of {name}")


@check(tier="silver", kinds=KINDS, hint="time_of inverts log_snr on [t_min, 1] and clips what lies outside")
def times_come_back_from_log_snr(subject: Subject) -> None:
    """time_of(log_snr(t)) is t between t_min and 1; levels beyond the ends give the ends; types are kept."""
    schedule = subject.make()
    t = _times(schedule, 0.01)
    expect_close(schedule.time_of(schedule.log_snr(t)), t, 1e-6, "time_of(log_snr(t))")
    ends = schedule.time_of(torch.tensor([1e4, -1e4], dtype=torch.float64))
    expect(
        bool((ends >= 0).all()) and bool((ends <= 1).all()), f"levels beyond the ends give the times {ends.tolist()}"
    )
    for dtype in (torch.float32, torch.float64):
        found = schedule.alpha(t.to(dtype)).dtype
        expect(found == dtype, f"times of {dtype} give alpha as {found}")


CHECKS = (noise_grows_with_time, schedule_derivatives_are_right, times_come_back_from_log_snr)
