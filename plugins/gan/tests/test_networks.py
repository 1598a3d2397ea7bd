"""Generators and discriminators at every side, told labels in every way, normed in every way."""

import pytest
import torch

from gen.errors import ShapeError
from gen.types import CondSpec
from gen_gan.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from gen_gan.networks.ladder import ladder
from gen_gan.networks.modern import ModernDiscriminator, ModernGenerator
from gen_gan.networks.resnet import ResNetDiscriminator, ResNetGenerator
from gen_gan.networks.spectral import SpectralConv2d, SpectralLinear, divided
from gen_sdk.checks.building import copy_is_independent, meta_build_has_the_same_shapes, same_seed_gives_same_weights
from gen_sdk.checks.gradients import gradients_reach_every_parameter
from gen_sdk.checks.rows import rows_are_independent
from gen_sdk.checks.saving import safetensors_round_trip

CLASSES, VECTOR = CondSpec("class", 10), CondSpec("vector", 3)
SMALL = {"width": 4, "max_width": 8}
GENERATORS = [DCGANGenerator, ResNetGenerator, ModernGenerator]
DISCRIMINATORS = [DCGANDiscriminator, ResNetDiscriminator, ModernDiscriminator]
VARIANTS = [
    *((cls, {}) for cls in GENERATORS + DISCRIMINATORS),
    *((cls, {"condition": "input"}) for cls in (DCGANGenerator, ResNetGenerator, *DISCRIMINATORS)),
    (DCGANDiscriminator, {"norm": "layer", "dropout": 0.1}),
    (DCGANDiscriminator, {"spectral": True}),
    (DCGANDiscriminator, {"spectral": True, "hidden": 6}),
    (DCGANGenerator, {"hidden": 6}),
    (ModernDiscriminator, {"hidden": 6}),
    (ModernGenerator, {"hidden": 6}),
    (ResNetDiscriminator, {"spectral": False, "blocks": 0}),
]


def built(cls, shape=(1, 8, 8), cond=None, **options):
    """A small network of images of this shape, z of 5 numbers, and something to put in."""
    if cls.kind == "generator":
        return cls(in_shape=(5,), out_shape=shape, cond=cond, **SMALL, **options)
    return cls(in_shape=shape, out_shape=(), cond=cond, **SMALL, **options)


def given(net, n=3):
    return torch.randn(n, *net.in_shape, generator=torch.Generator().manual_seed(2))


def called(net):
    return net.eval()(given(net), torch.arange(3))


@pytest.mark.parametrize("cls", GENERATORS + DISCRIMINATORS)
def test_networks_build_for_every_side_that_is_a_doubled_base(cls):
    for side in (8, 10, 14, 16, 20, 26, 28, 30, 32, 36, 48, 56, 64, 96, 128):
        with torch.device("meta"):
            net = built(cls, (3, side, side))
            out = net(torch.empty(2, *net.in_shape))

        assert out.shape == (2, *net.out_shape)


@pytest.mark.parametrize("cls", GENERATORS + DISCRIMINATORS)
@pytest.mark.parametrize("shape", [(1, 28, 28), (5, 8, 8), (2, 16, 24)])
def test_networks_serve_any_channels_and_oblong_images(cls, shape):
    net = built(cls, shape)

    assert net(given(net)).shape == (3, *net.out_shape)


@pytest.mark.parametrize(("side", "base", "levels"), [(8, 4, 1), (28, 7, 2), (32, 4, 3), (30, 15, 1), (96, 6, 4)])
def test_ladder_starts_at_the_smallest_base(side, base, levels):
    assert ladder("x", (1, side, side)) == ((base, base), levels)


@pytest.mark.parametrize(("growth", "widths"), [(1, [3, 3, 3]), (2, [3, 6, 12]), (4, [3, 12, 20])])
def test_channels_grow_by_a_factor_from_level_to_level_up_to_the_most(growth, widths):
    network = DCGANDiscriminator(in_shape=(1, 32, 32), out_shape=(), width=3, growth=growth, max_width=20)

    assert network.widths(3) == widths


def test_smaller_base_makes_a_deeper_network():
    assert ladder("x", (1, 8, 8), 2) == ((2, 2), 2)
    net = built(DCGANDiscriminator, least=1)
    assert net(given(net)).shape == (3,)


