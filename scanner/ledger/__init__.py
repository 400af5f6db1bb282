"""The append-only account of what was exposed to whom, from when until when. See ``docs/ledger.md``."""
