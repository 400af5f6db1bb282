"""Evidence and a policy to findings: pure functions."""
