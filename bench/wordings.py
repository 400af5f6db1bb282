"""Words for made-up tables: headings of dates that are not of birth, names of things that people are called.

Written for this project from general knowledge of the languages; none is from a data set.
"""

from __future__ import annotations

#: Headings by what happened on the day; the languages of Europe, the Americas and India.
DATES: dict[str, tuple[str, ...]] = {
    "hired": (
        "hire date", "date hired", "hired on", "joining date", "date of joining", "doj",
        "start of employment",
        "appointment date", "eintrittsdatum", "einstellungsdatum", "beschäftigt seit", "date d embauche",
        "date entrée", "date de prise de fonction", "fecha de ingreso", "fecha contratación",
        "fecha de alta laboral",
        "data assunzione", "data di assunzione", "data de admissão", "data contratação", "datum in dienst",
        "indiensttreding", "anställningsdatum", "ansættelsesdato", "ansatt dato", "työsuhteen alku",
        "data zatrudnienia", "datum nástupu", "dátum nástupu", "belépés dátuma", "data angajării",
        "datum zaposlenja", "işe giriş tarihi", "niyukti tithi",
    ),
    "registered": (
        "registration date", "registered on", "date registered", "member since", "signup date", "enrolled",
        "enrollment date", "admission date", "customer since", "anmeldedatum", "registrierungsdatum",
        "mitglied seit",
        "kunde seit", "date d inscription", "date inscription", "client depuis", "fecha de registro",
        "fecha alta",
        "fecha de inscripción", "data iscrizione", "data registrazione", "data cadastro", "dt cadastro",
        "data de inscrição", "inschrijfdatum", "lid sinds", "registreringsdatum", "medlem sedan",
        "rekisteröity",
        "data rejestracji", "datum registrace", "regisztráció dátuma", "data înregistrării", "kayıt tarihi",
        "pravesh tithi",
    ),
    "expires": (
        "expiry date", "expiration date", "expires on", "valid until", "valid to", "due date", "end date",
        "gültig bis", "ablaufdatum", "date expiration", "date d expiration", "valable jusqu au",
        "fecha de vencimiento",
        "fecha caducidad", "válido hasta", "data scadenza", "valido fino al", "data de validade",
        "vencimento",
        "vervaldatum", "geldig tot", "giltig till", "utgångsdatum", "gyldig til", "voimassa asti",
        "data ważności",
        "platnost do", "érvényesség", "data expirării", "son geçerlilik tarihi",
    ),
    "released": (
        "release date", "released", "published", "publication date", "date published", "premiere",
        "launch date",
        "erscheinungsdatum", "veröffentlicht", "date de sortie", "date de parution", "fecha de publicación",
        "fecha de estreno", "data di uscita", "data pubblicazione", "data de lançamento", "data publicação",
        "publicatiedatum", "utgivningsdatum", "utgivelsesdato", "julkaistu", "data wydania", "datum vydání",
        "megjelenés", "data apariției", "yayın tarihi",
    ),
    "died": (
        "date of death", "death date", "died", "died on", "deceased date", "dod", "sterbedatum",
        "gestorben am",
        "todestag", "date de décès", "date décès", "décédé le", "fecha de fallecimiento", "fecha defunción",
        "data di morte", "data decesso", "data de óbito", "data falecimento", "overlijdensdatum",
        "dödsdatum",
        "dødsdato", "kuolinpäivä", "data zgonu", "datum úmrtí", "data decesului", "ölüm tarihi",
    ),
    "founded": (
        "founded", "date founded", "established", "date established", "incorporation date",
        "opening date", "built",
        "date built", "commissioned", "gründungsdatum", "gegründet", "baujahr", "eröffnet",
        "date de création",
        "date fondation", "fecha de constitución", "fecha fundación", "data costituzione",
        "anno di fondazione",
        "data de fundação", "data de abertura", "oprichtingsdatum", "bouwjaar", "grundad", "stiftet",
        "perustettu",
        "data założenia", "datum založení", "kuruluş tarihi",
    ),
}  # fmt: skip
#: How long ago such a day may be, in years.
DATE_YEARS = {"hired": 45, "registered": 25, "expires": 12, "released": 70, "died": 60, "founded": 120}

#: Headings of birth that the vocabulary's phrases are drawn beside.
BIRTHS = (
    "dob", "birth date", "date of birth", "birthdate", "birthday", "born", "born on", "birth dt", "d o b",
    "customer dob", "date birth", "year of birth", "birth year",
)  # fmt: skip

