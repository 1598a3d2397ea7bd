"""What a family's capabilities promise: each method does what its one fixed meaning says."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor

from gen.errors import GenError, ShapeError
from gen.types import Batch, CondSpec, DataSpec, Domain, Progress, Shape
from gen_sdk.checks.check import NotApplicable, check, expect
from gen_sdk.checks.kinds.model import built
from gen_sdk.checks.kinds.probing import expect_close, expect_equal, expect_shape, generator, normal, seeded
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS", "can", "ready"]

KINDS = ("model",)
KINDS_OF_LOG_PROB = ("exact", "lower bound", "estimate")


def can(*names: str) -> Any:
    """Applies to models that have all of these capabilities."""

    def applies(subject: Subject) -> str:
        missing = [name for name in names if name not in subject.spec.capabilities]
        return f"it cannot {', '.join(missing)}" if missing else ""

    return applies


def ready(subject: Subject) -> tuple[Any, Tensor, Tensor, Shape]:
    """The model in evaluation, samples [6, *shape] of its first domain, labels [6], and the shape."""
    model, batch = built(subject)
    model.eval()
    x = batch.x if isinstance(batch.x, Tensor) else next(iter(batch.x.values()))
    assert batch.cond is not None, "the kit's data have labels"
    return model, x, batch.cond, tuple(x.shape[1:])


def _codes(model: Any, n: int) -> Tensor:
    """Something to generate from: draws of the model's prior, else normal noise of the size of its latent."""
    prior = getattr(model, "prior", None)
    if hasattr(prior, "sample"):
        return prior.sample(n, generator(4))  # type: ignore[union-attr, no-any-return]
    latent = getattr(model, "latent", None)
    if latent is None:
        raise NotApplicable("it has neither a prior nor a latent size to draw codes by")
    return normal(n, *(latent if isinstance(latent, tuple) else (latent,)), seed=4)


@check(tier="bronze", kinds=KINDS, applies=can("encode"), hint="encode gives the code, or its mean: no draw in it")
def codes_are_functions_of_samples(subject: Subject) -> None:
    """encode gives a finite code per sample, the same under any global seed, and different samples differ."""
    model, x, cond, _ = ready(subject)
    with seeded(1):
        z = model.encode(x, cond)
    with seeded(2):
        expect_equal(model.encode(x, cond), z, "the codes of the same samples")
    expect(
        len(z) == len(x) and bool(z.double().isfinite().all()),
        f"codes have the shape {tuple(z.shape)}, or are not finite",
    )


@check(
    tier="bronze",
    kinds=KINDS,
    applies=can("encode", "decode"),
    hint="decode takes what encode gives: [B, *shape] of the data",
)
def codes_can_be_decoded(subject: Subject) -> None:
    """decode(encode(x)) are finite samples in the shape of the data, and where it can reconstruct, that is it."""
    model, x, cond, shape = ready(subject)
    with seeded(1):
        decoded = model.decode(model.encode(x, cond), cond)
    expect_shape(decoded, (len(x), *shape), "decode(encode(x))")
    expect(bool(decoded.isfinite().all()), "decoded samples are not finite")
    if "reconstruct" in subject.spec.capabilities and not subject.spec.traits.get("stochastic"):
        with seeded(2):
            expect_close(model.reconstruct(x, cond), decoded, 1e-5, "reconstruct(x) against decode(encode(x))")


@check(tier="bronze", kinds=KINDS, applies=can("generate"), hint="generate maps codes to samples, row by row")
def codes_generate_samples(subject: Subject) -> None:
    """generate gives finite samples in the shape of the data; different codes, different samples."""
    model, _, cond, shape = ready(subject)
    z = _codes(model, 6)
    x = model.generate(z, cond)
    expect_shape(x, (6, *shape), "generate(z)")
    expect(bool(x.isfinite().all()), "generated samples are not finite")
    other = model.generate(z.roll(1, 0), cond)
    expect(not torch.equal(other, x), "other codes give the same samples")


@check(
    tier="bronze", kinds=KINDS, applies=can("log_prob"), hint="log_prob is [B] in nats; state log_prob_kind as it is"
)
def log_prob_is_of_its_kind(subject: Subject) -> None:
    """log_prob is one finite number per sample, of a declared kind; an exact one is the same under any global seed."""
    model, x, cond, _ = ready(subject)
    kind = model.log_prob_kind
    expect(kind in KINDS_OF_LOG_PROB, f"log_prob_kind is {kind!r}: one of {', '.join(KINDS_OF_LOG_PROB)}")
    with seeded(1):
        first = model.log_prob(x, cond)
    expect_shape(first, (len(x),), "log_prob(x)")
    expect(bool(first.isfinite().all()), "log_prob is not finite")
    if kind == "exact":
        with seeded(2):
            expect_equal(model.log_prob(x, cond), first, "an exact log_prob under another global seed")


