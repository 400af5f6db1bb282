"""Measurements of the installed command; see README.md."""
