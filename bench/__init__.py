"""Benchmarks: the whole application under load over its real websocket, beside the floors of the same run."""
