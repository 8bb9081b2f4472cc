"""Trains models from published releases, and says how good they are; the only package that may import torch."""
