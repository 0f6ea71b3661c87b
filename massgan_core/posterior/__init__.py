"""One pass over posterior samples: running moments, summaries, the stream."""

from massgan_core.posterior.running import RunningMoments
from massgan_core.posterior.smoothed import SmoothedSamples
from massgan_core.posterior.stream import Sampler, endless, provenance, stream
from massgan_core.posterior.summary import Summary

__all__ = [
    "RunningMoments",
    "Sampler",
    "SmoothedSamples",
    "Summary",
    "endless",
    "provenance",
    "stream",
]
