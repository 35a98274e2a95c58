"""What an answer to criticism should hold: an apology, and a way to reach a person."""

import re

_APOLOGY = re.compile(
    r"\b(?:sorry|apolog\w*|regret\w*|pardon"
    r"|tut (?:mir|uns) (?:\w+ )*leid|entschuldig\w*|bedauer\w*|verzeih\w*|um nachsicht|schade)\b",
    re.IGNORECASE,
)
_REACH = re.compile(
    r"[\w.+-]+@[\w-]+\.\w+|\+?\d[\d ()/-]{6,}\d"
    r"|\b(?:reach (?:me|us)|contact (?:me|us)|call (?:me|us)|write (?:to )?(?:me|us)|e-?mail (?:me|us)"
    r"|(?:answer|reply to) (?:\w+ ){0,2}e-?mail|in person"
    r"|erreich\w+ (?:\w+ )?(?:mich|uns)|erreichen sie|schreiben sie|rufen sie|melden sie sich"
    r"|antworten sie|persönlich|kontaktieren sie|e-?mail an)\b",
    re.IGNORECASE,
)
APOLOGY = "an apology"
REACH = "a way to reach a person"


def missing_courtesy(text: str) -> list[str]:
    """What an answer to criticism lacks, in words; by words in English and German, so it may be wrong.

    >>> missing_courtesy("We are sorry. Write to us at help@shop.test")
    []
    """
    return [what for what, sign in ((APOLOGY, _APOLOGY), (REACH, _REACH)) if not sign.search(text)]
