"""The page: one file that needs no other, for newcomers and for specialists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from massgan_core.evaluating.report import charts_of_cosmos, charts_of_maps, charts_of_samples
from massgan_core.evaluating.report.columns import Table, best, shown
from massgan_core.evaluating.report.cosmos_tables import cluster_table, stack_table
from massgan_core.evaluating.report.glossary import GLOSSARY
from massgan_core.evaluating.report.markup import anchor, tag, text
from massgan_core.evaluating.report.palette import looks as looks_of
from massgan_core.evaluating.report.parts import (
    Looks,
    badge,
    captioned,
    cell,
    facts,
    fault_cards,
    figures,
    gallery,
    named,
    scrolled,
)
from massgan_core.evaluating.report.style import STYLE

FEW = 8  #: boxes; errors from fewer are rough

_SECTIONS = (
    ("The map", charts_of_maps.scores, "How near the map comes to the truth, scale by scale."),
    (
        *("Spread", charts_of_samples.calibration),
        "Whether the samples scatter as much as their mean is wrong: per pixel, at peaks, on "
        "large scales, and all together.",
    ),
    ("Samples", charts_of_samples.likeness, "Whether a single sample could be a true map."),
    ("Peaks", charts_of_maps.peaks, "Peaks in the map and in single samples, smoothed by 1′."),
)
#: Columns of the summary, and how they are headed.
_MAIN = {
    "r": "Pearson r",
    "r_over_wiener": "r over Wiener",
    "spread_skill": "spread over skill",
    "coverage_95": "95\u202f% hold",
}
_HOW_TO_READ = (
    "Every method saw the same noisy shear fields, whose true mass maps are known, and is held "
    "against these truths.",
    "A good map lies near the truth: high r, low RMSE. A good posterior also knows how wrong it "
    "is: spread over skill is 1, a 95 % interval holds the truth in 95 % of the pixels.",
    "A figure is called a fault where it lies outside its bounds by more than three of its own "
    "errors; exact samples have none.",
    "Errors come from redrawing whole simulation boxes. Bold is the best value, which need not be "
    "better than the next by more than chance.",
)


def to_html(found: Mapping[str, Any]) -> str:
    """The whole page.

    Args:
        found: Report of an evaluation.
    """
    names = [m for part in found["sets"].values() for m in part["methods"]]
    names += list((found.get("cosmos") or {}).get("methods") or {})
    looks = looks_of(names)
    title = f"How right are the mass maps of {_listed(list(looks))}?"
    parts = [_head(found, looks, title), *_sets(found, looks)]
    if found.get("cosmos"):
        parts.append(_cosmos(found["cosmos"], looks))
    words = (tag("div", tag("dt", text(k)), tag("dd", text(v))) for k, v in GLOSSARY.items())
    parts.append(_section("words", "Words", tag("dl", *words, class_="words")))
    parts.append(tag("footer", f"Made by massgan {text(found.get('version', ''))}."))
    head = (
        tag("meta", charset="utf-8")
        + tag("meta", name="viewport", content="width=device-width, initial-scale=1")
        + tag("title", text(title))
        + tag("style", STYLE)
    )
    body = _links(found) + tag("main", *parts)
    return f"<!DOCTYPE html>\n{tag('html', tag('head', head), tag('body', body), lang='en')}\n"


def _links(found: Mapping[str, Any]) -> str:
    places = {"summary": "Summary"}
    places |= {anchor(f"set-{name}"): _short(name) for name in found["sets"]}
    places |= {"cosmos": "COSMOS"} if found.get("cosmos") else {}
    places |= {"words": "Words"}
    links = (tag("a", text(words), href=f"#{at}") for at, words in places.items())
    return tag("nav", tag("div", *links, class_="top"), aria_label="Sections")


def _short(name: str) -> str:
    """The name of a set for a menu."""
    known = {"test": "Test fields", "ktng": "κTNG"}
    depth = name.removeprefix("depth-")
    return known.get(name, f"{depth} galaxies/arcmin²" if depth != name else name)


def _head(found: Mapping[str, Any], looks: Looks, title: str) -> str:
    sets, settings = found["sets"], found.get("settings") or {}
    about = {_short(name): _counted(part) for name, part in sets.items()}
    if found.get("cosmos"):
        about["COSMOS"] = f"the real field, with {found['cosmos']['clusters']} X-ray clusters"
    about["Settings"] = ", ".join(f"{name} {value}" for name, value in settings.items())
    about["Version"] = f"massgan {found.get('version', '')}"
    notes = "".join(tag("li", text(note)) for note in found.get("notes") or [])
    lead = (
        "The same fields for every method, and every fault in words. Terms are explained under "
        + tag("a", "Words", href="#words")
        + "."
    )
    return tag(
        "header",
        tag("h1", text(title)),
        tag("p", lead, class_="lead"),
        _summary(found, looks),
        tag("h3", "How to read this page"),
        tag("ul", *(tag("li", text(sentence)) for sentence in _HOW_TO_READ)),
        tag("h3", "What was measured"),
        facts(about),
        tag("h3", "Notes") + tag("ul", notes, class_="small") if notes else "",
        id="summary",
    )


def _counted(part: Mapping[str, Any]) -> str:
    return f"{part['title']}: {part['fields']} fields from {part['boxes']} boxes"


def _summary(found: Mapping[str, Any], looks: Looks) -> str:
    """Faults on all sets, and the first set in a few columns."""
    sets, stacks = found["sets"], (found.get("cosmos") or {}).get("methods") or {}
    if not sets:
        return ""
    first, part = next(iter(sets.items()))
    tables = part["methods"]
    some = [c for key in _MAIN for c in shown(tables) if c.key == key]
    won = [best(c, tables) for c in some]
    head = [f"faults, {_short(name)}" for name in sets] + [_MAIN[c.key] for c in some]
    head += ["COSMOS S/N"] if stacks else []
    body = []
    for method, table in tables.items():
        others = [one["methods"].get(method) for one in sets.values()]
        cells = [tag("td", text(table.get("title", "")), class_="left")]
        cells += [tag("td", badge(t) if t is not None else "–") for t in others]
        cells += [
            cell(*c.of(table), bold=method in names, short=True)
            for c, names in zip(some, won, strict=True)
        ]
        cells += [cell((stacks.get(method) or {}).get("snr"), places=2)] if stacks else []
        body.append(tag("tr", tag("th", named(method, looks), scope="row"), *cells))
    columns = tag("th", "method", scope="col") + tag(
        "th", "what it is", scope="col", class_="left"
    )
    columns += "".join(tag("th", text(words), scope="col") for words in head)
    caption = captioned(f"In short: {_counted(part)}.")
    whole = caption + tag("thead", tag("tr", columns)) + tag("tbody", *body)
    return scrolled(tag("table", whole, class_="short"), f"Summary of {_short(first)}")


def _sets(found: Mapping[str, Any], looks: Looks) -> list[str]:
    return [_set(name, part, looks) for name, part in found["sets"].items()]


def _set(name: str, part: Mapping[str, Any], looks: Looks) -> str:
    tables: Mapping[str, Table] = part["methods"]
    at = anchor(f"set-{name}")
    about = f"{_counted(part)}."
    if name == "ktng":
        about += " Errors are over noises, not over skies: there is one sky only."
    elif part["boxes"] < FEW:
        about += f" Errors from fewer than {FEW} boxes are rough."
    caption = "Errors are standard errors over boxes. Bold: the best value; grey: what is good."
    parts = [
        tag("p", text(about), class_="faint"),
        tag("h3", "Faults, in words"),
        fault_cards(tables, looks),
        tag("h3", "All figures"),
        figures(tables, looks, caption, f"All figures, {_short(name)}"),
    ]
    for heading, make, words in _SECTIONS:
        plots = gallery(make(tables, looks, at), looks)
        if plots:
            parts += [tag("h3", heading), tag("p", text(words), class_="faint"), plots]
    return _section(at, _short(name), *parts)


def _cosmos(page: Mapping[str, Any], looks: Looks) -> str:
    about = (
        f"The real shear of the COSMOS field has no known truth, but mass must be on its X-ray "
        f"clusters: {page['clusters']} of them lie well inside it. Every map was stacked on "
        f"these; posteriors have {page['samples']} samples."
    )
    plots = [*charts_of_cosmos.stacks(page, looks), charts_of_cosmos.clusters(page, looks)]
    return _section(
        "cosmos",
        "COSMOS",
        tag("p", text(about), class_="faint"),
        tag("h3", "Mass on the clusters, and none elsewhere"),
        stack_table(page, looks),
        gallery(plots, looks),
        tag("h3", "Cluster by cluster"),
        cluster_table(page, looks),
    )


def _section(at: str, heading: str, *inside: str) -> str:
    return tag("section", tag("h2", text(heading)), *inside, id=at)


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
