"""What every test may ask for: a database of its own, people by name, the trail, the log."""

pytest_plugins = [
    "tests.fixtures.database",
    "tests.fixtures.people",
    "tests.fixtures.mail",
    "tests.fixtures.seeing",
    "tests.fixtures.server",
    "tests.fixtures.browser",
]
