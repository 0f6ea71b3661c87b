"""Every method on the same fields, the same scores, their faults in words, one report."""

from massgan_core.evaluating.run import evaluate

__all__ = ["evaluate"]
