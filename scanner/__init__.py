"""sharewatch: finds personal data in what is shared with vendors and holds it against a policy."""

__version__ = "0.1.0"
