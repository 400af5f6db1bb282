"""The daemon: watches shares, scans what is new, records it and tells it."""
