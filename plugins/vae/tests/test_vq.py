"""Quantizers and the autoencoder around them."""

import math

import pytest
import torch

from gen.errors import GenError, ShapeError
from gen.types import Batch, CondSpec, DataSpec, Domain, Progress
from gen_sdk.checks.building import copy_is_independent, meta_build_has_the_same_shapes
from gen_sdk.checks.gradients import gradients_reach_every_parameter
from gen_sdk.checks.saving import safetensors_round_trip
from gen_vae.quantizers.codebook import Codebook
from gen_vae.quantizers.fsq import FSQ
from gen_vae.vq import VQ

IMAGES = DataSpec.single(Domain((1, 4, 4)), CondSpec("class", 3))
X = torch.linspace(-1, 1, 80).view(5, 1, 4, 4)
LABELS = torch.tensor([0, 1, 2, 0, 1])
PROGRESS = Progress(0, 1)
QUANTIZERS = {
    "codebook": lambda shape: Codebook(codes=7, shape=shape),
    "fsq": lambda shape: FSQ(levels=(4, 3), shape=shape),
}


@pytest.fixture(params=QUANTIZERS)
def make(request, parts):
    torch.manual_seed(0)

    def made(data=IMAGES, **options):
        wired = VQ.wire(data, **{"latent": 2, "factor": 2, "conditional": False, **options})
        quantizer = QUANTIZERS[request.param](wired["quantizer"].in_shape)
        nets = {"encoder": parts.encoder(wired["encoder"]), "decoder": parts.decoder(wired["decoder"])}
        return VQ(
            data=data, quantizer=quantizer, distance=parts.squares, **nets, **{"latent": 2, "factor": 2, **options}
        )

    return made


def loss(model):
    torch.manual_seed(1)
    return model.loss(Batch(X, LABELS, torch.arange(5)), PROGRESS).total


def filled(vectors, **options):
    """A codebook with these vectors."""
    book = Codebook(codes=len(vectors), shape=(vectors.shape[1],), **options)
    book.vectors.copy_(vectors)
    return book


def test_codebook_chooses_the_nearest_vector():
    book, z = filled(torch.randn(9, 3)), torch.randn(50, 3)

    assert torch.equal(book(z).tokens, torch.cdist(z, book.vectors).argmin(1))
    torch.testing.assert_close(book(z).z, book.vectors[book(z).tokens])
    torch.testing.assert_close(book(z).penalty, 0.25 * torch.cdist(z, book.vectors).min(1).values.square())


def test_gradients_pass_straight_through():
    for quantizer in (filled(torch.randn(9, 2), commitment=0.0), FSQ(levels=(5, 5), shape=(2,))):
        z = (0.01 * torch.randn(6, 2)).requires_grad_()
        pull = torch.randn(6, 2)
        (gradient,) = torch.autograd.grad((quantizer(z).z * pull).sum(), z)

        torch.testing.assert_close(gradient, pull, rtol=1e-2, atol=1e-3)  # tanh is flat to 1e-2 here


def test_first_step_takes_vectors_of_the_batch():
    book, z = Codebook(codes=8, shape=(2,)), torch.randn(40, 2)
    book(z)
    book.after_step()

    assert torch.cdist(book.vectors, z).min(1).values.max() < 1e-2
    assert len(torch.cdist(book.vectors, z).argmin(1).unique()) == 8


def test_vectors_become_the_means_of_what_chose_them():
    torch.manual_seed(0)
    centres = torch.tensor([[-3.0, 0.0], [3.0, 1.0], [0.0, -4.0]])
    book = Codebook(codes=3, shape=(2,), decay=0.8)
    for _ in range(40):
        book(centres[torch.randint(3, (300,))] + 0.3 * torch.randn(300, 2))
        book.after_step()

    assert torch.cdist(centres, book.vectors).min(1).values.max() < 0.1
    torch.testing.assert_close(book.counts.sum(), torch.tensor(300.0), rtol=1e-3, atol=0)


def test_a_moving_average_has_its_decay():
    book = filled(torch.tensor([[-1.0], [1.0]]), decay=0.75, dead=0.0)
    book.counts.fill_(4)
    book.sums.copy_(4 * book.vectors)
    book(torch.tensor([[-2.0], [-2.0], [-2.0], [1.0]]))
    book.after_step()

    torch.testing.assert_close(book.counts, torch.tensor([3.75, 3.25]))
    torch.testing.assert_close(book.vectors[:, 0], torch.tensor([(-3.0 - 1.5) / 3.75, 1.0]))


def test_a_dead_code_takes_the_place_of_a_vector_of_the_batch():
    book = filled(torch.tensor([[0.0, 0.0], [50.0, 50.0]]), decay=0.5, dead=0.1)
    book.counts.copy_(torch.tensor([10.0, 0.1]))
    book.sums.copy_(book.vectors * book.counts.unsqueeze(1))
    z = torch.randn(10, 2)
    book(z)
    book.after_step()

    assert torch.cdist(book.vectors[1:], z).min() < 1e-2


