"""What the pages show and what their buttons do: parse, call one operation, answer."""
