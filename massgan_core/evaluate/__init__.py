"""How right a map is: scores against the truth."""

from massgan_core.evaluate.metrics import pearson, psnr, rmse, spread_skill

__all__ = ["pearson", "psnr", "rmse", "spread_skill"]
