"""SQL dumps: one tokenizer, one module a dialect."""
