"""`code`: one walk for both ends, whose chances are the model's, in the order of `symbols`."""

from __future__ import annotations

import pytest
import torch


def walked(model, n, symbols, cond=None):
    """The images of `code` where the symbols [n, N] are picked, and the chances [n, V] that were handed out."""
    columns, seen = iter(symbols.unbind(1)), []

    def choose(chances):
        seen.append(chances)
        return next(columns)

    return model.code(n, choose, cond), seen


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_symbols_make_the_image_and_their_chances_its_probability(network, likelihood, build_model, draw_images, dtype):
    model = build_model(network, (2, 3, 3), likelihood).to(dtype)
    x = draw_images(3, (2, 3, 3), model.likelihood.counted).to(dtype)
    symbols = model.symbols(x)

    made, chances = walked(model, 3, symbols)
    each = torch.stack([p.gather(1, s[:, None])[:, 0] for p, s in zip(chances, symbols.T, strict=True)])

    assert symbols.shape == (3, 18)
    assert made.dtype == dtype
    assert torch.equal(made, x)
    with torch.no_grad():
        torch.testing.assert_close(each.log().sum(0), model.log_prob(x).double(), rtol=1e-4, atol=1e-4)


def test_a_second_walk_hands_out_the_same_chances_bit_by_bit(network, build_model, draw_images):
    model = build_model(network, (1, 4, 4), "categorical", conditional=True).float()
    symbols, cond = model.symbols(draw_images(3, (1, 4, 4), 5)), torch.tensor([0, 1, 2])

    first, second = (walked(model, 3, symbols, cond)[1] for _ in range(2))

    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert all(p.dtype == torch.float64 for p in first)
    torch.testing.assert_close(torch.stack(first).sum(-1), torch.ones(16, 3, dtype=torch.float64), rtol=0, atol=1e-5)
