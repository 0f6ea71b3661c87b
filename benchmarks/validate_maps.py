"""Compare κ maps of simulated boxes with theory and with κTNG, and show how they converge.

    python benchmarks/validate_maps.py BOX_FOLDER … [--maps 30] [--out DIR] [--ktng FITS]
    python benchmarks/validate_maps.py --converge WORK_FOLDER [--out DIR]

BOX_FOLDER holds the planes of one box (benchmarks/make_boxes.py makes them; `massgan simulate`
with `--planes DIR` leaves them in DIR). Maps are 600² of 0.29′; sources lie with equal weight on
κTNG's 40 source planes, as in the published table this is compared with. Spectra of maps and of
Gaussian skies of the theory, cut from fields twice as large, pass the same taper, mean removal
and bins. Errors are bootstraps over boxes. Prints a Markdown table, writes validation.json and
plots.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from massgan_core.simulate import PLANCK, Lognormal
from massgan_core.simulate.boxes import preset, run_box
from massgan_core.simulate.cores import Cores
from massgan_core.simulate.kappa_tng import planes as ktng_planes
from massgan_core.simulate.light_cone import LightCone
from massgan_core.simulate.sharpen import Sharpening
from massgan_core.simulate.slabs import Slabs
from massgan_core.sky import (
    Grid,
    PowerSpectrum,
    Sources,
    band_power,
    gaussian_field,
    generator,
    smooth,
)
from massgan_core.survey import cosmos_spectrum

GRID = Grid((600, 600), 0.29)
EDGES = np.array([300.0, 400, 800, 1600, 3000, 6000, 12000, 24000])
#: κTNG's power over HALOFIT in the bins of EDGES, REFERENCE: ten maps.
KTNG_POWER = [1.0, 0.64, 0.85, 0.86, 0.85, 0.78, 0.66]
#: Smoothing [arcmin] → κTNG's std, its error, skewness, its error.
KTNG_PDF = {
    0: (0.0182, 0.0008, 2.5, 0.2),
    1: (0.0103, 0.0007, 1.3, 0.25),
    3: (0.0065, 0.0009, 0.56, 0.14),
}
HEIGHTS = np.array([0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12])  #: of peaks at 1′ smoothing


def equal_planes() -> Sources:
    """Sources with equal weight on the 40 source planes of κTNG."""
    redshift, _ = ktng_planes()
    comb = np.concatenate([[z - 1e-3, z, z + 1e-3] for z in redshift])
    return Sources(comb, np.tile([0.0, 1.0, 0.0], len(redshift)))


def theory(sources: Sources) -> PowerSpectrum:
    """Limber's sum over thin slabs with HALOFIT: pyccl's own tracer needs a smooth n(z)."""
    slabs = Slabs(PLANCK, 10.0, 4.6)
    chi, weight = slabs.distance, slabs.weights(sources)
    ell = np.geomspace(10, 1e5, 80)
    power = np.zeros(80)
    for x, w, a in zip(chi, weight, slabs.scale_factor, strict=True):
        matter = PLANCK.ccl().nonlin_matter_power(ell / x * PLANCK.h, a) * PLANCK.h**3
        power += w**2 * matter / x**2 / slabs.thickness
    return PowerSpectrum(ell, power)


def tapered_power(kappa: torch.Tensor) -> np.ndarray:
    """Band power under a Hann taper after removal of the mean."""
    taper = torch.hann_window(kappa.shape[-1], periodic=False)
    taper = taper[:, None] * taper
    taper = taper / taper.square().mean().sqrt()
    kappa = kappa - kappa.mean((-2, -1), keepdim=True)
    return band_power(kappa * taper, GRID, EDGES)[1].numpy()


def theory_power(power: PowerSpectrum, n: int = 60) -> np.ndarray:
    """What the maps would have if they were Gaussian skies of the theory."""
    large = Grid((1200, 1200), GRID.pixel_scale)
    cuts = [gaussian_field(power, large, generator(i))[300:900, 300:900] for i in range(n)]
    return np.mean([tapered_power(c) for c in cuts], 0)


def measure(kappa: torch.Tensor) -> dict[str, np.ndarray]:
    """Spectrum, one-point statistics and peaks of one map."""
    pdf, peaks = [], None
    for width in KTNG_PDF:
        image = (smooth(kappa, GRID, float(width)) if width else kappa)[40:-40, 40:-40]
        image = (image - image.mean()).double()
        pdf += [image.std().item(), ((image / image.std()) ** 3).mean().item()]
        if width == 1:
            peaks = peak_counts(image)
    return {"power": tapered_power(kappa), "pdf": np.array(pdf), "peaks": peaks}


def peak_counts(image: torch.Tensor) -> np.ndarray:
    """Local maxima higher than HEIGHTS, per square degree."""
    top = torch.nn.functional.max_pool2d(image[None, None], 3, 1, 1)[0, 0]
    heights = image[(image == top)].numpy()
    area = image.numel() * (GRID.pixel_scale / 60) ** 2
    return np.array([(heights > h).sum() for h in HEIGHTS]) / area


def measure_boxes(folders: list[Path], maps: int, sources: Sources) -> dict[str, np.ndarray]:
    """Mean of every statistic per box [boxes, …]."""
    boxes = []
    for number, folder in enumerate(folders):
        cone = LightCone(folder, GRID, sources)
        found = [measure(cone(generator(number, i, 91))) for i in range(maps)]
        boxes.append({k: np.mean([f[k] for f in found], 0) for k in found[0]})
    return {k: np.stack([b[k] for b in boxes]) for k in boxes[0]}


def with_error(values: np.ndarray, repeats: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Mean over boxes and its bootstrap error."""
    rng = np.random.default_rng(1)
    picks = rng.integers(len(values), size=(repeats, len(values)))
    return values.mean(0), values[picks].mean(1).std(0)


