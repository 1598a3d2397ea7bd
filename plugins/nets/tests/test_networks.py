"""One body for all networks: shapes, gradients, conditions, devices, precisions."""

from __future__ import annotations

import copy

import pytest
import torch

from gen.types import CondSpec
from gen_nets.conv import ConvDecoder, ConvDiscriminator, ConvEncoder
from gen_nets.mlp import MLPDecoder, MLPDiscriminator, MLPEncoder
from gen_nets.plugin import gen_components
from gen_nets.resnet import ResNetDecoder, ResNetEncoder

DEFAULTS = [
    (MLPEncoder, {"hidden": (24, 16)}),
    (MLPDecoder, {"hidden": (16, 24)}),
    (ConvEncoder, {"width": 8}),
    (ConvDecoder, {"width": 8}),
    (ResNetEncoder, {"width": 8}),
    (ResNetDecoder, {"width": 8}),
]
VARIANTS = [
    (MLPEncoder, {"hidden": ()}),
    (MLPEncoder, {"hidden": (12,), "norm": "layer", "activation": "tanh"}),
    (MLPDecoder, {"hidden": (12,), "norm": "batch", "activation": "elu", "dropout": 0.1}),
    (ConvEncoder, {"width": 8, "norm": "batch", "activation": "silu"}),
    (ConvDecoder, {"width": 8, "norm": "group", "activation": "leaky-relu"}),
    (ConvEncoder, {"width": 6, "norm": "layer", "activation": "gelu"}),
    (ResNetEncoder, {"width": 4, "blocks": 2, "activation": "relu"}),
    (ResNetDecoder, {"width": 16, "blocks": 2, "max_width": 16}),
]
JUDGES = [
    (MLPDiscriminator, {"hidden": (12, 16)}),
    (ConvDiscriminator, {"width": 8, "activation": "leaky-relu"}),
    (ConvDiscriminator, {"width": 8, "hidden": (12, 16), "norm": "layer"}),
]
IMAGE, CODE = (1, 8, 8), (5,)
CLASSES, VECTOR = CondSpec("class", 3), CondSpec("vector", 4)


def name(case) -> str:
    cls, options = case
    return "-".join([cls.__name__, *(f"{key}={value}" for key, value in options.items())])


def build(case, image=IMAGE, code=CODE, cond=None, seed=0):
    """A network of the case, between `image` and `code` in its own direction."""
    cls, options = case
    ends = {"encoder": (image, code), "decoder": (code, image), "discriminator": (image, ())}[cls.kind]
    torch.manual_seed(seed)
    return cls(in_shape=ends[0], out_shape=ends[1], cond=cond, **options)


