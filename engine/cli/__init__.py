"""The `hepatocast` command: one module per command; each parses, calls, prints."""