def report(found: dict[str, np.ndarray], want: np.ndarray) -> dict:
    """All figures, with errors over boxes."""
    ratio, ratio_error = with_error(found["power"] / want)
    pdf, pdf_error = with_error(found["pdf"])
    peaks, peaks_error = with_error(found["peaks"])
    return {
        "boxes": len(found["pdf"]),
        "edges": EDGES.tolist(),
        "power_over_theory": [ratio.tolist(), ratio_error.tolist()],
        "std_and_skewness": [pdf.tolist(), pdf_error.tolist()],
        "peaks_above": HEIGHTS.tolist(),
        "peaks_per_square_degree": [peaks.tolist(), peaks_error.tolist()],
    }


def table(figures: dict, name: str) -> str:
    """The figures beside κTNG's, as Markdown."""
    lines = [f"| ℓ | {name} / theory | κTNG / theory |", "| --- | --- | --- |"]
    bins = zip(EDGES, EDGES[1:], *figures["power_over_theory"], KTNG_POWER, strict=False)
    lines += [f"| {a:,.0f}–{b:,.0f} | {r:.3f} ± {e:.3f} | {k} |" for a, b, r, e, k in bins]
    lines += ["", f"| smoothing | std, {name} | κTNG | skewness, {name} | κTNG |"]
    lines += ["| --- | --- | --- | --- | --- |"]
    values, errors = figures["std_and_skewness"]
    for i, (width, (std, ds, skew, dk)) in enumerate(KTNG_PDF.items()):
        (s, k), (es, ek) = values[2 * i : 2 * i + 2], errors[2 * i : 2 * i + 2]
        lines.append(
            f"| {width}′ | {s:.4f} ± {es:.4f} | {std} ± {ds} | {k:.2f} ± {ek:.2f} "
            f"| {skew} ± {dk} |"
        )
    return "\n".join(lines)


def converge(folder: Path) -> dict[str, dict]:
    """One box of the same initial waves, and one thing changed at a time."""
    base = preset("small", box=64.0, particles=96, mesh=192, depth=2.7, finest=0.1)
    cases = {
        "64 Mpc/h, 96³ particles, 192³ mesh": base,
        "mesh 144³": replace(base, mesh=144),
        "mesh 288³": replace(base, mesh=288),
        "particles 64³": replace(base, particles=64),
        "particles 128³, mesh 256³": replace(base, particles=128, mesh=256),
        "twice the steps": replace(base, parts=2),
        "no sharpening, no cores": replace(base, sharpening=Sharpening(), cores=Cores()),
        "sharpening, no cores": replace(base, cores=Cores()),
        "128 Mpc/h, 192³ particles, 384³ mesh": replace(base, box=128.0, particles=192, mesh=384),
    }
    sources = equal_planes()
    want, out = theory_power(theory(sources), 20), {}
    for name, case in cases.items():
        place = folder / f"case_{len(out)}"
        run_box(place, case, PLANCK, 1)
        out[name] = report(measure_boxes([place], 24, sources), want)
        row = [f"{x:.2f}" for x in out[name]["power_over_theory"][0]]
        row += [f"{x:.3g}" for x in out[name]["std_and_skewness"][0]]
        print(f"| {name} | {' | '.join(row)} |", flush=True)
    return out


