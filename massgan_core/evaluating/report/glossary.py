"""Every word of a report that a newcomer may not know, each in one sentence."""

from __future__ import annotations

GLOSSARY: dict[str, str] = {
    "κ (convergence)": (
        "Projected mass along the line of sight, in units of the critical surface density; what a "
        "mass map shows."
    ),
    "Shear γ": (
        "The small stretch of galaxy images by the mass in front of them; the data are reduced "
        "shear, γ/(1 − κ), plus noise."
    ),
    "σ": (
        "Std of the noise of one shear component in a pixel, mostly from the galaxies' own shapes."
    ),
    "Mask, footprint": (
        "The mask is where there are galaxies; the footprint is the mask with single empty pixels "
        "filled, and is where everything here is measured."
    ),
    "Zero point": (
        "Shear does not know the mean of κ, so the mean over the footprint is taken from every "
        "sample and from the truth before anything is compared."
    ),
    "Posterior, sample": (
        "The posterior says how probable every map is, given the shear; a sample is one map drawn "
        "from it, as rough as the true one."
    ),
    "MEAN, STD": (
        "Mean and standard deviation of the samples, pixel by pixel: the map, and its error to "
        "expect."
    ),
    "Box": (
        "A cosmological simulation with its own initial conditions; only boxes are independent, "
        "so every error here comes from redrawing boxes, not maps."
    ),
    "Kaiser–Squires": (
        "The direct inversion of shear to κ, here smoothed by 1′: simple, noisy, and without an "
        "error of its own."
    ),
    "Wiener filter": (
        "The best linear map if κ were Gaussian with a known power spectrum; its samples are "
        "exact for such a sky, and the yardstick for all ratios."
    ),
    "Sparse": (
        "A map built from few bright structures of several sizes (starlets) on top of a Wiener "
        "map."
    ),
    "Pearson r": "Correlation of the map's pixels with the truth's: 1 is perfect, 0 is none.",
    "RMSE, PSNR": (
        "Root of the mean squared error of κ, and the same on a logarithmic scale, −20 log₁₀ RMSE "
        "[dB] for MAX = 1."
    ),
    "SSIM": "Structural similarity: how alike map and truth look in small windows, 1 at most.",
    "Over Wiener": (
        "The ratio of a score to the Wiener filter's on the same fields, so that what makes a "
        "field hard for both drops out."
    ),
    "Spread over skill": (
        "Predicted std of the samples over the error that their mean really has: 1 is right, "
        "below 1 is overconfident."
    ),
    "After 2′ and 4′ smoothing": (
        "The same for smoothed maps, because figures per pixel hide what is wrong on large scales."
    ),
    "Top 1 %": "The pixels where the map is highest: peaks, which are a method's hardest test.",
    "Coverage": (
        "The share of pixels whose true κ lies in the interval that should hold it with the given "
        "probability; N samples reach levels up to (N − 1)/(N + 1)."
    ),
    "Calibrated interval": (
        "An interval widened or narrowed on simulations that nothing else used, so that it holds "
        "the truth as often as it says over simulated skies like these."
    ),
    "Rank": (
        "How many samples of a pixel lie below the truth; every number must be equally frequent."
    ),
    "TARP": (
        "A test whether samples are right together: the distance of the truth from a reference "
        "map must have no special place among those of the samples; p is the probability of a "
        "worse deviation by chance."
    ),
    "Gain": (
        "How much better the mean of N samples is than one sample; for exact samples it is 10 "
        "log₁₀(2N/(N + 1)) dB."
    ),
    "Power, multipole ℓ": "How much κ varies on the angular scale 180°/ℓ: ℓ = 1000 is about 11′.",
    "Completeness, purity": (
        "The share of true peaks that the map finds, and the share of its peaks that are real, "
        "for peaks of at least a given S/N in a map smoothed by 1′."
    ),
    "χ² of the shear": (
        "Misfit of the shear that a map predicts to the observed one per datum; for samples over "
        "that of the true map, so that 1 is right."
    ),
    "B mode": (
        "What is left of the shear after it is turned by 45°: lensing makes none, so a map of it "
        "must be noise."
    ),
    "Leak": (
        "A method sees what it must not, such as the truth or shear outside the mask; every "
        "method is tested by changing these."
    ),
    "Stack": (
        "The mean of the map at all clusters above its mean elsewhere; S/N is its height over "
        "that of as many random places."
    ),
    "P(κ > 0)": "The share of samples that have more than mean mass at a cluster.",
    "GFLOP": (
        "Floating-point operations of one sample, in 10⁹; Fourier transforms are not counted."
    ),
}
