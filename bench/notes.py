"""Notes as support and sales staff write them, generated: what free text in tables is like.

Most say nothing about anybody, many repeat, and now and then a person, a phone or an address stands in one.
Each note comes with the spans of what was put into it.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from faker import Faker

LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "pl_PL", "pt_BR")
#: Notes about nobody; ``{}`` is a number. Some of them capitalise what is no name.
PLAIN = (
    "Customer called about the delivery of order {}, will call back tomorrow morning.",
    "invoice {} paid in full, nothing open",
    "Asked for a discount on the Premium plan; sent the price list for Q{}.",
    "returned item, box damaged, refund issued on Monday",
    "left voicemail, no answer",
    "The app crashed after the update to version {}.4 on Android. Ticket escalated to second line.",
    "Wants delivery before Christmas. Standard shipping is fine, no signature needed.",
    "Kunde wünscht Rückruf nach 17 Uhr, Vertrag läuft noch {} Monate.",
    "Rechnung {} wurde storniert, Gutschrift folgt per Post.",
    "Lieferung beschädigt, Ersatz ist unterwegs und kommt am Freitag.",
    "Le client souhaite modifier sa commande {} avant l'expédition.",
    "Produit retourné pour remboursement, colis reçu en bon état.",
    "El cliente pregunta por el estado del pedido {}; se le envió el enlace de seguimiento.",
    "Problema resuelto después de reiniciar el router.",
    "Il cliente chiede una copia della fattura numero {}.",
    "Klient prosi o fakturę korygującą do zamówienia {}.",
    "Cliente pediu segunda via do boleto {} e confirmou o pagamento.",
    "Upgrade to Windows 11 done, Microsoft Office reinstalled, printer still offline.",
    "Credit limit raised to {}00 after review by Finance, see CRM.",
    "no issues found, closing",
)
#: Notes about somebody.
PERSONAL = (
    "Spoke to {name} about order {number}, all settled.",
    "Please call {name} on {phone} before noon.",
    "{name} moved to {street}, update the file.",
    "new e-mail {email}, old one bounces",
    "Herr {last} bittet um Rückruf unter {phone}.",
    "Mme {last} souhaite être rappelée au {phone}.",
    "Contact: {name}, {email}",
    "Met with {name} and {other} on site, contract to follow.",
    "La señora {last} confirma la cita del martes.",
    "customer {name} complained about the technician",
)


@dataclass(frozen=True, slots=True)
class Note:
    """A note and its spans: start, end, entity type."""

    text: str
    spans: tuple[tuple[int, int, str], ...] = ()


def generate(count: int, seed: int = 7, personal: float = 0.1, repeated: float = 0.5) -> Iterator[Note]:
    """``count`` notes, of which a share is about somebody and a share was written before."""
    rng = random.Random(seed)
    fakers = [Faker(locale) for locale in LOCALES]
    for position, faker in enumerate(fakers):
        faker.seed_instance(seed + position)
    seen: list[Note] = []
    for _ in range(count):
        if seen and rng.random() < repeated:
            yield rng.choice(seen)
            continue
        personal_one = rng.random() < personal
        note = _about_somebody(rng, rng.choice(fakers)) if personal_one else _plain(rng)
        seen.append(note)
        yield note


def _plain(rng: random.Random) -> Note:
    sentences = rng.sample(PLAIN, rng.choice((1, 1, 2)))
    return Note(" ".join(each.replace("{}", str(rng.randint(2, 99_999))) for each in sentences))


def _about_somebody(rng: random.Random, faker: Faker) -> Note:
    first, last = faker.first_name(), faker.last_name()
    values = {
        "name": (f"{first} {last}", "PERSON"),
        "last": (last, "PERSON"),
        "other": (f"{faker.first_name()} {faker.last_name()}", "PERSON"),
        "phone": (faker.phone_number(), "PHONE_NUMBER"),
        "street": (faker.street_address().replace("\n", ", "), "STREET_ADDRESS"),
        "email": (f"{first}.{last}".lower().replace(" ", "") + "@example.org", "EMAIL_ADDRESS"),
        "number": (str(rng.randint(10_000, 99_999)), ""),
    }
    text, spans = "", []
    for literal, _, rest in (part.partition("}") for part in ("}" + rng.choice(PERSONAL)).split("{")):
        value, kind = values.get(literal, ("", ""))
        if kind:
            spans.append((len(text), len(text) + len(value), kind))
        text += value + rest
    if rng.random() < 0.4:
        text += " " + _plain(rng).text
    return Note(text, tuple(spans))


def write(path: Path, count: int) -> Path:
    """A table of notes (``id``, ``created``, ``note``) as CSV."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["id", "created", "note"])
        for number, note in enumerate(generate(count), 1):
            rows.writerow([number, f"2025-{number % 12 + 1:02}-{number % 28 + 1:02}", note.text])
    return path
