"""Words of a text, and in how many texts each stands."""

import re
from collections import Counter
from collections.abc import Iterable

# A text longer than this is judged by its beginning.
LONGEST = 20_000
_WORD = re.compile(r"[^\W\d_]{3,30}")
_ENGLISH = (
    "the and for that this with was were are is not but you your have has had they them their its it's from our "
    "out all one can will just very too also been which who what when than then there here would could should "
    "about after before again more most some any only into over did does don didn doesn isn wasn won how why "
    "she her him his these those being because while where both each few other own same such "
)
_GERMAN = (
    "der die das und ist nicht ein eine einen einem einer eines den dem des mit auf für von wir ich sie ihr ihre "
    "ihren ihrem uns unser mein meine meinen war waren hat habe haben hatte wird werden wurde wurden sind sein "
    "seine auch aber oder als wie nur noch schon sehr zum zur vom beim bei nach vor aus über unter bis durch dass "
    "wenn weil man mich mir sich kann können doch dann hier dort alles alle etwas mehr immer wieder kein keine "
    "keinen einfach ganz gut"
)
# What says nothing of its own; of other languages the comparison itself sorts it out.
_STOP = frozenset(f"{_ENGLISH} {_GERMAN}".split())


def words_of(text: str) -> set[str]:
    """The different words of a text in small letters, without those that say nothing."""
    return {word for word in _WORD.findall(text[:LONGEST].casefold()) if word not in _STOP}


def texts_by_word(texts: Iterable[str]) -> Counter[str]:
    """In how many texts each word stands."""
    found: Counter[str] = Counter()
    for text in texts:
        found.update(words_of(text))
    return found
