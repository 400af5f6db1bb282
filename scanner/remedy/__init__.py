"""Makes less of what was shared: minimised copies, quarantine, the release gate."""