@check(tier="silver", kinds=KINDS, applies=can("log_prob"), hint="a bound adds every term; an exact value normalises")
def probabilities_of_all_images_sum_to_one(subject: Subject) -> None:
    """Over all 16 binary images of 2x2 an exact log_prob sums to probability 1, a lower bound to at most 1.

    Before and after the weights were moved to make all images as likely as they can: what is no probability then grows.
    """
    model = _tiny(subject)
    _check_total(model)
    _raise_log_prob(model)
    _check_total(model)


def _images() -> tuple[Tensor, Tensor]:
    """All binary images of 2x2, [16, 1, 2, 2], and labels for them."""
    x = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 4).view(16, 1, 2, 2)
    return x, torch.zeros(16, dtype=torch.int64)


def _raise_log_prob(model: Any) -> None:
    """A few steps up the log-probability of all images together, to the highest point met."""
    x, cond = _images()
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=0.03)
    highest, best = -torch.inf, [p.detach().clone() for p in parameters]
    with torch.enable_grad(), seeded(4):
        for _ in range(40):
            total = model.log_prob(x, cond).mean()
            if not total.requires_grad or not total.isfinite():
                break
            if total.item() > highest:
                highest, best = total.item(), [p.detach().clone() for p in parameters]
            optimizer.zero_grad(set_to_none=True)
            (-total).backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
    with torch.no_grad():
        for parameter, kept in zip(parameters, best, strict=True):
            parameter.copy_(kept)


def _check_total(model: Any) -> None:
    (x, cond), many = _images(), 32
    rows, told = x.repeat(many, 1, 1, 1), cond.repeat(many)
    with torch.no_grad(), seeded(3):
        log_p = model.log_prob(rows, told).double().view(many, 16).mean(0)
    total = log_p.exp().sum().item()
    if model.log_prob_kind == "exact":
        expect(abs(total - 1) < 1e-3, f"an exact log_prob gives all images {total:.4f} together, not 1")
    elif model.log_prob_kind == "lower bound":
        expect(total <= 1.02, f"a lower bound gives all images {total:.4f} together: no bound is above the truth")
    else:
        raise NotApplicable("an estimate bounds nothing")


def _tiny(subject: Subject) -> Any:
    """The model over binary images of 2x2, if it fits them and its likelihood is one of values, not a density."""
    data = DataSpec.single(Domain((1, 2, 2), levels=2), CondSpec("class", 3))
    try:
        with seeded():
            model = subject._builder().make(subject._value(False, {}), None, path=subject.name, data=data).eval()
    except ShapeError as error:
        raise NotApplicable(f"it does not fit images of 2x2 ({str(error).splitlines()[0]})") from error
    likelihood = getattr(model, "likelihood", None)
    if hasattr(likelihood, "sample"):
        drawn = likelihood.sample(normal(256, *likelihood.param_shape((1, 2, 2))), generator())  # type: ignore[union-attr]
        if len(drawn.unique()) > 2:
            raise NotApplicable("its likelihood is a density, or one of more than two values")
    elif not any(getattr(part, "kind", "") == "autoregressor" for part in model.children()):
        raise NotApplicable("its log_prob may be a density")
    return model


@check(tier="silver", kinds=KINDS, applies=can("log_prob"), hint="log-mean-exp over the draws, not the mean of logs")
def more_draws_tighten_the_bound(subject: Subject) -> None:
    """Where a lower bound takes `draws`, 64 of them bound at least as high as one, in the mean."""
    model, x, cond, _ = ready(subject)
    if model.log_prob_kind != "lower bound" or "draws" not in inspect.signature(model.log_prob).parameters:
        raise NotApplicable("its log_prob takes no number of draws")
    rows, told = x.repeat(30, *[1] * (x.ndim - 1)), cond.repeat(30)
    with torch.no_grad(), seeded(3):
        one, many = (model.log_prob(rows, told, draws=k).double() for k in (1, 64))
    slack = 4 * (one - many).std().item() / len(one) ** 0.5
    expect(many.mean() >= one.mean() - slack, f"64 draws bound log p by {many.mean():.3f}, one by {one.mean():.3f}")


