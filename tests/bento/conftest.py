"""The tiny export and Bento of the service's tests."""

from tests.service.conftest import bento, export, packaged

__all__ = ["bento", "export", "packaged"]
