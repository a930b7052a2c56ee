"""The web page: the gate in front, routes behind it, views that draw, and the static files."""