@check(
    tier="bronze",
    kinds=KINDS,
    applies=can("denoise"),
    hint="convert through the schedule; treat t = 0 and t = 1 apart",
)
def denoising_ends_finite(subject: Subject) -> None:
    """denoise gives finite estimates in the shape of x from t = 0 to t = 1, for one t or a t per sample alike."""
    model, x, cond, shape = ready(subject)
    for t in (0.0, 1e-3, 0.5, 1.0):
        one = model.denoise(x, torch.tensor(t), cond)
        expect_shape(one, (len(x), *shape), f"denoise at t = {t:g}")
        expect(bool(one.isfinite().all()), f"denoise is not finite at t = {t:g}")
        expect_close(model.denoise(x, torch.full((len(x),), t), cond), one, 1e-5, "a t per sample against one t")
    mixed = torch.linspace(0, 1, len(x))
    alone = torch.cat([model.denoise(x[i : i + 1], mixed[i : i + 1], cond[i : i + 1]) for i in range(len(x))])
    expect_close(model.denoise(x, mixed, cond), alone, 1e-4, "samples with a t of their own against one by one")


@check(
    tier="bronze",
    kinds=KINDS,
    applies=can("complete"),
    hint="put the known pixels back last: torch.where(mask, x, drawn)",
)
def completions_keep_known_pixels(subject: Subject) -> None:
    """complete leaves every pixel whose mask is 1 exactly as it was, fills the others, and draws from its rng alone."""
    model, x, cond, shape = ready(subject)
    mask = torch.zeros(len(x), *shape)
    mask[..., : shape[-1] // 2] = 1
    kept = x.clone()
    first, again, other = (model.complete(x, mask, cond, generator(seed)) for seed in (1, 1, 2))
    expect_shape(first, (len(x), *shape), "complete(x, mask)")
    expect_equal(first * mask, x * mask, "known pixels")
    expect_equal(again, first, "completions under one seed")
    expect(not torch.equal(other, first), "completions are the same under two seeds")
    expect_equal(x, kept, "the samples handed to complete")
    hidden = torch.where(mask.bool(), x, -x)
    expect_equal(model.complete(hidden, mask, cond, generator(1)), first, "completions of other hidden pixels")


@check(tier="bronze", kinds=KINDS, applies=can("translate"), hint="translate(x, to) gives a sample of the domain `to`")
def translations_reach_their_domain(subject: Subject) -> None:
    """translate gives finite samples in the shape of the domain asked for; an unknown domain is refused."""
    model, x, _, _ = ready(subject)
    domains = model.data.domains
    for to in getattr(model, "targets", tuple(domains)[1:]):
        y = model.translate(x, to)
        expect_shape(y, (len(x), *domains[to].shape), f"a translation to {to}")
        expect(bool(y.isfinite().all()), f"a translation to {to} is not finite")
        expect(not torch.equal(y, x), f"a translation to {to} is its source")
    try:
        model.translate(x, "nowhere")
    except GenError:
        return
    expect(False, 'a translation to the unknown domain "nowhere" is not refused')


@check(
    tier="bronze",
    kinds=KINDS,
    applies=can("forecast"),
    hint="forecast(x, steps) continues each series by so many values",
)
def forecasts_have_their_length(subject: Subject) -> None:
    """forecast gives as many finite values as asked for, for every series; the first ones do not depend on the rest."""
    model, x, _, _ = ready(subject)
    three, five = model.forecast(x, 3), model.forecast(x, 5)
    for steps, found in ((3, three), (5, five)):
        expect(len(found) == len(x) and steps in found.shape, f"{steps} steps come as {tuple(found.shape)}")
        expect(bool(found.isfinite().all()), "a forecast is not finite")
    axis = next(i for i in range(1, five.ndim) if five.shape[i] == 5 and three.shape[i] == 3)
    expect_close(five.narrow(axis, 0, 3), three, 1e-5, "the first three of five steps against three steps")


@check(
    tier="silver",
    kinds=KINDS,
    applies=lambda s: "" if s.spec.option("conditional") else "it has no option conditional",
    hint="hand batch.cond to every network that is wired to it, and to the capabilities",
)
def conditional_models_use_labels(subject: Subject) -> None:
    """With conditional: true other labels change the loss of some phase; with false they change nothing."""
    for conditional in (True, False):
        model, batch = built(subject, conditional=conditional)
        assert batch.cond is not None, "the kit's data have labels"
        other = Batch(batch.x, (batch.cond + 1) % 3, batch.index)
        changed = False
        for phase in model.phases():
            totals = []
            for told in (batch, other):
                with seeded(1):
                    totals.append(phase.loss(told, Progress(50, 100)).total.item())
            changed = changed or totals[0] != totals[1]
        expect(changed == conditional, f"with conditional: {str(conditional).lower()} other labels change "
               f"{'nothing' if conditional else 'a loss'}")  # fmt: skip


CHECKS = (
    codes_are_functions_of_samples,
    codes_can_be_decoded,
    codes_generate_samples,
    log_prob_is_of_its_kind,
    probabilities_of_all_images_sum_to_one,
    more_draws_tighten_the_bound,
    denoising_ends_finite,
    completions_keep_known_pixels,
    translations_reach_their_domain,
    forecasts_have_their_length,
    conditional_models_use_labels,
)
