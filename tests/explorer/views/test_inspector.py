"""The cluster inspector shows what the library says of a circle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import massgan_core as mg
from explorer.state import State
from explorer.store import Circles
from explorer.views.inspector import NONE, Inspector, sentence

CIRCLES = Circles(
    x=np.array([0.0, 3.0]),
    y=np.array([0.0, -2.0]),
    radius=np.array([1.5, 2.0]),
    name=np.array(["Faint", "Massive"]),
    redshift=np.array([0.2, 0.73]),
    mass=np.array([2.0, 15.0]),
)


@pytest.fixture
def found(small_field: Any) -> Any:
    *_, last = mg.stream(mg.sampler("wiener", small_field), small_field, 3, 2)
    field = last.field
    return mg.inspect_place(last.samples, field.grid, field.footprint, (0.0, 0.0), 1.5)


def test_clusters_of_the_field_are_offered_the_massive_first() -> None:
    inspector = Inspector(State(), lambda number: None)
    assert not inspector.layout.visible
    inspector.offer(CIRCLES)
    assert inspector.layout.visible
    assert list(inspector.choice.options.values()) == ["", "Massive", "Faint"]
    assert list(inspector.choice.options)[:2] == [NONE, "Massive (z 0.73, 15 × 10¹³ M☉)"]
    inspector.offer(None)
    assert not inspector.layout.visible


def test_choice_and_state_follow_each_other() -> None:
    inspector = Inspector(State(cluster="Faint"), lambda number: None)
    inspector.offer(CIRCLES)
    assert inspector.choice.value == "Faint"
    inspector.choice.value = "Massive"
    assert inspector.state.cluster == "Massive"
    inspector.choice.value = ""
    assert inspector.state.cluster == ""


def test_a_cluster_of_another_field_is_kept_for_later() -> None:
    inspector = Inspector(State(cluster="Elsewhere"), lambda number: None)
    inspector.offer(CIRCLES)
    assert inspector.choice.value == "" and inspector.state.cluster == "Elsewhere"


def test_the_histogram_is_the_librarys(found: Any) -> None:
    inspector = Inspector(State(), lambda number: None)
    inspector.show(found)
    edges, own, random = found.histogram()
    data = inspector.histogram.source.data
    np.testing.assert_array_equal(data["left"], edges[:-1])
    np.testing.assert_allclose(data["own"], own / own.max())
    np.testing.assert_allclose(data["random"], random / random.max())
    assert sentence(found) in inspector.words.object
    assert inspector.order == found.order
    inspector.show(None)
    assert not len(inspector.histogram.source.data["left"]) and inspector.order == []
    inspector.show("Why not.")
    assert "Why not." in inspector.words.object


def test_the_sentence_has_the_figures(found: Any) -> None:
    words = sentence(found)
    assert f"{abs(found.mean):.3f} ± {found.std:.3f} (3 samples)" in words
    assert f"{found.rank_of_mean:.0%} of random places" in words
    assert f"{found.found:.0%} of the samples" in words
