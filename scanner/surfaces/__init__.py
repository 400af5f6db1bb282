"""What people and machines touch: the only code that prints."""
