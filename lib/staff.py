"""Who works here, and what each role may do: one table, asked by every screen and every workflow."""

from dataclasses import dataclass
from enum import StrEnum

from lib.errors import NotAllowed


class Role(StrEnum):
    """What somebody is to the store."""

    OWNER = "owner"
    MANAGER = "manager"
    SUPPORT = "support"
    VIEWER = "viewer"


class May(StrEnum):
    """What can be allowed. The value finishes the sentence "Your role may not …"."""

    SEE_FIGURES = "see figures"
    SEE_PERSONAL_DATA = "see names and addresses of customers"
    EXPORT = "download rows"
    SEE_QUEUE = "see what waits for an answer"
    WORK_QUEUE = "take, snooze or finish what waits"
    ANSWER_REVIEWS = "answer reviews"
    ANSWER_TICKETS = "answer tickets"
    EDIT_TEMPLATES = "change templates"
    IMPORT = "import"
    PLAN_OFFERS = "plan offers"
    APPROVE_OFFERS = "approve offers"
    SET_GOALS = "set goals and targets"
    EXPORT_PEOPLE = "export all that is known of a person"
    ERASE_PEOPLE = "erase a person"
    SEE_AUDIT = "see the audit log"
    MANAGE_STAFF = "invite staff or change roles"
    CHANGE_STORE = "change the settings of the store"


_VIEWER = frozenset({May.SEE_FIGURES, May.EXPORT})
_SUPPORT = _VIEWER | {
    May.SEE_PERSONAL_DATA,
    May.SEE_QUEUE,
    May.WORK_QUEUE,
    May.ANSWER_REVIEWS,
    May.ANSWER_TICKETS,
}
_MANAGER = _SUPPORT | {
    May.EDIT_TEMPLATES,
    May.IMPORT,
    May.PLAN_OFFERS,
    May.SET_GOALS,
    May.EXPORT_PEOPLE,
    May.SEE_AUDIT,
}
# Each role holds what the one above it holds, and more. An owner may do everything.
PERMISSIONS: dict[Role, frozenset[May]] = {
    Role.VIEWER: _VIEWER,
    Role.SUPPORT: _SUPPORT,
    Role.MANAGER: _MANAGER,
    Role.OWNER: frozenset(May),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """One person at work, as known at this moment.

    ``staff_id`` is null for the person at this machine while nobody has an account, and for Encore itself.
    ``address`` is the network address the request came from, where there is one.
    """

    staff_id: int | None
    name: str
    role: Role
    email: str = ""
    address: str | None = None

    def may(self, what: May) -> bool:
        """Whether the role allows it."""
        return what in PERMISSIONS[self.role]

    def must(self, what: May) -> None:
        """Refuse what the role does not allow.

        Raises:
            NotAllowed: with words that say what is not allowed and who can change it.
        """
        if not self.may(what):
            raise NotAllowed(f"Your role ({self.role}) may not {what}. An owner can change your role under Staff.")


# The person at this machine while nobody has an account; and what Encore does by itself.
LOCAL = Staff(staff_id=None, name="You, at this computer", role=Role.OWNER)
ENCORE = Staff(staff_id=None, name="Encore", role=Role.OWNER)
