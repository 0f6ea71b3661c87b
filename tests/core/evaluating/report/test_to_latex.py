"""Tables that LaTeX can read, whatever methods are called."""

import re

import pytest

from massgan_core.evaluating.report.to_latex import escaped, to_latex


def body(found, group):
    """Rows of the table whose caption begins so, by method."""
    text = to_latex(found)
    table = next(t for t in text.split(r"\begin{table}") if rf"\caption{{{group}" in t)
    lines = table.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    return {line.split(" & ")[0]: line.removesuffix(r" \\").split(" & ")[1:] for line in lines}


def test_everything_opened_is_closed(found):
    text = to_latex(found)
    for name in ("table", "tabular"):
        count = text.count(rf"\begin{{{name}}}")
        assert count == text.count(rf"\end{{{name}}}") == 8
    plain = re.sub(r"\\[{}$%&_]", "", text)
    assert plain.count("{") == plain.count("}")
    assert plain.count("$") % 2 == 0
    assert len(set(re.findall(r"\\label\{.*?\}", text))) == 8


def test_rows_are_as_long_as_the_head(found):
    for table in to_latex(found).split(r"\begin{tabular}")[1:]:
        columns = len(re.match(r"\{(l[lr]*)\}", table)[1])
        for line in table.splitlines():
            if line.endswith(r"\\"):
                assert len(re.split(r"(?<!\\)&", line)) == columns


def test_names_are_escaped(found):
    text = to_latex(found)
    assert r"my\_gan" in text
    assert not re.search(r"(?<!\\)my_gan", text)


@pytest.mark.parametrize("c", "&%$#_{}\\~^")
def test_no_special_letter_stays_alone(c):
    said = escaped(f"a{c}b")
    assert said.startswith("a\\")
    assert said.endswith("b")
    assert len(said) > 3


def test_letters_that_latex_may_not_know_become_commands():
    assert escaped("1′ of κ, naïve") == r"1$'$ of $\kappa$, naïve"
    assert escaped("汉 ﬁ").isascii()


def test_the_best_is_bold_and_alone(found):
    rows = body(found, "Map against truth")
    assert rows[r"my\_gan"][0] == r"$\mathbf{0.650 \pm 0.012}$"
    assert rows["ks"][0] == r"$0.500 \pm 0.012$"
    assert rows["wiener"][1] == "--"


def test_methods_without_any_figure_of_a_group_are_left_out(found):
    assert list(body(found, "Spread over skill")) == ["wiener", r"my\_gan"]
