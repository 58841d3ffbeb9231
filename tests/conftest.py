"""What holds for all tests."""


def pytest_configure() -> None:
    """No deadline per example: a busy machine is no failure."""
    from hypothesis import settings

    settings.register_profile("patient", deadline=None)
    settings.load_profile("patient")