@pytest.mark.parametrize("cls", [DCGANDiscriminator, ModernDiscriminator])
@pytest.mark.parametrize(("hidden", "together"), [(0, False), (64, True)])
def test_corners_of_a_28x28_image_are_judged_together_only_with_a_hidden_layer(cls, hidden, together):
    net = built(cls, (1, 28, 28), hidden=hidden).double().eval()
    x, first, last = given(net).double(), torch.zeros(1, 28, 28), torch.zeros(1, 28, 28)
    first[:, :4, :4], last[:, -4:, -4:] = 4.0, 4.0

    # [3], 0 where scores of patches add up
    interaction = net(x + first + last) - net(x + first) - net(x + last) + net(x)

    assert bool((interaction.abs() > 1e-9).any()) is together


@pytest.mark.parametrize("cls", [DCGANGenerator, ModernGenerator])
@pytest.mark.parametrize(("hidden", "linear"), [(0, True), (64, False)])
def test_base_of_a_generator_is_linear_in_z_but_for_a_hidden_layer(cls, hidden, linear):
    net = built(cls, (1, 28, 28), hidden=hidden).double().eval()
    a, b = given(net).double(), given(net, 6)[3:].double()

    enters = [net.enter(z, None)[0] for z in (a + b, a, b, a * 0)]
    interaction = enters[0] - enters[1] - enters[2] + enters[3]

    assert bool((interaction.abs() < 1e-9).all()) is linear


@pytest.mark.parametrize("cls", GENERATORS + DISCRIMINATORS)
@pytest.mark.parametrize(("side", "fits"), [(27, 28), (7, 8), (50, 52), (129, 144)])
def test_other_sides_are_refused_with_one_that_fits(cls, side, fits):
    with pytest.raises(
        ShapeError, match=rf"sides of {side}x{side} do not come from one: pad or resize to {fits}x{fits}"
    ):
        built(cls, (1, side, side))
    built(cls, (1, fits, fits))


@pytest.mark.parametrize("least", [1, 4, 7])
def test_sides_that_are_suggested_fit_whatever_the_shape_and_are_no_smaller(least):
    for sides in ((2, 100), (9, 33), (200, 3), (1, 1), (17, 300), (31, 62)):
        with pytest.raises(ShapeError) as refused:
            ladder("x", (1, *sides), least)
        fits = tuple(int(side) for side in str(refused.value).rpartition(" ")[2].split("x"))

        assert ladder("x", (1, *fits), least)[1] >= 1
        assert all(a >= b for a, b in zip(fits, sides, strict=True))


@pytest.mark.parametrize("cls", GENERATORS + DISCRIMINATORS)
def test_what_is_no_image_is_refused(cls):
    with pytest.raises(ShapeError, match=r"is a network of images \(C, H, W\), got the shape \(6,\)"):
        built(cls, (6,))


@pytest.mark.parametrize("cls", GENERATORS)
def test_generators_read_vectors(cls):
    with pytest.raises(ShapeError, match=r"reads a vector z \(D,\), got the shape \(1, 2, 2\)"):
        cls(in_shape=(1, 2, 2), out_shape=(1, 8, 8))


@pytest.mark.parametrize("cls", DISCRIMINATORS)
def test_discriminators_give_one_logit(cls):
    with pytest.raises(ShapeError, match=r"gives one logit per sample, shape \(\), and \(2,\) is asked"):
        cls(in_shape=(1, 8, 8), out_shape=(2,))


@pytest.mark.parametrize("cls", GENERATORS + DISCRIMINATORS)
def test_images_are_no_condition(cls):
    with pytest.raises(ShapeError, match="a class or a vector, not an image"):
        built(cls, cond=CondSpec("image", 1, (1, 8, 8)))


@pytest.mark.parametrize(("cls", "options"), VARIANTS)
def test_networks_keep_the_promises_of_modules(cls, options):
    make = lambda: built(cls, cond=CLASSES, **options)  # noqa: E731

    same_seed_gives_same_weights(make)
    meta_build_has_the_same_shapes(make)
    copy_is_independent(make(), called)
    safetensors_round_trip(make, called)


