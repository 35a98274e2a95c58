"""Files that somebody names on the Imports page instead of uploading them: exports, and nothing else.

The app reads what its own user may read. So a page takes a path only where nobody but that user can reach the app,
and no file that is no export by its name: neither keys nor settings, nor Encore's own data.
"""

from pathlib import Path
from typing import Final

from lib.errors import ImportRefused, SourceUnavailable
from lib.importers.files import SUFFIXES
from lib.settings import Settings

PACKED: Final = (".zip", ".gz")
# Where Unix shows devices and the system itself as files.
SYSTEM: Final = tuple(map(Path, ("/dev", "/proc", "/sys")))


def takes_paths(settings: Settings) -> bool:
    """Whether the page offers it: only while the app listens to this machine alone."""
    return settings.is_local


def named_path(settings: Settings, text: str) -> Path:
    """The file or folder that somebody named, with links followed.

    Raises:
        SourceUnavailable: there is nothing, or it is neither a file nor a folder.
        ImportRefused: it is nothing that a page may read.
    """
    if not takes_paths(settings):
        raise ImportRefused(
            "Others can reach this app, so its page reads no path of the machine. Upload the file, or import it there:"
            " python -m lib import SOURCE PATH."
        )
    try:
        path = Path(text.strip()).expanduser().resolve()
        is_file, is_folder = path.is_file(), path.is_dir()
    except (OSError, ValueError, RuntimeError) as error:
        raise SourceUnavailable(f"There is no file or folder {text.strip()}.") from error
    # Before anything is said about whether it exists: a page tells nothing of what it may not read.
    own = settings.data_dir.resolve()
    is_systems = any(path.is_relative_to(place) or place.is_relative_to(path) for place in SYSTEM)
    if is_own(settings, path) or own.is_relative_to(path) or is_systems:
        raise ImportRefused(
            "This folder is Encore's own or the system's, or holds it. Put the exports into one of their own."
        )
    if any(part.startswith(".") for part in path.parts):
        raise ImportRefused("A hidden file or folder is no export. Copy the export to a place that is not hidden.")
    if not is_file and not is_folder:
        what = "is neither a file nor a folder" if path.exists() else "does not exist"
        raise SourceUnavailable(f"{path} {what}. Name a file, a folder or a ZIP.")
    if is_file and path.suffix.lower() not in (*SUFFIXES, *PACKED):
        raise ImportRefused(
            f"{path.name} is no export by its name. A page reads {', '.join((*SUFFIXES, *PACKED))}; rename the file, or"
            " import it by command: python -m lib import SOURCE PATH."
        )
    return path


def is_own(settings: Settings, path: Path) -> bool:
    """Whether a path lies in Encore's own data, other than what was uploaded."""
    own = settings.data_dir.resolve()
    return path.is_relative_to(own) and not path.is_relative_to(own / "uploads")
