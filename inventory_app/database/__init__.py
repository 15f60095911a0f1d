"""The database: how the embedded server is run, and how the application talks to it."""
