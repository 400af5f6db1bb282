"""What every HTML page of ours begins with: its own style, and nothing from anywhere else."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from pathlib import Path

_STYLE = Path(__file__).with_name("page.css")


def head(title: str) -> str:
    """A page up to the end of its head; it may load nothing, and this very sheet alone may style it."""
    style = _STYLE.read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n"
    )
