"""Trainers: the real ones, on tiny models."""
