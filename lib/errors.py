"""What can go wrong, and what staff are told.

EncoreError                  safe to show: says what happened and what to do
├── SettingsError            a setting is missing or makes no sense
├── ImportRefused            a source as a whole cannot be read; nothing was written
│   ├── UnknownFormat        the file is not what it was said to be
│   ├── MissingColumns       the file lacks columns that the reader needs
│   ├── AmbiguousDates       03/04/2025 could be two days; the format must be declared
│   ├── LimitExceeded        too many bytes, too high a ratio, or a path that leaves its folder
│   ├── MappingInvalid       a mapping names columns or fields that do not exist
│   └── SourceUnavailable    a file or database cannot be opened
├── DatabaseUnavailable      the order database cannot be reached, or needs `python -m lib migrate`
├── MartUnavailable          no snapshot to read yet
├── JobBusy                  another process does this job now
│   └── RefreshBusy          another process is refreshing
├── RefreshFailed            the mart cannot be written: no room, no memory, no right; the last one stays
├── UnknownFigure            no figure or dimension of that name
├── NotEnoughData            a statistic refuses: too few data to compute it
├── NotSignedIn              nobody is signed in here, or no longer
├── SignInRefused            this sign-in, link or code is refused
│   └── TooManyAttempts      too many wrong ones; says how long to wait
├── StaffRefused             a change of people that makes no sense, such as removing the last owner
├── NotAllowed               the role may not do this
├── Conflict                 somebody else changed it first
├── MessageRefused           a message cannot leave as it is: no address, a line break in a header, no words
├── MailboxUnavailable       the mailbox cannot be opened or read
├── InvalidInput             what was typed or chosen cannot be taken
└── BackupRefused            a backup cannot be written or is not one

Anything else is a bug: it is logged with an id, and only the id is shown.
"""


class EncoreError(Exception):
    """Safe to show to staff; its text says what to do."""


class SettingsError(EncoreError):
    """A setting is missing or makes no sense."""


class ImportRefused(EncoreError):
    """A source as a whole cannot be read; nothing was written."""


class UnknownFormat(ImportRefused):
    """The file is not what it was said to be."""


class MissingColumns(ImportRefused):
    """The file lacks columns that the reader needs."""


class AmbiguousDates(ImportRefused):
    """The dates can be read in two ways; the format must be declared."""


class LimitExceeded(ImportRefused):
    """A file is too large, unpacks to too much, or points outside its folder."""


class MappingInvalid(ImportRefused):
    """A mapping names columns or fields that do not exist."""


class SourceUnavailable(ImportRefused):
    """A file or database cannot be opened."""


class DatabaseUnavailable(EncoreError):
    """The order database cannot be reached or is not migrated."""


class MartUnavailable(EncoreError):
    """There is no mart snapshot to read yet."""


class JobBusy(EncoreError):
    """Another process does this job now."""


class RefreshBusy(JobBusy):
    """Another process is refreshing the mart."""


class RefreshFailed(EncoreError):
    """The mart cannot be brought up to date; the last snapshot stays as it is."""


class UnknownFigure(EncoreError):
    """No figure or dimension has that name."""


class NotEnoughData(EncoreError):
    """A statistic cannot be computed from so few data."""


class NotSignedIn(EncoreError):
    """Nobody is signed in here, or no longer."""


class SignInRefused(EncoreError):
    """A sign-in, a link or a code is refused."""


class TooManyAttempts(SignInRefused):
    """Too many wrong attempts; says how long to wait."""


class StaffRefused(EncoreError):
    """A change of the people who work here makes no sense."""


class NotAllowed(EncoreError):
    """The role may not do this."""


class Conflict(EncoreError):
    """Somebody else changed it first."""


class MessageRefused(EncoreError):
    """A message cannot leave as it is."""


class MailboxUnavailable(EncoreError):
    """The mailbox cannot be opened or read."""


class InvalidInput(EncoreError):
    """What was typed or chosen cannot be taken; says what would be."""


class BackupRefused(EncoreError):
    """A backup cannot be written, or the file is not one."""
