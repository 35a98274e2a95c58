"""The demo store's customers: obviously made-up people at example.com."""

import numpy as np
from sqlalchemy import Connection

from lib.db.bulk import batches, bulk_insert
from lib.db.tables.customers import addresses, consents, customer_identities, customers
from lib.demo import behaviour as b
from lib.demo.columns import FIRST_NUMBER, NEVER, Column, objects
from lib.demo.sales import Sales

_FIRST = {
    "de": "Anna Ben Clara David Emma Felix Greta Hannes Ida Jonas Karla Leon Mia Nils Ottilie Paul Rieke Simon Tilda "
    "Vincent Wiebke Yusuf Zoe Lena Moritz Frieda Jakob Marie Lukas Johanna Theo Nora Emil Katharina Matteo Lotte "
    "Friedrich Selin Aylin Piotr Agnieszka Julia Sebastian Miriam Tobias Ulrike Volker Sabine Holger Petra",
    "fr": "Camille Hugo Léa Louis Manon Jules Chloé Arthur Inès Gabriel Zoé Nathan Sarah Lucas Élise Maxime Margaux "
    "Antoine Juliette Paul Amélie Thomas Océane Mathis Hélène",
    "nl": "Daan Sanne Bram Fleur Lars Lotte Thijs Eva Sem Noor Jesse Iris Ruben Anouk Stijn Femke Koen Maud Jasper "
    "Roos Pieter Marieke Freek Esther Mette Søren Freja Astrid Giulia Marco Chiara Luca",
}
_LAST = {
    "de": "Ahlers Becker Brandt Busch Carstens Dietrich Ebert Fischer Frank Graf Hansen Hartmann Herzog Hinrichs "
    "Jansen Kaiser Keller Köhler Krause Krüger Lange Lehmann Lorenz Maurer Meier Möller Neumann Otto Petersen Pohl "
    "Richter Sauer Schäfer Schmitt Schreiber Schulte Seidel Sommer Stein Thiel Vogel Voss Wagner Weber Winter Wolff "
    "Yildiz Zimmermann Nowak Kowalski Demir Huber Gruber Steiner Moser Egger Brunner Ammann Frei Zürcher",
    "fr": "Bernard Blanc Caron Dubois Fontaine Garnier Girard Lambert Laurent Lefèvre Legrand Marchand Mercier Moreau "
    "Noël Perrin Renard Rousseau Roux Simon Vidal Leclerc Martin",
    "nl": "Bakker Boer Dekker Dijkstra Hendriks Jacobs Kok Kuiper Mulder Peters Smit Visser Vos Willems Maes Claes "
    "Peeters Nielsen Madsen Holm Rossi Ferrari Conti Greco",
}
_SPOKEN = ("de", "de", "de", "nl", "fr", "nl", "nl", "nl")
_LANGUAGE = ("de", "de", "de", "en", "en", "en", "en", "en")
# city, region, start of the postal code
CITIES: tuple[tuple[tuple[str, str, str], ...], ...] = (
    (
        ("Hamburg", "Hamburg", "20"),
        ("Berlin", "Berlin", "10"),
        ("München", "Bayern", "80"),
        ("Köln", "Nordrhein-Westfalen", "50"),
        ("Leipzig", "Sachsen", "04"),
        ("Bremen", "Bremen", "28"),
        ("Frankfurt am Main", "Hessen", "60"),
        ("Stuttgart", "Baden-Württemberg", "70"),
        ("Hannover", "Niedersachsen", "30"),
        ("Kiel", "Schleswig-Holstein", "24"),
        ("Rostock", "Mecklenburg-Vorpommern", "18"),
        ("Freiburg", "Baden-Württemberg", "79"),
    ),
    (
        ("Wien", "Wien", "10"),
        ("Graz", "Steiermark", "80"),
        ("Linz", "Oberösterreich", "40"),
        ("Salzburg", "Salzburg", "50"),
    ),
    (("Zürich", "Zürich", "80"), ("Bern", "Bern", "30"), ("Basel", "Basel-Stadt", "40"), ("Luzern", "Luzern", "60")),
    (("Amsterdam", "Noord-Holland", "10"), ("Utrecht", "Utrecht", "35"), ("Rotterdam", "Zuid-Holland", "30")),
    (("Paris", "Île-de-France", "75"), ("Lyon", "Rhône-Alpes", "69"), ("Strasbourg", "Grand Est", "67")),
    (("Antwerpen", "Vlaanderen", "20"), ("Gent", "Vlaanderen", "90"), ("Brussels", "Brussels", "10")),
    (("København", "Hovedstaden", "10"), ("Aarhus", "Midtjylland", "80")),
    (("Milano", "Lombardia", "20"), ("Bolzano", "Südtirol", "39"), ("Verona", "Veneto", "37")),
)
_STREETS = [
    "Hafenstraße",
    "Gartenweg",
    "Lindenallee",
    "Am",
    "Markt",
    "Mühlenweg",
    "Bahnhofstraße",
    "Kirchgasse",
    "Deichstraße",
    "Rosenweg",
    "Schulstraße",
]
_PLAIN = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "é": "e", "è": "e", "ë": "e", "É": "E", "ø": "o", "Î": "I"}
)


