"""What a mail's headers give away: that no person wrote it, that it came back, or that its sender is doubtful."""

import re
import unicodedata
from dataclasses import dataclass
from email.message import Message

from lib.importers.mail_headers import address_of, addresses_of, header, headers

_AUTOMATIC_SUBJECT = re.compile(
    r"\s*(?:re:\s*|aw:\s*)?(?:auto(?:matic|mated)?[ -]?(?:reply|response|antwort)|automatische antwort|autoreply"
    r"|out of (?:the )?office|abwesenheits(?:notiz|nachricht)?|abwesend|réponse automatique|absence du bureau"
    r"|respuesta automática|fuera de la oficina|risposta automatica|automatisch antwoord|afwezigheidsbericht"
    r"|resposta automática|autosvar|automatyczna odpowiedź|undelivered mail|delivery status notification"
    r"|mail delivery (?:failed|failure)|returned mail|failure notice)\b",
    re.IGNORECASE,
)
_NO_REPLY = re.compile(r"(?:no|do[-_.]?not|nicht|kein)[-_.]?(?:reply|antwort\w*)|mailer|wordpress|notifications?", re.I)
_HIDDEN = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class Bounce:
    """A mail of ours that did not arrive: its Message-ID, for whom, why, and whether for good."""

    mail_id: str
    recipient: str
    reason: str
    is_final: bool


def why_automatic(mail: Message, *, is_form: bool) -> str | None:
    """Why no person wrote a mail (RFC 3834 and what programs do besides); null when one may have.

    Args:
        is_form: a form on a website sent it for a person, which programs also mark as automatic.
    """
    submitted = header(mail, "Auto-Submitted").lower().partition(";")[0].strip()
    if submitted and submitted != "no" and not (is_form and submitted == "auto-generated"):
        return f"it says Auto-Submitted: {submitted[:40]}"
    precedence = header(mail, "Precedence").lower()
    if precedence in {"bulk", "junk", "list", "auto_reply"} and not is_form:
        return f"it says Precedence: {precedence}"
    for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponse"):
        if header(mail, name).lower() not in {"", "no"}:
            return f"it says {name}"
    if header(mail, "List-Id") or header(mail, "List-Unsubscribe"):
        return "it came by a mailing list"
    if "Return-Path" in mail and header(mail, "Return-Path").strip() == "<>":
        return "it has an empty return path"
    if address_of(mail, "From").startswith(("mailer-daemon@", "postmaster@")):
        return "a mail server wrote it"
    if _AUTOMATIC_SUBJECT.match(header(mail, "Subject")):
        return "its subject is that of an automatic reply"
    return None


def is_form(mail: Message) -> bool:
    """Whether a website sent the mail for somebody else, whom ``Reply-To`` names."""
    sender, answers = address_of(mail, "From"), addresses_of(mail, "Reply-To")
    return len(answers) == 1 and answers[0] != sender and bool(_NO_REPLY.search(sender.partition("@")[0]))


def bounce_of(mail: Message) -> Bounce | None:
    """What a delivery report says (RFC 3464); null when the mail is none."""
    if mail.get_content_type() != "multipart/report":
        return None
    status = next((part for part in mail.walk() if part.get_content_type() == "message/delivery-status"), None)
    if status is None:
        return None
    mail_id = ""
    for part in mail.walk():
        if part is not mail and part.get_content_type() in {"message/rfc822", "text/rfc822-headers"}:
            mail_id = _first_id(part)
            break
    blocks = status.get_payload()
    recipients = [block for block in blocks if isinstance(block, Message)] if isinstance(blocks, list) else []
    for block in recipients:
        action = header(block, "Action").lower()
        if action in {"failed", "delayed"}:
            recipient = header(block, "Final-Recipient").rpartition(";")[2].strip()
            said = header(block, "Diagnostic-Code").partition(";")[2].strip() or header(block, "Status")
            return Bounce(mail_id, recipient.lower(), " ".join(said.split())[:500], action == "failed")
    return None


def doubts(mail: Message, *, authserv: str, own: str) -> list[str]:
    """What is doubtful about the sender, in words for staff.

    Args:
        authserv: whose Authentication-Results count (the shop's own mail server); empty: nobody's.
        own: the shop's own address.
    """
    found = []
    if len(headers(mail, "From")) != 1:
        found.append("It names no sender or several.")
    name, sender = _shown(mail), address_of(mail, "From")
    found += _failed_checks(mail, authserv)
    domain = sender.rpartition("@")[2]
    others = [one for one in addresses_of(mail, "Reply-To") if one.rpartition("@")[2] != domain]
    if others:
        found.append(f"Answers would go to {others[0]}, not to the sender.")
    if (inner := re.search(r"[\w.+-]+@[\w.-]+\.\w+", name)) and inner.group().lower() != sender:
        found.append("The sender's name shows another address than the real one.")
    if _HIDDEN.search(name) or _HIDDEN.search(sender):
        found.append("The sender's name hides signs or turns the reading direction.")
    if _mixes_alphabets(domain):
        found.append("The sender's address mixes letters of several alphabets, as look-alikes do.")
    if own and sender == own:
        found.append("It claims to come from your own address.")
    return found


def failed_authentication(mail: Message, authserv: str) -> bool:
    """Whether the shop's own mail server says that the sender's domain disowns this mail."""
    return bool(_failed_checks(mail, authserv))


def _failed_checks(mail: Message, authserv: str) -> list[str]:
    results = _trusted_results(mail, authserv)
    if results is None:
        return []
    verdicts = dict(re.findall(r"\b(dmarc|spf|dkim)\s?=\s?(\w+)", results))
    if verdicts.get("dmarc") == "fail":
        return ["Your mail server says it is forged: the sender's domain disowns it (DMARC failed)."]
    if "dmarc" not in verdicts and verdicts.get("spf") in {"fail", "softfail"} and verdicts.get("dkim") != "pass":
        return [f"Your mail server could not confirm the sender (SPF {verdicts['spf']}, no valid signature)."]
    return []


def _trusted_results(mail: Message, authserv: str) -> str | None:
    """The topmost results of the trusted server: below it, whoever sent the mail may have written anything."""
    if not authserv:
        return None
    for value in headers(mail, "Authentication-Results"):
        name, _, results = value.partition(";")
        if name.split()[:1] == [authserv] or name.strip().lower() == authserv:
            return results.lower()
    return None


def _shown(mail: Message) -> str:
    return header(mail, "From").rpartition("<")[0]


def _mixes_alphabets(domain: str) -> bool:
    if domain.isascii() and "xn--" not in domain:
        return False
    labels = []
    for label in domain.split("."):
        try:
            labels.append(label.encode("ascii").decode("idna") if label.startswith("xn--") else label)
        except (UnicodeError, ValueError):
            return True
    for label in labels:
        scripts = {unicodedata.name(sign, "").partition(" ")[0] for sign in label if sign.isalpha()}
        if len(scripts) > 1:
            return True
    return False


def _first_id(part: Message) -> str:
    inner = part.get_payload()
    if isinstance(inner, list) and inner and isinstance(inner[0], Message):
        return header(inner[0], "Message-ID").strip("<> ")
    content = part.get_payload(decode=True)
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else str(inner)
    found = re.search(r"^Message-ID:\s{0,20}<([^<>\s]{1,400})>", text, re.IGNORECASE | re.MULTILINE)
    return found.group(1) if found else ""
