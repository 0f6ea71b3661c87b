"""The second sampler in the choices: who it is, what its maps are called, its lines of Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer.state import State

COMPARISONS = ("off", "blink", "swipe", "difference")
#: Maps of the second sampler, and the library's words for each.
RIVALS = {
    "sample_b": "beside.sample(beside.kept - 1)",
    "mean_b": "beside.mean",
    "std_b": "beside.std",
}
#: The same once `State.blur` blurs them.
BLURRED_RIVALS = {
    "sample_b": "soft.sample(beside, beside.kept - 1)",
    "mean_b": "soft.mean(beside)",
    "std_b": "soft.std(beside)",
}


def base(name: str) -> str:
    """The map of the first sampler that a map's name belongs to."""
    return name.removesuffix("_b") if name in RIVALS else name


def rival(state: State) -> str:
    """The sampler that draws beside the chosen one; empty for none."""
    return "" if state.beside == state.sampler else state.beside


def possible(state: State) -> tuple[str, ...]:
    """All maps that can be compared: what the page can show of this field and these samplers."""
    hidden = state.hidden()
    names = [name for name in state.param.pictures.objects if name not in hidden]
    return (*names, *(RIVALS if rival(state) else ()))


def raced(state: State) -> tuple[str, ...]:
    """The maps that the page shows of both samplers."""
    return tuple(name for name in RIVALS if base(name) in state.pictures)


def stream(state: State) -> str:
    """Lines of Python that draw the second sampler's samples."""
    if not rival(state):
        return ""
    method, _, checkpoint = rival(state).partition(":")
    extra = f", checkpoint={checkpoint!r}" if checkpoint else ""
    return (
        f"second = mg.sampler({method!r}, field{extra})\n"
        "for beside in mg.stream(second, field, n, batch, seed=seed, keep=n):\n"
        "    print(beside.n)\n"
    )


def recipes(state: State) -> str:
    """A line of Python for each of its maps."""
    names = raced(state) if rival(state) else ()
    words = BLURRED_RIVALS if state.blur else RIVALS
    return "".join(f'    "{name}": {words[name]},\n' for name in names)
