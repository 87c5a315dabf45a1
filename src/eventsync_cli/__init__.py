"""The command line: composes the core with its adapters."""
