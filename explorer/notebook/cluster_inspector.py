"""Is there mass at this X-ray cluster: ``ClusterInspector(summary, cluster="20068")``."""

from __future__ import annotations

from functools import partial
from typing import Any

import param

from explorer import store as library
from explorer.notebook.sample_player import kept
from explorer.notebook.stills import Stills
from massgan_core.peaks import Inspection
from massgan_core.posterior import Summary


class ClusterInspector(Stills):
    """One cluster: what the samples put there, and the samples themselves.

    ``.cluster`` is the one chosen, by hand or by a click on its circle, and can be set;
    ``.found`` is the library's answer.

    Args:
        summary: Samples of a field with X-ray clusters in it, of which some are kept.
        cluster: Name of one of them; empty for none yet.
        choices: Any parameter of :class:`explorer.state.State`.

    Raises:
        TypeError: `summary` is something else.
        ValueError: No sample is kept, or the field has no such cluster.
    """

    cluster = param.String(default="", doc="Name of the cluster that is looked into.")
    found = param.ClassSelector(
        class_=(Inspection, str), doc="What the samples say, or a sentence on why they cannot."
    )

    def __init__(self, summary: Summary, cluster: str = "", **choices: Any) -> None:
        kept(summary)
        circles = library.circles(summary.field)
        if circles is None:
            raise ValueError("`summary` must be of a real field with X-ray clusters in it")
        if cluster and cluster not in circles.name:
            known = ", ".join(circles.name)
            raise ValueError(f"unknown cluster {cluster!r}; in this field: {known}")
        super().__init__(summary, ["sample", "mean"], {**choices, "cluster": cluster})
        self.cluster = cluster
        if cluster:
            self._show(cluster, self._ask(cluster))
        self.layout.append(self._grid("cluster", "sample", "mean"))
        self.param.watch(self._on_cluster, "cluster")
        self.param.watch(self._on_clicked, "selected")
        self._follow(self._look, "cluster")

    def _ask(self, cluster: str) -> Inspection | str:
        return library.inspection(self.summary, self.store.circles, cluster)

    def _on_cluster(self, event: param.parameterized.Event) -> None:
        self.state.cluster = event.new

    def _on_clicked(self, event: param.parameterized.Event) -> None:
        # A click on the sky itself clears the mark; the choice stays until another is made.
        if event.new:
            self.state.cluster = event.new

    def _look(self) -> None:
        name = self.cluster = self.state.cluster
        self.maps.show_cluster()
        self.found = None
        self.maps.show_inspection(None)
        if name:
            self._later(partial(self._ask, name), partial(self._show, name))

    def _show(self, name: str, found: Inspection | str) -> None:
        if name == self.state.cluster:
            self.found = found
            self.maps.show_inspection(found)