def cities(rng: np.random.Generator, country: Column) -> tuple[Column, Column, Column]:
    """Draw a city, its region and a postal code for each country position."""
    place = [(city, region, start) for number in range(len(b.COUNTRIES)) for city, region, start in CITIES[number]]
    first = np.cumsum([0, *(len(c) for c in CITIES[:-1])])
    size = np.array([len(c) for c in CITIES])
    # The larger cities stand first and are drawn more often.
    chosen = first[country] + (size[country] * rng.random(len(country)) ** 1.6).astype(np.int64)
    digits = np.where(np.isin(country, (0, 4, 7)), 3, 2)
    code = objects(
        [
            f"{n:03d}" if d == 3 else f"{n % 100:02d}"
            for n, d in zip(rng.integers(0, 999, len(country)), digits, strict=True)
        ]
    )
    return (
        objects([p[0] for p in place])[chosen],
        objects([p[1] for p in place])[chosen],
        objects([p[2] for p in place])[chosen] + code,
    )


def write_people(connection: Connection, rng: np.random.Generator, sales: Sales) -> dict[str, Column]:
    """Write customers with their keys, addresses and consents; returns name, e-mail, city … for later use."""
    people = sales.people
    n = len(people)
    spoken = np.array([("de", "fr", "nl").index(s) for s in _SPOKEN])[people.country]
    firsts = [objects(_FIRST[s].split()) for s in ("de", "fr", "nl")]
    lasts = [objects(_LAST[s].split()) for s in ("de", "fr", "nl")]
    first, last = np.empty(n, dtype=object), np.empty(n, dtype=object)
    for number in range(3):
        here = np.flatnonzero(spoken == number)
        first[here] = firsts[number][rng.integers(0, len(firsts[number]), len(here))]
        last[here] = lasts[number][rng.integers(0, len(lasts[number]), len(here))]
    name = first + " " + last
    ids = np.arange(1, n + 1)
    email = objects(
        [f"{w.translate(_PLAIN).replace(' ', '.')}.{i}@example.com".lower() for w, i in zip(name, ids, strict=True)]
    )
    name[-1], email[-1] = "Test Order (staff)", "test.orders@example.com"
    city, region, postal = cities(rng, people.country)
    calendar = sales.calendar
    joined = calendar.at(people.first_day, rng.uniform(0.01, 0.05, n))
    first_at = joined.copy()
    known = sales.orders["who"] >= 0
    # Nobody registers after buying: the account is at most as old as the first order of any kind.
    earliest = np.full(n, np.datetime64(calendar.now))
    np.minimum.at(earliest, sales.orders["who"][known], sales.orders["at"][known])
    first_at = np.where(earliest < calendar.now, earliest, joined) - (rng.uniform(1, 20, n) * 60e6).astype("m8[us]")
    language = objects(_LANGUAGE)[people.country]
    is_test = ids == n
    country = objects(b.COUNTRIES)[people.country]
    code = objects([f"C-{FIRST_NUMBER + i}" for i in ids])
    street = objects(_STREETS)[rng.integers(0, len(_STREETS), n)] + objects([f" {i}" for i in rng.integers(1, 120, n)])
    consent = rng.random(n)
    state = objects(("given", "withdrawn", "never"))[np.where(consent < 0.58, 0, np.where(consent < 0.66, 1, 2))]
    stated = first_at + (rng.uniform(1, 40, n) * 86400e6).astype("m8[us]")
    stated = np.where(consent < 0.58, first_at, np.minimum(stated, calendar.now))
    for part in batches(n):
        size = len(ids[part])
        bulk_insert(
            connection,
            customers,
            {
                "customer_id": ids[part],
                "source": ["demo"] * size,
                "external_id": code[part],
                "fingerprint": ["demo"] * size,
                "email": email[part],
                "email_normalised": email[part],
                "name": name[part],
                "country": country[part],
                "region": region[part],
                "city": city[part],
                "language": language[part],
                "registered_at": np.where(people.is_guest[part], NEVER, first_at[part]),
                "is_guest": people.is_guest[part],
                "is_test": is_test[part],
            },
        )
        bulk_insert(
            connection,
            customer_identities,
            {
                "customer_id": np.concatenate([ids[part], ids[part]]),
                "source": ["demo"] * size + ["email"] * size,
                "external_id": np.concatenate([code[part], email[part]]),
            },
        )
        bulk_insert(
            connection,
            addresses,
            {
                "customer_id": ids[part],
                "kind": ["default"] * size,
                "name": name[part],
                "street": street[part],
                "city": city[part],
                "region": region[part],
                "postal_code": postal[part],
                "country": country[part],
            },
        )
        bulk_insert(
            connection,
            consents,
            {
                "customer_id": ids[part],
                "channel": ["email"] * size,
                "state": state[part],
                "stated_at": np.where(state[part] == "never", NEVER, stated[part]),
                "source": ["demo"] * size,
            },
        )
    return {
        "name": name,
        "first": first,
        "email": email,
        "city": city,
        "region": region,
        "language": language,
        "has_consent": consent < 0.58,
    }
