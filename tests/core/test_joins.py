"""Joins of a model with its parts: what fits, and whether labels are told."""

from __future__ import annotations

import pytest
import torch

from gen.errors import GenError, ShapeError
from gen.joins import cond_of, labels_told
from gen.types import CondSpec, DataSpec, Domain

LABELLED = DataSpec.single(Domain((2,)), CondSpec("class", 3))


def test_parts_are_wired_to_labels_where_the_model_asks_for_them() -> None:
    assert cond_of(LABELLED, True) == CondSpec("class", 3)
    assert cond_of(LABELLED, False) is None


@pytest.mark.parametrize("cond", [None, CondSpec("vector", 3)])
def test_labels_that_the_data_do_not_carry_are_refused_by_the_name_of_the_option(cond: CondSpec | None) -> None:
    with pytest.raises(ShapeError, match="labels: true tells networks the labels, but the data carry none: set labels"):
        cond_of(DataSpec.single(Domain((2,)), cond), True, "labels", kind="class")


def test_a_model_that_names_no_kind_serves_any_condition() -> None:
    vector = CondSpec("vector", 3)

    assert cond_of(DataSpec.single(Domain((2,)), vector), True) == vector


def test_a_model_without_labels_is_told_none_and_one_with_labels_needs_them() -> None:
    labels = torch.tensor([2, 0])

    assert labels_told(False, labels) is None
    assert labels_told(True, labels) is labels
    with pytest.raises(GenError, match="needs them: say which, one per sample"):
        labels_told(True, None)
