"""Values to markup, and nothing else: no file is read here and nothing is decided."""
