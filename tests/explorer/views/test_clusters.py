"""The section of clusters and peaks: made when wanted, rows and marks follow each other."""

from __future__ import annotations

import asyncio

from explorer import Explorer
from explorer.views.clusters import Clusters
from explorer.views.maps import Maps

PART = {"source": "cosmos", "region": (150.1, 2.25, 20.0, 20.0)}


def test_rows_circles_and_the_choice_follow_each_other() -> None:
    explorer = Explorer(**PART, sampler="wiener")
    maps = Maps(explorer.state)
    view = Clusters(explorer, maps)
    explorer.state.tables = True
    view.open()
    assert view.clusters is not None and view.fold.visible  # empty, there is no field yet
    asyncio.run(explorer.open())
    maps.show_field(explorer.store)
    view.show_circles()
    assert view.fold.visible and view.button.label == "Hide tables"
    circles, source = explorer.store.circles, view.clusters.source
    assert [f"COSMOS X-ray cluster {name}" for name in source.data["name"]] == list(circles.name)
    source.selected.indices = [1]
    assert explorer.state.cluster == str(circles.name[1])
    middle = (maps.sky.x_range.start + maps.sky.x_range.end) / 2
    assert abs(middle - circles.x[1]) < 1e-6
    explorer.state.cluster = str(circles.name[0])
    view.mark_cluster()
    assert source.selected.indices == [0]
    assert abs((maps.sky.x_range.start + maps.sky.x_range.end) / 2 - middle) < 1e-6
    explorer.close()
