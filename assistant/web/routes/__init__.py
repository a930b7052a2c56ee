"""The addresses. Each module adds its own with `add(app, site)`."""