def perturbed(network):
    """Away from the start, where some weights are 0 and pass no gradient on."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def inputs(network, batch=6):
    return torch.randn(batch, *network.in_shape, generator=torch.Generator().manual_seed(1))


every = pytest.mark.parametrize("case", DEFAULTS + VARIANTS + JUDGES, ids=name)
default = pytest.mark.parametrize("case", DEFAULTS, ids=name)
spatial = pytest.mark.parametrize("case", DEFAULTS[2:] + VARIANTS[3:], ids=name)


def test_registered_names_lead_to_classes_of_their_kind():
    classes = {cls.__module__ + ":" + cls.__name__: cls for cls, _ in DEFAULTS + JUDGES}

    assert {c.target for c in gen_components()} == set(classes)
    assert all(c.name.endswith(classes[c.target].kind) for c in gen_components())


@every
@pytest.mark.parametrize("image", [(1, 8, 8), (3, 16, 16), (1, 28, 28), (2, 8, 12)], ids=str)
def test_output_has_the_wired_shape(case, image):
    network = build(case, image)

    assert network(inputs(network, 2)).shape == (2, *network.out_shape)


@spatial
@pytest.mark.parametrize("image", [(1, 28, 28), (2, 8, 12)], ids=str)
def test_code_may_be_a_map(case, image):
    network = build(case, image, code=(7, image[1] // 4, image[2] // 4))

    assert network(inputs(network, 2)).shape == (2, *network.out_shape)


@pytest.mark.parametrize("case", [DEFAULTS[0], DEFAULTS[1], VARIANTS[0]], ids=name)
@pytest.mark.parametrize("shapes", [((2,), (3,)), ((4, 3), (6,)), ((2,), (2, 5))], ids=str)
def test_perceptrons_serve_any_shape(case, shapes):
    network = build(case, *shapes)

    assert network(inputs(network)).shape == (6, *network.out_shape)


@every
def test_gradient_reaches_every_parameter(case):
    cond = None if case[1].get("hidden") == () else CLASSES
    network = perturbed(build(case, cond=cond))
    labels = torch.arange(16) % 4  # every class and the null label

    network(inputs(network, 16), labels).square().sum().backward()

    unreached = [key for key, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert unreached == []


@default
def test_every_label_trains_its_own_row(case):
    network = perturbed(build(case, cond=CLASSES))

    network(inputs(network), torch.tensor([0, 0, 1, 1, 3, 3])).square().sum().backward()

    rows = network.condition.embedding.weight.grad.abs().sum(1) > 0
    assert rows.tolist() == [True, True, False, True]


@default
def test_class_changes_the_output_and_none_is_the_null_class(case):
    network = perturbed(build(case, cond=CLASSES))
    x = inputs(network)
    told = {label: network(x, torch.full((6,), label)) for label in range(4)}

    for a, b in [(0, 1), (1, 2), (0, CLASSES.null)]:
        assert (told[a] - told[b]).abs().amax() > 1e-2
    assert torch.equal(network(x), told[CLASSES.null])


@default
def test_vector_changes_the_output_and_none_is_the_zero_vector(case):
    network = perturbed(build(case, cond=VECTOR))
    x, vector = inputs(network), torch.ones(6, 4)

    assert (network(x, vector) - network(x, -vector)).abs().amax() > 1e-2
    assert torch.equal(network(x), network(x, torch.zeros(6, 4)))
    assert torch.equal(network(x, vector), network(x, vector.double()))


@default
def test_network_without_a_condition_ignores_what_it_is_told(case):
    network = build(case)

    assert torch.equal(network(inputs(network), torch.zeros(6, dtype=torch.long)), network(inputs(network)))
    assert not list(network.condition.parameters())


@every
@pytest.mark.parametrize("cond", [None, CLASSES, VECTOR], ids=["free", "class", "vector"])
def test_meta_build_has_the_shapes_of_a_direct_build(case, cond):
    if cond is not None and case[1].get("hidden") == ():
        cond = None
    with torch.device("meta"):
        planned = build(case, cond=cond).state_dict()
    built = build(case, cond=cond).state_dict()

    assert {key: value.shape for key, value in planned.items()} == {key: value.shape for key, value in built.items()}
    assert all(value.is_meta for value in planned.values())


@every
def test_same_seed_gives_the_same_weights(case):
    one, two, other = (build(case, seed=seed).state_dict() for seed in (3, 3, 4))

    assert all(torch.equal(one[key], two[key]) for key in one)
    assert any(not torch.equal(one[key], other[key]) for key in one)


@every
def test_copies_and_reloaded_weights_compute_the_same(case):
    network = build(case).eval()
    reloaded = build(case, seed=9).eval()
    reloaded.load_state_dict(network.state_dict())
    x = inputs(network)

    assert torch.equal(copy.deepcopy(network)(x), network(x))
    assert torch.equal(reloaded(x), network(x))


@every
def test_samples_do_not_see_each_other_in_evaluation(case):
    network = perturbed(build(case)).double().eval()
    x = inputs(network).double()
    order = torch.tensor([4, 0, 5, 2, 1, 3])

    torch.testing.assert_close(network(x[order]), network(x)[order])
    torch.testing.assert_close(network(x[2:3]), network(x)[2:3])


@every
def test_double_precision_agrees_with_single(case):
    network = perturbed(build(case)).eval()
    x = inputs(network)
    single = network(x)
    double = network.double()(x.double())

    assert double.dtype == torch.float64
    torch.testing.assert_close(single, double.float(), rtol=1e-4, atol=1e-4)


@default
@pytest.mark.parametrize("cond", [CLASSES, VECTOR], ids=["class", "vector"])
def test_autocast_stays_near(case, cond):
    network = perturbed(build(case, cond=cond)).eval()
    x = inputs(network)
    exact = network(x)
    with torch.autocast("cpu", torch.bfloat16):
        rough = network(x)
    rough.sum().backward()

    assert rough.dtype == torch.bfloat16
    assert (rough.float() - exact).square().mean().sqrt() < 0.03 * exact.std()  # bfloat16 keeps 8 bits
    assert all(p.grad.isfinite().all() for p in network.parameters())


@default
def test_compiles_into_one_graph(case):
    network = perturbed(build(case, cond=CLASSES))
    x, labels = inputs(network), torch.tensor([0, 1, 2, 3, 0, 1])
    torch.compiler.reset()  # all networks share one `forward`, and torch keeps 8 graphs of a function
    compiled = torch.compile(network, fullgraph=True, backend="eager")

    torch.testing.assert_close(compiled(x, labels), network(x, labels))
    torch.testing.assert_close(compiled(x), network(x))


@spatial
def test_channels_last_runs_through_every_stage(case):
    network = perturbed(build(case, image=(3, 8, 8), cond=CLASSES)).eval()
    x, labels = inputs(network), torch.tensor([0, 1, 2, 3, 0, 1])
    expected = network(x, labels)
    layouts = []
    for stage in network.stages:
        stage.register_forward_hook(lambda _, __, h: layouts.append(h.is_contiguous(memory_format=torch.channels_last)))
    if x.ndim == 4:
        x = x.contiguous(memory_format=torch.channels_last)
    result = network.to(memory_format=torch.channels_last)(x, labels)

    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-4)
    # A vector enters conv-decoder through a linear layer, so its first stage cannot have the layout yet.
    assert all(layouts[1:] if case[0] is ConvDecoder else layouts)


@default
def test_empty_batch_passes(case):
    network = build(case, cond=CLASSES)

    assert network(inputs(network, 0)).shape == (0, *network.out_shape)


def test_linear_perceptron_is_a_matrix_product():
    network = build((MLPEncoder, {"hidden": ()}))
    x = inputs(network)

    weight, bias = network.head[1].weight, network.head[1].bias
    torch.testing.assert_close(network(x), x.flatten(1) @ weight.T + bias)


def test_perceptron_follows_its_formula():
    network = perturbed(build((MLPEncoder, {"hidden": (7,), "activation": "tanh"}), image=(4,), cond=CLASSES))
    x, labels = inputs(network), torch.tensor([0, 1, 2, 3, 0, 1])
    layer, told, head = network.stages[0].layer, network.condition, network.head

    shift = told.embedding.weight[labels] @ told.projection.weight.T
    hidden = torch.tanh(x @ layer.weight.T + layer.bias + shift)
    torch.testing.assert_close(network(x, labels), hidden @ head.weight.T + head.bias)


def test_dropout_acts_in_training_only():
    network = build((MLPEncoder, {"hidden": (50,), "dropout": 0.5}))
    x = inputs(network)

    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))


def test_channels_double_up_to_the_most_allowed():
    network = build((ConvEncoder, {"width": 8, "depth": 3, "max_width": 16}))

    assert [stage.layer.out_channels for stage in network.stages] == [8, 16, 16]
    assert [stage.layer.in_channels for stage in network.stages] == [1, 8, 16]


def test_decoder_mirrors_the_channels_of_the_encoder():
    options = {"width": 8, "depth": 3}
    encoder, decoder = build((ConvEncoder, options)), build((ConvDecoder, options))

    down = [(stage.layer.in_channels, stage.layer.out_channels) for stage in encoder.stages]
    up = [(layer.in_channels, layer.out_channels) for layer in decoder.modules() if hasattr(layer, "output_padding")]
    ups = [pair for pair in up if pair in {(b, a) for a, b in down}]
    assert ups == [(b, a) for a, b in reversed(down)]


def test_residual_network_has_its_blocks_at_every_level_and_they_start_as_the_identity():
    network = build((ResNetEncoder, {"width": 8, "depth": 2, "blocks": 3}))
    h = inputs(network)

    assert len(network.stages) == 6
    for block in network.stages:
        assert torch.equal(block(h), block.enter(h))
        h = block(h)


@default
def test_output_starts_at_a_tenth(case):
    cls, options = case
    wide = {**options, "hidden": (400, 400)} if "hidden" in options else {**options, "width": 32}
    network = build((cls, wide), image=(3, 16, 16), code=(64,))

    assert 0.06 < network(inputs(network, 64)).std() < 0.14
