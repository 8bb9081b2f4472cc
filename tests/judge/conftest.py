"""The judge asks through the pool that serves every errand, and so do its tests."""

from tests.claude.conftest import _no_credentials, serve, warehouse

__all__ = ["_no_credentials", "serve", "warehouse"]