def test_a_codebook_follows_an_encoder_that_moves_away():
    torch.manual_seed(0)
    book, used = Codebook(codes=16, shape=(2,)), 0
    for step in range(150):
        used = len(book(min(10, 1 + step / 5) * torch.randn(200, 2)).tokens.unique())
        book.after_step()

    assert used >= 14


def test_codes_are_left_in_peace_without_training():
    book = filled(torch.randn(4, 2)).eval()
    before = book.vectors.clone()
    book(torch.randn(9, 2))
    book.after_step()

    assert torch.equal(book.vectors, before)


def test_pieces_of_a_batch_teach_what_the_whole_does():
    z, whole = torch.randn(32, 2), filled(torch.randn(4, 2))
    pieces = filled(whole.vectors.clone())
    for book in (whole, pieces):
        book.counts.fill_(8)
        book.sums.copy_(8 * book.vectors)
    whole(z)
    for piece in z.chunk(4):
        pieces(piece)
    for book in (whole, pieces):
        book.after_step()

    torch.testing.assert_close(whole.vectors, pieces.vectors)


@pytest.mark.parametrize("levels", [(4, 3), (8, 5, 5, 5), (2, 7)])
def test_every_token_of_fsq_is_its_own_code(levels):
    fsq = FSQ(levels=levels, shape=(len(levels),))
    tokens = torch.arange(math.prod(levels))
    vectors = fsq.lookup(tokens)
    digits = (vectors * (fsq.counts // 2)).clamp(-1e3, 1e3)
    half = (fsq.counts - 1) * (1 + 1e-3) / 2
    offset = 0.5 * (1 - fsq.counts % 2)
    z = ((digits + offset) / half).atanh() - (offset / half).atanh()  # what is squeezed into that level

    assert fsq.values == len(vectors.unique(dim=0)) == len(tokens)
    assert vectors.abs().max() <= 1
    assert torch.equal(fsq(z).tokens, tokens)
    torch.testing.assert_close(fsq(z).z, vectors)


def test_fsq_reaches_its_ends_and_no_further():
    fsq = FSQ(levels=(4, 3), shape=(2,))

    assert fsq(torch.full((1, 2), 50.0)).tokens.item() == fsq.values - 1
    assert fsq(torch.full((1, 2), -50.0)).tokens.item() == 0


def test_fsq_of_another_size_is_refused():
    with pytest.raises(ShapeError, match="set latent: 4, or state 16 levels"):
        FSQ(shape=(16, 2, 2))


def test_tokens_form_a_map_and_stand_for_what_is_reconstructed(make):
    model = make()
    tokens = model.encode(X)

    assert tokens.shape == (5, 2, 2)
    assert tokens.dtype == torch.int64
    assert 0 <= tokens.min() <= tokens.max() < model.quantizer.values
    torch.testing.assert_close(model.decode(tokens), model.reconstruct(X))
    quantized = model.quantizer(model.encoder(X))
    torch.testing.assert_close(model.quantizer.lookup(tokens), quantized.z)
    assert VQ.capabilities() == ("encode", "decode", "reconstruct")


def test_loss_is_distance_and_penalty(make):
    model = make(conditional=True)
    losses = model.loss(Batch(X, LABELS, torch.arange(5)), PROGRESS)
    wanted = 0.5 * (model.reconstruct(X, LABELS) - X).square().sum() / 5

    torch.testing.assert_close(losses.terms["distance"], wanted)
    torch.testing.assert_close(losses.total, losses.terms["distance"] + losses.terms["penalty"])
    assert 1 <= losses.terms["perplexity"] <= model.quantizer.values


def test_it_passes_the_checks(make):
    gradients_reach_every_parameter(make(), loss)
    meta_build_has_the_same_shapes(make)
    copy_is_independent(make(), loss)
    safetensors_round_trip(make, loss)


def test_after_a_step_of_the_model_the_codebook_has_learned(make):
    model = make()
    loss(model)
    model.after_step("model", PROGRESS)
    if isinstance(model.quantizer, Codebook):
        assert model.quantizer.counts.all()


def test_real_codes_and_sides_that_do_not_divide_are_refused(make):
    with pytest.raises(GenError, match="vae/vq decodes tokens"):
        make().decode(torch.zeros(1, 2, 2))
    with pytest.raises(ShapeError, match="factor 3 divides the sides"):
        make(factor=3)


def test_a_vector_has_one_token(make):
    model = make(DataSpec.single(Domain((6,), "vector")))

    assert model.encode(torch.randn(3, 6)).shape == (3,)
    assert model.reconstruct(torch.randn(3, 6)).shape == (3, 6)
