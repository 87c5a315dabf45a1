"""Acts for the core: one folder per technology."""
