"""Parts to evidence. The only place that knows Presidio and spaCy."""
