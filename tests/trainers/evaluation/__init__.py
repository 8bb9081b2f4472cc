"""Tests of the figures: metrics, statistics, pools, and how they are shown."""
