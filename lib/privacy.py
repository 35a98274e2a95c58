"""How a person's name and address are shown to those who may not see them."""

# What stands for the letters that are kept back.
HIDDEN = "…"
# More words than these would tell a long name from a short one.
_MOST_WORDS = 2


def mask_name(name: str | None) -> str | None:
    """The first letter of at most two words.

    >>> mask_name("Anna Maria Becker")
    'A… B…'
    """
    if name is None:
        return None
    words = name.split()
    shown = words if len(words) <= _MOST_WORDS else [words[0], words[-1]]
    return " ".join(f"{word[0]}{HIDDEN}" for word in shown)


def mask_email(email: str | None) -> str | None:
    """The first letter of each side.

    >>> mask_email("anna@example.org")
    'a…@e…'
    """
    if email is None:
        return None
    local, at, host = email.strip().rpartition("@")
    if not at:
        return HIDDEN if email.strip() else ""
    return f"{local[:1]}{HIDDEN}@{host[:1]}{HIDDEN}"