def lognormal(n: int = 200) -> None:
    """Mean spectrum of lognormal maps of 1200² over its target, per bin of 300 < ℓ < 10,000."""
    grid = Grid((1200, 1200), GRID.pixel_scale)
    maker = Lognormal(grid, cosmos_spectrum())
    edges = np.geomspace(300, 10_000, 13)
    powers = [band_power(maker(generator(5, i)), grid, edges)[1].numpy() for i in range(n)]
    ell = grid.multipoles().flatten()
    target = cosmos_spectrum().on(grid).flatten()
    bins = zip(edges, edges[1:], strict=False)
    want = np.array([target[(ell >= a) & (ell < b)].mean() for a, b in bins])
    ratio = np.mean(powers, 0) / want
    print(f"{n} lognormal maps over target: {np.round(ratio, 4)}")
    print(f"largest deviation {abs(ratio - 1).max():.2%}")


def plot(out: Path, folders: list[Path], figures: dict, ktng: Path | None) -> None:
    """A map, the spectrum's ratio and the peaks."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(17, 5), layout="constrained")
    kappa = LightCone(folders[0], GRID, equal_planes())(generator(0, 0, 91))
    shown = axes[0].imshow(kappa, origin="lower", vmin=-0.03, vmax=0.1, cmap="magma")
    figure.colorbar(shown, ax=axes[0], label="κ")
    axes[0].set_title("one map, 2.9° on a side")
    centre = np.sqrt(EDGES[1:] * EDGES[:-1])
    axes[1].errorbar(centre, *figures["power_over_theory"], fmt="o-", label="particle mesh")
    axes[1].plot(centre, KTNG_POWER, "s--", label="κTNG, ten maps")
    axes[1].axhline(1, color="k", lw=0.5)
    axes[1].set(xscale="log", xlabel="ℓ", ylabel="power over HALOFIT", ylim=(0, 1.4))
    axes[1].legend()
    axes[2].errorbar(HEIGHTS, *figures["peaks_per_square_degree"], fmt="o-", label="particle mesh")
    if ktng is not None:
        axes[2].plot(HEIGHTS, ktng_peaks(ktng), "s--", label="κTNG, one map, COSMOS n(z)")
    axes[2].set(yscale="log", xlabel="height at 1′", ylabel="peaks above, per square degree")
    axes[2].legend()
    figure.savefig(out / "validation.png", dpi=70)


def ktng_peaks(path: Path) -> np.ndarray:
    """Peaks of one κTNG map on disk."""
    from astropy.io import fits

    kappa = torch.from_numpy(fits.getdata(path).astype(np.float32))
    grid = Grid(tuple(kappa.shape), 0.29297)
    image = smooth(kappa, grid, 1.0)[10:-10, 10:-10]
    return peak_counts(image - image.mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("boxes", nargs="*", type=Path)
    parser.add_argument("--maps", type=int, default=30)
    parser.add_argument("--name", default="standard")
    parser.add_argument("--out", type=Path, default=Path("validation"))
    parser.add_argument("--ktng", type=Path)
    parser.add_argument("--converge", type=Path)
    parser.add_argument("--lognormal", action="store_true", help="their spectrum, nothing else")
    given = parser.parse_args()
    if given.lognormal:
        lognormal()
        return
    given.out.mkdir(parents=True, exist_ok=True)
    if given.converge:
        given.converge.mkdir(parents=True, exist_ok=True)
        figures = converge(given.converge)
        (given.out / "convergence.json").write_text(json.dumps(figures, indent=1))
        return
    sources = equal_planes()
    found = measure_boxes(given.boxes, given.maps, sources)
    figures = report(found, theory_power(theory(sources)))
    (given.out / "validation.json").write_text(json.dumps(figures, indent=1))
    print(table(figures, given.name))
    print("peaks per square degree above", HEIGHTS, np.round(found["peaks"].mean(0), 2))
    plot(given.out, given.boxes, figures, given.ktng)


if __name__ == "__main__":
    main()
