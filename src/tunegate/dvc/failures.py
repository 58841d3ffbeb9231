"""What goes wrong with DVC and its remotes: DVC's own errors, and those of the libraries that speak to a remote.

DVC hands on what the library for S3, SSH or WebDAV raises, and none of these is an OSError. A library that was not
loaded has raised nothing.
"""

import sys

OF_LIBRARIES = {
    "botocore.exceptions": ("BotoCoreError", "ClientError"),
    "aiohttp": ("ClientError",),
    "asyncssh": ("Error",),
    "webdav4.client": ("ClientError", "HTTPError"),
    "httpx": ("HTTPError",),
}


def remote_failures() -> tuple[type[Exception], ...]:
    """For an `except` clause."""
    from dvc.exceptions import DvcException

    known = [
        getattr(sys.modules[module], name)
        for module, names in OF_LIBRARIES.items()
        if module in sys.modules
        for name in names
    ]
    return (DvcException, OSError, *known)