#: Languages, jobs and ordinary words that are names of people as well: whoever goes by names alone is misled.
LANGUAGES = (
    "English", "German", "French", "Dutch", "Spanish", "Welsh", "Irish", "Polish", "Swiss", "Frisian",
    "Roman",
    "Russian", "Czech", "Danish", "Hungarian", "Turkish", "Urdu", "Hindi", "Tamil", "Greek", "Norman",
    "Breton",
    "Catalan", "Portuguese", "Italian", "Swedish", "Finnish", "Latvian", "Persian", "Arabic", "Hebrew",
    "Basque",
    "Deutsch", "Français", "Español", "Italiano", "Nederlands", "Svenska", "Polski", "Português", "Suomi",
)  # fmt: skip
JOBS = (
    "Baker", "Cook", "Mason", "Carpenter", "Smith", "Butler", "Barber", "Taylor", "Miller", "Fisher",
    "Shepherd",
    "Gardener", "Porter", "Potter", "Cooper", "Painter", "Driver", "Clerk", "Weaver", "Sawyer", "Archer",
    "Fowler",
    "Banker", "Singer", "Hunter", "Ranger", "Judge", "Bishop", "Dean", "Major", "Page", "Marshall",
    "Steward",
    "Chef", "Nurse", "Pilot", "Tailor", "Teacher", "Waiter", "Welder", "Plumber", "Surgeon", "Actor",
    "Farmer",
    "Maurer", "Schneider", "Becker", "Schreiner", "Koch", "Boulanger", "Boucher", "Marchand", "Herrero",
    "Molinero",
)  # fmt: skip
WORDS = (
    "Amber", "Ash", "Bay", "Bell", "Berry", "Bishop", "Bloom", "Bond", "Brook", "Bush", "Castle", "Chase",
    "Church",
    "Clay", "Cliff", "Coral", "Cross", "Crystal", "Daisy", "Dale", "Dawn", "Day", "Dean", "Drew", "Earl",
    "Faith",
    "Field", "Flint", "Ford", "Forest", "Fox", "Frost", "Gale", "Glen", "Grace", "Grant", "Gray", "Green",
    "Hazel",
    "Heath", "Heather", "Hill", "Holly", "Hope", "Iris", "Ivy", "Jade", "Jasmine", "Jewel", "Joy", "King",
    "Lane",
    "Laurel", "Lily", "Lake", "March", "May", "Melody", "Mercy", "Olive", "Opal", "Pearl", "Penny",
    "Pike", "Poppy",
    "Price", "Ray", "Reed", "Rich", "River", "Robin", "Rose", "Ruby", "Rusty", "Sage", "Sandy", "Sky",
    "Stone",
    "Summer", "Sunny", "Temple", "Trinity", "Violet", "Wade", "Ward", "Waters", "West", "Wood", "Woods",
    "Young",
)  # fmt: skip
TITLES = (
    "Dr.", "Prof.", "Hon.", "Rev.", "Sen.", "Rep.", "Sir", "Capt.", "Mrs.", "Mr.", "Ms.", "Herr", "Frau",
    "Dipl.-Ing.",
    "Mme", "M.", "Me", "Sr.", "Sra.", "Srta.", "Don", "Doña", "Dott.", "Dott.ssa", "Ing.", "Avv.", "Sig.",
    "Sig.ra",
    "Shri", "Smt.", "Kum.", "Dhr.", "Mevr.", "Drs.", "Pan", "Pani", "Mgr.", "JUDr.", "MUDr.", "Bay",
    "Bayan", "Sn.",
)  # fmt: skip
PARTICLES = (
    "van der", "van den", "van", "de", "de la", "del", "dos", "da", "das", "do", "di", "von", "von der",
    "zu", "le",
    "la", "el", "al", "bin", "ibn", "ten", "ter", "af", "av", "dos Santos da", "y", "e", "vom", "zum",
    "d'", "della",
)  # fmt: skip
#: What is called like somebody: goods, breeds, brands of makers.
NAMESAKES = (
    "Jersey", "Boston", "Denim", "Duffel", "Bristol", "Victoria", "Charlotte", "Margherita", "Caesar",
    "Bologna",
    "Cardigan", "Wellington", "Mackintosh", "Sandwich", "Melba", "Montgomery", "Alexander", "Bramley",
    "Conference",
    "Elstar", "Jonagold", "Linda", "Annabelle", "Nicola", "Charlotte", "Marabel", "Desiree", "Lady",
    "Prince",
)  # fmt: skip

#: What stands beside the names of places in lists of them.
PLACE_HEADINGS = (
    "name", "nome", "nombre", "nom", "bezeichnung", "label", "naam", "namn", "navn", "nimi", "nazwa",
    "název", "denumire",
    "ad", "name long", "official name", "display name", "short name", "full name", "title", "place name",
    "nom complet",
)  # fmt: skip
