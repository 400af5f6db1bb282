"""The agent: watches shares for years, scans what arrives, tells what it finds."""
