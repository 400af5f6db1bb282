"""How values appear: clear, masked, truncated, hashed, tokenized or encrypted, told from a sample."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection

from scanner.model import Form

# Digests by length in hex: MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512; base64 of 32 and 64 bytes;
# bcrypt and argon2 by their prefixes (modular crypt format).
HASHED = (
    r"^\s*(?:(?:0x)?(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128}|"
    r"[0-9A-F]{32}|[0-9A-F]{40}|[0-9A-F]{56}|[0-9A-F]{64}|[0-9A-F]{96}|[0-9A-F]{128})"
    r"|[A-Za-z0-9+/_-]{43}=|[A-Za-z0-9+/_-]{86}==|\$(?:2[aby]|argon2\w*|5|6|1|pbkdf2[^$]*)\$.{8,})\s*$"
)
MASKED = r"[*•●∙█]{2,}|(?:^|[ ._-])[xX#]{4,}|[xX#]{3,}[0-9]{2,4}$"
TOKENIZED = r"(?i)^\s*(?:tok|token|tkn|pseudo|psn|anon|hash)[_:-][A-Za-z0-9_=-]{6,}\s*$"
ENCRYPTED = r"^\s*(?:-----BEGIN PGP|gAAAAA[A-Za-z0-9_-]{40,}|vault:v\d+:|ENC\[|U2FsdGVkX1)"

#: A digest and nothing else, for single values.
DIGEST = re.compile(HASHED)
#: Runs of hex digits that are keys rather than digests: UUIDs, object ids, short commit ids.
IDENTIFIER_LIKE = re.compile(
    r"\{?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?|(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{7,24}"
)

PATTERNS: dict[Form, str] = {
    Form.HASHED: HASHED,
    Form.MASKED: MASKED,
    Form.TOKENIZED: TOKENIZED,
    Form.ENCRYPTED: ENCRYPTED,
}
_SHARE = 0.6
# Hex digits carry 4 bits; a column of real digests comes close, a column of padded numbers does not.
_MIN_BITS = 3.2


def form_of(values: Collection[str]) -> Form:
    """The form that most of the sampled distinct values have; clear where no other has."""
    if not values:
        return Form.CLEAR
    for form, pattern in PATTERNS.items():
        expression = re.compile(pattern)
        matching = [value for value in values if expression.search(value)]
        if len(matching) >= _SHARE * len(values) and (form is not Form.HASHED or _random(matching)):
            return form
    return Form.CLEAR


def _random(values: Collection[str]) -> bool:
    """Whether the digests' characters are as evenly spread as a digest's are."""
    counts = Counter("".join(value.strip().lower() for value in values))
    total = sum(counts.values())
    bits = -sum(count / total * math.log2(count / total) for count in counts.values())
    return bits >= _MIN_BITS
