"""Bytes to parts: what an item's bytes hold, as chunks of tables and texts, children and gaps."""