@pytest.mark.parametrize(("cls", "options"), VARIANTS)
def test_rows_are_independent_in_evaluation(cls, options):
    net = built(cls, cond=CLASSES, **options).eval()

    rows_are_independent(net, given(net), torch.arange(3))


@pytest.mark.parametrize(("cls", "options"), VARIANTS)
@pytest.mark.parametrize("cond", [None, CLASSES, VECTOR])
def test_gradients_reach_every_parameter(cls, options, cond):
    torch.manual_seed(0)
    net = built(cls, cond=cond, **options)
    told = {None: None, CLASSES: torch.arange(3), VECTOR: torch.randn(3, 3)}[cond]

    def loss(net):
        out = net(given(net), told)
        return (out * torch.randn(out.shape, generator=torch.Generator().manual_seed(3))).sum()

    gradients_reach_every_parameter(net, loss)


@pytest.mark.parametrize(("cls", "options"), VARIANTS)
def test_labels_matter_once_they_are_trained(cls, options):
    torch.manual_seed(0)
    net = built(cls, cond=CLASSES, **options).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    x = given(net)

    assert not torch.allclose(net(x, torch.tensor([1, 2, 3])), net(x, torch.tensor([4, 5, 6])))
    torch.testing.assert_close(net(x, None), net(x, torch.full((3,), 10)))  # null


@pytest.mark.parametrize("cls", GENERATORS + DISCRIMINATORS)
def test_networks_start_with_outputs_of_a_usable_size(cls):
    torch.manual_seed(0)
    net = (
        cls(in_shape=(32,), out_shape=(1, 28, 28))
        if cls.kind == "generator"
        else cls(in_shape=(1, 28, 28), out_shape=())
    )
    with torch.no_grad():
        spread = net(given(net, 8).clamp(-1, 1) if cls.kind == "discriminator" else given(net, 8)).std().item()

    assert 0.003 < spread < 30


def test_discriminators_can_be_differentiated_twice():
    for cls in DISCRIMINATORS:
        net = built(cls)
        x = given(net).requires_grad_()
        (slope,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
        slope.square().sum().backward()

        assert any(parameter.grad is not None and parameter.grad.any() for parameter in net.parameters())


@pytest.mark.parametrize("layer", [SpectralLinear(7, 5), SpectralConv2d(2, 6, 3)])
def test_spectral_norm_divides_by_the_largest_singular_value(layer):
    torch.manual_seed(0)
    for _ in range(100):
        layer(torch.zeros(1, 7) if isinstance(layer, SpectralLinear) else torch.zeros(1, 2, 4, 4))
    layer.eval()
    before = layer.u.clone()
    top = torch.linalg.matrix_norm(divided(layer.weight, layer.u, False).flatten(1), 2)

    assert top.item() == pytest.approx(1.0, rel=1e-3)
    assert torch.equal(layer.u, before)  # evaluation moves nothing
    assert "u" in layer.state_dict()


@pytest.mark.parametrize("cond", [CLASSES, VECTOR])
@pytest.mark.parametrize("cls", [DCGANDiscriminator, ResNetDiscriminator])
def test_spectral_norm_is_on_every_layer_of_a_conditional_discriminator(cls, cond):
    net = built(cls, cond=cond, spectral=True).eval()
    layers = [module for module in net.modules() if hasattr(module, "weight")]

    for layer in layers:
        top = torch.linalg.matrix_norm(divided(layer.weight, layer.u, False).flatten(1), 2)
        assert top.item() == pytest.approx(1.0, rel=0.05)  # after the steps of the start alone
    assert len(layers) > 2


def test_spectral_norm_ignores_the_scale_of_the_weights():
    layer = SpectralLinear(6, 4, bias=False).eval()
    x = torch.randn(3, 6)
    before = layer(x)
    with torch.no_grad():
        layer.weight.mul_(7)

    torch.testing.assert_close(layer(x), before)


def test_two_spectral_passes_may_stand_before_one_backward():
    layer = SpectralLinear(6, 1)
    (layer(torch.randn(3, 6)) - layer(torch.randn(3, 6))).sum().backward()

    assert layer.weight.grad.isfinite().all()
