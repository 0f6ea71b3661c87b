"""Parts of benchmarks/evaluate_checkpoint.py."""
