"""Read large files in a process of its own, so that reading and storing use two processors.

The child is this module, run by the same Python: it gets a reader and its arguments as one pickle on its
standard input, and answers on its standard output with frames, each a length and a pickle of records. What a
reader raises is raised here. The parent keeps the child's input open: when it ends, however it ends, so does
the child.
"""

import copyreg
import gc
import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from operator import attrgetter
from queue import Queue
from struct import Struct
from threading import Thread
from typing import IO, Any, Final

from lib.errors import EncoreError, SourceUnavailable
from lib.importers import records as kinds
from lib.importers.mention import Person
from lib.importers.prepared import Parcel, Prepared
from lib.importers.records import Record, Rejected
from lib.importers.source_file import SourceFile
from lib.settings import ROOT

# Starting Python takes as long as reading this much.
WORTH_BYTES: Final = 20 * 1024 * 1024
PART: Final = 250
# The reader may be so many parts ahead: more than the loader takes at once, so that neither waits.
AHEAD: Final = 32

_LENGTH: Final = Struct(">Q")

Records = Iterator[Record | Rejected | Prepared]


def is_worth_it(files: Sequence[SourceFile]) -> bool:
    """Whether files are large enough, and processors many enough, to read them aside."""
    return sum(file.size for file in files) >= WORTH_BYTES and (os.cpu_count() or 1) > 1


def read_aside(reader: Callable[..., Records], files: Sequence[SourceFile], *more: Any) -> Records:
    """Yield what ``reader(files, *more)`` yields, in its order, read by another process.

    Closing the iterator ends the process. ``files`` tell how far they are read, as if they were read here.

    Raises:
        SourceUnavailable: the other process was ended from outside.
        Exception: what the reader raised.
    """
    child = subprocess.Popen(
        [sys.executable, "-m", __name__],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C is for this process, which then ends the other.
        start_new_session=True,
    )
    if child.stdin is None or child.stdout is None:
        raise RuntimeError("the reading process has no pipes")
    frames: Queue[bytes | None] = Queue(AHEAD)
    pump = Thread(target=_pump, args=(child.stdout, frames), name="read-aside", daemon=True)
    pump.start()
    has_ended = False
    try:
        child.stdin.write(pickle.dumps((reader, list(files), more)))
        child.stdin.flush()
        while (frame := frames.get()) is not None:
            positions, records, error = pickle.loads(frame)
            for file, position in zip(files, positions, strict=True):
                file.seen_to(position)
            if error is not None:
                raise error
            if records is None:
                return
            yield from records
        has_ended = True
        raise SourceUnavailable(
            f"Reading stopped: the process that read {', '.join(file.name for file in files)} was ended (code"
            f" {child.wait()}). Import the same files again: nothing is doubled."
        )
    finally:
        child.kill()
        while not has_ended:
            has_ended = frames.get() is None
        pump.join()
        child.stdin.close()
        child.stdout.close()
        child.wait()


def _pump(stream: IO[bytes], frames: "Queue[bytes | None]") -> None:
    """Take frames from the child until its end, which None stands for."""
    try:
        while len(head := stream.read(_LENGTH.size)) == _LENGTH.size:
            (length,) = _LENGTH.unpack(head)
            frame = stream.read(length)
            if len(frame) < length:
                break
            frames.put(frame)
    finally:
        frames.put(None)


def _serve(question: IO[bytes], answer: IO[bytes]) -> None:
    """Read what the parent asks for, and send it."""
    reader, files, more = pickle.load(question)
    Thread(target=_end_with_parent, args=(question,), daemon=True).start()

    def send(records: list[Record | Rejected | Prepared] | None, error: BaseException | None = None) -> None:
        frame = pickle.dumps(([file.position for file in files], records, error), pickle.HIGHEST_PROTOCOL)
        answer.write(_LENGTH.pack(len(frame)))
        answer.write(frame)
        answer.flush()

    part: list[Record | Rejected | Prepared] = []
    try:
        for record in reader(files, *more):
            part.append(record)
            if len(part) == PART:
                send(part)
                part.clear()
        send(part)
        send(None)
    except BrokenPipeError:
        # The parent has gone.
        pass
    except Exception as error:
        if not isinstance(error, EncoreError):
            error.add_note("".join(traceback.format_exception(error)))
        send(part)
        send(None, error)


def _pickle_as_calls() -> None:
    """Pickle each record as its class and its values, without their names: less to write and to read."""
    for kind in (*vars(kinds).values(), Prepared, Person, Parcel):
        if isinstance(kind, type) and is_dataclass(kind):
            copyreg.pickle(kind, _calls(kind, attrgetter(*(field.name for field in fields(kind)))))


def _calls(kind: type, values: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any], tuple[Any, ...]]:
    return lambda record: (kind, values(record))


def _end_with_parent(question: IO[bytes]) -> None:
    question.read()
    os._exit(1)


if __name__ == "__main__":
    # Records are many live objects and no cycles: looking for these takes a third of the time.
    gc.set_threshold(1_000_000, 50, 100)
    _pickle_as_calls()
    _stdin, _stdout = sys.stdin.buffer, sys.stdout.buffer
    # What a library prints must not get among the frames.
    sys.stdout = sys.stderr
    _serve(_stdin, _stdout)
    _stdout.flush()
    # Not the usual end: another thread still waits for the parent.
    os._exit(0)
