"""Country names, in the languages that exports are written in, as two letters of ISO 3166."""

from functools import cache

from babel import Locale

LANGUAGES = ("en", "de", "fr", "es", "nl", "it", "pt")
# What exports write and no locale does. A group of states or of islands is no country: it has no letters.
ALSO = {
    "eire": "IE",
    "rsa": "ZA",
    "usa": "US",
    "u.s.a.": "US",
    "united states of america": "US",
    "uk": "GB",
    "great britain": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB",
    "holland": "NL",
    "the netherlands": "NL",
    "czech republic": "CZ",
    "korea": "KR",
    "uae": "AE",
    "brasil": "BR",
    "deutschland": "DE",
    "hong kong": "HK",
    "macau": "MO",
    "turkey": "TR",
    "russian federation": "RU",
    "viet nam": "VN",
    "ivory coast": "CI",
}
# CLDR's territories that ISO 3166 does not list.
_NOT_ISO = frozenset({"EU", "EZ", "UN", "QO", "ZZ", "XA", "XB", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"})


def country_code(text: str) -> str | None:
    """Two letters for a country's name or letters; None where the text names none.

    >>> country_code("EIRE"), country_code("Deutschland"), country_code("de"), country_code("European Community")
    ('IE', 'DE', 'DE', None)
    """
    name = " ".join(text.split()).casefold()
    if len(name) == 2 and name.upper() in _codes():
        return name.upper()
    return _names().get(name)


@cache
def _codes() -> frozenset[str]:
    return frozenset(_names().values())


@cache
def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for language in LANGUAGES:
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in _NOT_ISO:
                names.setdefault(name.casefold(), code)
    return names | ALSO
