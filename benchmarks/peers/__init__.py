"""Servers to measure ours against. Each prints where it listens when it is ready."""
