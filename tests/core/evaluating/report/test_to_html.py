"""The page holds all that it needs, and all that was measured."""

import csv
import re
from copy import deepcopy
from html import unescape
from html.parser import HTMLParser
from io import StringIO

import pytest

from massgan_core.evaluating.report.columns import COLUMNS
from massgan_core.evaluating.report.glossary import GLOSSARY
from massgan_core.evaluating.report.to_csv import to_csv
from massgan_core.evaluating.report.to_html import to_html

VOID = {"meta", "br"}
EMPTY_SVG = ("path", "use", "rect", "line")


class Reader(HTMLParser):
    """Elements in order, with what is open around them."""

    def __init__(self):
        super().__init__()
        self.open, self.found, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def flat(page):
    """Its text in one line."""
    return " ".join("".join(read(page).text).split())


def test_nothing_is_loaded_from_elsewhere(page):
    for tag, attrs in read(page).found:
        assert tag not in ("script", "link", "img", "iframe", "image")
        for name in ("src", "href"):
            assert attrs.get(name, "#").startswith("#")
    for word in ("url(http", "@import", "http://", "https://"):
        assert word not in page


def test_links_lead_somewhere_and_names_are_unique(page):
    found = read(page).found
    ids = [attrs["id"] for _, attrs in found if "id" in attrs]
    # Two drawings may hold the same marker under the same name; those of the page are its own.
    own = [name for name in ids if not re.fullmatch(r"[mpCD][0-9a-f_]{8,}.*", name)]
    assert len(set(own)) == len(own) > 20
    for tag, attrs in found:
        if tag in ("a", "use"):
            assert attrs["href"][1:] in ids


def test_every_value_of_the_table_is_there(page, found):
    titles = [
        attrs["title"] for tag, attrs in read(page).found if tag == "td" and "title" in attrs
    ]
    seen = 0
    for row in csv.DictReader(StringIO(to_csv(found))):
        for column in COLUMNS:
            value, error = row[column.key], row.get(f"{column.key}_error")
            if value:
                assert (f"{value} ± {error}" if error else value) in titles
                seen += 1
    assert seen > 60


def test_faults_are_there_in_words(page, found):
    text = flat(page)
    for table in found["sets"]["test"]["methods"].values():
        for fault in table["faults"]:
            assert fault["words"] in text
    assert "σ is larger than in training" in text
    assert text.count("It has no samples") == 1
    assert "Not measured: samples of depth." in text


def test_the_best_is_bold(page):
    best = re.search(r'<tr><th scope="row">Pearson r.*?</tr>', page)[0]
    assert len(re.findall("<td", best)) == 3
    assert re.findall(r'<td title="([^"]*)" class="best">', best) == ["0.65 ± 0.012"]


def test_plots_have_words_for_those_who_do_not_see_them(page):
    found = read(page).found
    drawings = [attrs for tag, attrs in found if tag == "svg"]
    assert len(drawings) == page.count("<figure") == 24
    assert all(d["role"] == "img" and len(d["aria-label"]) > 20 for d in drawings)
    assert page.count("<figcaption>") == 24
    assert any("my_gan: 0.650 ± 0.012" in d["aria-label"] for d in drawings)


def test_terms_settings_and_notes_are_there(page, found):
    text = flat(page)
    for word, meaning in GLOSSARY.items():
        assert word in text
        assert " ".join(meaning.split()) in text
    assert "samples 15, seed 0" in text
    assert "massgan 1.2.3" in text
    assert found["notes"][0] in text


def test_what_others_wrote_is_escaped(page):
    assert "<new>" not in page
    assert "gan <new> & 100 %" in unescape(page)


def test_clusters_are_sorted_by_significance(page):
    table = page[page.index("Cluster by cluster") :]
    assert re.findall(r'<th scope="row">(\d)</th>', table) == ["7", "4", "9"]
    assert "κ smoothed by 1′ at every X-ray cluster," in table


def nothing(value):
    """The same with None for every number."""
    if isinstance(value, dict):
        return {k: nothing(v) for k, v in value.items()}
    if isinstance(value, list):
        return [nothing(v) for v in value]
    return None if isinstance(value, float) else value


def test_none_everywhere_still_renders(found):
    page = to_html(nothing(found))
    read(page)
    assert "<figure" not in page
    assert "nan" not in flat(page).lower().split()


@pytest.mark.parametrize("part", range(3))
def test_figures_that_are_missing_still_render(found, part):
    for name, table in found["sets"]["test"]["methods"].items():
        keep = {k: v for i, (k, v) in enumerate(table.items()) if (i + len(name)) % 3 != part}
        found["sets"]["test"]["methods"][name] = keep
    for method, row in found["cosmos"]["methods"].items():
        keep = {k: v for i, (k, v) in enumerate(row.items()) if i % 3 != part}
        found["cosmos"]["methods"][method] = keep
    page = to_html(found)
    read(page)
    assert "<figure" in page


def test_the_least_report_renders(found):
    least = deepcopy(found)
    del least["cosmos"], least["notes"], least["settings"]
    least["sets"]["test"]["methods"] = {"ks": least["sets"]["test"]["methods"]["ks"]}
    page = to_html(least)
    assert "COSMOS" not in flat(page)
    assert "Notes" not in page
