"""The one way in which files come into being here: whole or not at all, or as a file that grows while it is looked at.

Guarantees:
- What is there is replaced only if the caller says so, and then by a whole file only, on the disk before it has the
  name; its mode stays, a symlink stays one, and whoever reads the old file goes on reading it.
- A device or a FIFO is written into, never replaced. Nobody waits for ever: a FIFO that nobody reads is refused.
- A name that is used meanwhile is never one that somebody else could have: the file has none until it is whole or,
  where the file system cannot do that, one that nobody has yet.
- Two programs that write to one name at a time know of each other: the later one is told.
- Whatever cannot be written is a RecordingError of one sentence, and nothing is left of it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import itertools
import math
import os
import re
import select
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bellwire.engine.errors import RecordingError, answer_and_remedy
from bellwire.engine.language import tr

BUFFER = 1 << 18  # bytes
READABLE = 0o666  # mode of what is for whoever the umask lets read it
CHUNK = 1 << 16  # bytes that are written to a device or a pipe at a time
STUCK_SECONDS = 5.0  # without a byte more written neither disk nor kernel answers
OPENING = os.O_WRONLY | os.O_CLOEXEC
OURS = {"-": 1, "/dev/stdout": 1, "/dev/stderr": 2}  # descriptors that the shell gave us, whatever they lead to
DESCRIPTOR = re.compile(r"(?:/dev/fd|/proc/(?:self|thread-self)/fd)/(\d{1,9})")
UNFINISHED = ".bellwire-*.part"  # a name that is used meanwhile
NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP)  # of file systems where a file has one name
NO_UNNAMED = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL)  # of file systems without O_TMPFILE


class MisplacedError(RecordingError):
    """What was written is no longer where it was begun; the text says what has become of it."""


def cannot(path: Path, why: str) -> RecordingError:
    """What to say."""
    return RecordingError(tr("{path} cannot be written: {why}.", path=path, why=why.rstrip(".")))


def reason(error: Exception) -> str:
    """What the system says, and what helps."""
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        return tr("its reader has gone")
    return answer_and_remedy(error)


@dataclass(frozen=True)
class Target:
    """What a name stands for when an output is begun."""

    path: Path  # as it was named
    real: Path  # what it leads to
    about: os.stat_result | None  # of what is there
    descriptor: int | None = None  # that it is another name of

    @property
    def streams(self) -> bool:
        """Whether it is written into as it is: a device, a FIFO, a descriptor."""
        return self.descriptor is not None or (self.about is not None and not stat.S_ISREG(self.about.st_mode))

    @property
    def is_stdout(self) -> bool:
        """Whether it goes where a command prints what it has to say."""
        return self.descriptor == OURS["-"]


def target_of(path: Path, force: bool) -> Target:
    """What is to be written; RecordingError if it cannot be, or if it is there already and there is no `force`."""
    number = OURS.get(str(path))
    if found := DESCRIPTOR.fullmatch(str(path)):
        number = int(found[1])
    try:
        about = path.stat() if number is None else os.fstat(number)
    except (FileNotFoundError, NotADirectoryError):
        about = None
    except (OSError, ValueError) as error:
        raise cannot(path, reason(error)) from error
    if number is not None:
        if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:  # what it leads to could be, opened anew
            raise cannot(path, tr("it is not open for writing"))
        return Target(path, path, about, number)
    if about is not None:
        refuse_kind(path, about.st_mode)
        if stat.S_ISREG(about.st_mode) and not force:
            raise RecordingError(
                tr("{path} is there already: name another file, or add --force to replace it.", path=path)
            )
        if not os.access(path, os.W_OK):
            raise cannot(path, os.strerror(errno.EACCES))
    try:
        target = Target(path, Path(os.path.realpath(path)), about)
        if not target.streams:
            refuse_no_folder(path, target.real.parent)
    except OSError as error:  # the folder that its name begins in has been removed
        raise cannot(path, reason(error)) from error
    refuse_full(target)
    return target


def tried_target(path: Path, force: bool) -> Target:
    """The same, and a file is made where it is to be, and goes again: what takes long to make is not made in vain."""
    target = target_of(path, force)
    if not target.streams:
        try:
            descriptor, unfinished = new_file(target.real.parent, READABLE)
            os.close(descriptor)
            if unfinished is not None:
                unfinished.unlink()
        except OSError as error:
            raise cannot(path, reason(error)) from error
    return target


def refuse_no_folder(path: Path, folder: Path) -> None:
    """RecordingError if what is to be written to `path` would be in a folder that is not there."""
    if not folder.is_dir():
        raise cannot(path, tr("there is no folder {folder}", folder=folder))


def refuse_full(target: Target) -> None:
    """RecordingError if the disk has not a single block left: what takes minutes to make would be made in vain."""
    if target.streams:
        return
    try:
        disk = os.statvfs(target.real.parent)
    except OSError:
        return  # whoever makes the file says why it cannot be
    free = disk.f_bfree if os.geteuid() == 0 else disk.f_bavail
    if disk.f_blocks and not free:
        raise cannot(target.path, os.strerror(errno.ENOSPC))


def refuse_filled(path: Path) -> None:
    """The same of a file that is being made: RecordingError once the disk has become full meanwhile."""
    try:
        about = path.stat()
    except (OSError, ValueError):
        about = None
    refuse_full(Target(path, Path(os.path.realpath(path)), about))


def refuse_source(path: Path, source: Path) -> None:
    """RecordingError if a name leads to the very file that something else is made of, and that would be gone."""
    with contextlib.suppress(OSError, ValueError):
        if path.samefile(source):
            raise cannot(path, tr("it is the file that this is made of; name another one"))


def refuse_kind(path: Path, mode: int) -> None:
    """RecordingError for what no file can be written to."""
    if stat.S_ISDIR(mode):
        raise cannot(path, tr("it is a folder; name a file in it"))
    if stat.S_ISBLK(mode):
        raise cannot(path, tr("it is a disk; name a file on one"))
    if stat.S_ISSOCK(mode):
        raise cannot(path, tr("it is a socket; name a file or a FIFO"))


class Writer(io.RawIOBase):
    """A descriptor that counts what is written, and waits for a slow reader only as long as it may."""

    def __init__(self, descriptor: int, patience: float = math.inf) -> None:
        """patience: seconds in which a device or a pipe must take something."""
        self.descriptor, self.written, self.given_up = descriptor, 0, False
        self._patience = patience

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.descriptor

    def tell(self) -> int:
        """Bytes that were written; it cannot be moved."""
        return self.written

    def write(self, data: Any) -> int:
        """Writes some of it; after giving up, nothing, in silence: whoever closes a file tries once more."""
        if self.given_up:
            return len(data)
        while True:
            try:
                count = os.write(self.descriptor, memoryview(data)[:CHUNK])
            except BlockingIOError:
                self._wait()
            else:
                self.written += count
                return count

    def _wait(self) -> None:
        seconds = None if math.isinf(self._patience) else self._patience
        if not select.select([], [self.descriptor], [], seconds)[1]:
            raise OSError(
                errno.ETIMEDOUT, tr("its reader has taken nothing for {patience:g} s", patience=self._patience)
            )

    def close(self) -> None:
        """Closes the descriptor; may be called again."""
        if not self.closed:
            super().close()
            os.close(self.descriptor)


class Output:
    """A file on its way. `file` is what to write to; then keep() or give_up(), once."""

    def __init__(self, target: Target, writer: Writer, unfinished: Path | None = None) -> None:
        """unfinished: the name that it has until it is whole, if any."""
        self.target, self._writer, self._unfinished = target, writer, unfinished
        self.file: IO[bytes] = io.BufferedWriter(writer, BUFFER)

    @property
    def written(self) -> int:
        """Bytes that have left for the file."""
        return self._writer.written

    def keep(self) -> None:
        """Gives the whole file its name; RecordingError, and nothing is left of it, if that cannot be."""
        try:
            self.file.flush()
            if not self.target.streams:
                os.fsync(self._writer.descriptor)
                with the_folder_of(self.target.real) as folder:
                    self._give_name(folder)
        except OSError as error:
            raise cannot(self.target.path, reason(error)) from error
        finally:
            self.give_up()

    def give_up(self) -> None:
        """Closes it; what has not got its name by then is gone."""
        self._writer.given_up = True
        self.file.close()
        if self._unfinished is not None:
            with contextlib.suppress(OSError):
                self._unfinished.unlink()
            self._unfinished = None

    def _give_name(self, folder: int) -> None:
        if fingerprint(about_of(self.target.real)) != fingerprint(self.target.about):
            raise cannot(self.target.path, tr("another program has written it meanwhile; that is what is there now"))
        if self.target.about is None:
            self._link(folder, self.target.real)
        else:
            if self._unfinished is None:
                unfinished = unused_beside(self.target.real)
                self._link(folder, unfinished)
                self._unfinished = unfinished
            self._unfinished.replace(self.target.real)
            self._unfinished = None
        with contextlib.suppress(OSError):
            os.fsync(folder)

    def _link(self, folder: int, name: Path) -> None:
        """Gives the file a name that nobody has; FileExistsError if somebody does."""
        # With a folder, linkat() follows the link in /proc.
        source = self._unfinished or f"/proc/self/fd/{self._writer.descriptor}"
        try:
            os.link(source, name.name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError as error:
            if self._unfinished is None or error.errno not in NO_LINKS:
                raise
            self._unfinished.replace(name)


def begin_whole(path: Path, force: bool = False, mode: int = READABLE, patience: float = math.inf) -> Output:
    """An output that is whole or not at all. mode: of a file that replaces none, less what the umask takes away.

    patience: seconds in which a device or a pipe must take something.
    """
    target = target_of(path, force)
    if target.streams:
        return Output(target, stream_writer(target, patience))
    refuse_growing(target)
    try:
        descriptor, unfinished = new_file(target.real.parent, mode)
        writer = Writer(descriptor)
        look_like(descriptor, target.about)
    except OSError as error:
        raise cannot(path, reason(error)) from error
    return Output(target, writer, unfinished)


def new_file(folder: Path, mode: int) -> tuple[int, Path | None]:
    """A file without a name, else one with a name that nobody has."""
    try:
        return os.open(folder, OPENING | os.O_TMPFILE, mode), None
    except OSError as error:
        if error.errno not in NO_UNNAMED:
            raise
    unfinished = unused_beside(folder / "x")
    return os.open(unfinished, OPENING | os.O_CREAT | os.O_EXCL, mode), unfinished


def unused_beside(path: Path) -> Path:
    """A name in the same folder that nobody has."""
    return path.with_name(UNFINISHED.replace("*", os.urandom(8).hex()))


def look_like(descriptor: int, about: os.stat_result | None) -> None:
    """Makes a new file look like the one that it replaces."""
    if about is not None:
        os.fchmod(descriptor, stat.S_IMODE(about.st_mode))
        with contextlib.suppress(OSError):  # only root may give files away
            os.fchown(descriptor, about.st_uid, about.st_gid)


def stream_writer(target: Target, patience: float = math.inf) -> Writer:
    """Opens a device, a FIFO or a descriptor, and waits for nobody."""
    path, mode = target.path, target.about.st_mode if target.about else 0
    try:
        if target.descriptor is not None and not (stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)):
            return Writer(os.dup(target.descriptor), patience)
        # Opened anew, it can be made not to block without doing so to whoever gave it to us.
        path = path if target.descriptor is None else Path(f"/proc/self/fd/{target.descriptor}")
        return Writer(os.open(path, OPENING | os.O_NONBLOCK | os.O_NOCTTY), patience)
    except OSError as error:
        unread = error.errno == errno.ENXIO and stat.S_ISFIFO(mode)
        why = tr("nobody reads this FIFO; start its reader first") if unread else reason(error)
        raise cannot(target.path, why) from error


def about_of(path: Path) -> os.stat_result | None:
    """What is there, if anything."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def fingerprint(about: os.stat_result | None) -> tuple[int, ...] | None:
    """What another file, or another content, would have otherwise."""
    return about and (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns)


def seen_there(path: Path) -> tuple[int, ...] | None:
    """The fingerprint of what is there now; None if nothing is, or nobody can tell."""
    try:
        return fingerprint(about_of(path))
    except (OSError, ValueError):
        return None


@contextlib.contextmanager
def the_folder_of(path: Path) -> Iterator[int]:
    """The folder's descriptor, while no other bellwire gives a file in it a name."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # not every file system has locks
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(folder)


@contextlib.contextmanager
def whole_or_not(
    path: Path, force: bool = False, mode: int = READABLE, patience: float = math.inf
) -> Iterator[IO[bytes]]:
    """A file to write to, which gets its name once all is well; after an error, or an interrupt, nothing is left of it.

    mode, patience: as begin_whole() takes them. RecordingError if it cannot be written.
    """
    output = begin_whole(path, force, mode, patience)
    try:
        yield output.file
        output.keep()
    except OSError as error:
        raise cannot(path, reason(error)) from error
    finally:
        output.give_up()


def write_whole(path: Path, content: bytes, force: bool = False, patience: float = math.inf) -> None:
    """Writes a file that is there already in memory; RecordingError if that is not possible."""
    with whole_or_not(path, force, patience=patience) as file:
        file.write(content)


def unused(path: Path) -> Path:
    """This name or, if there is such a file, one like it with a number."""
    names = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in itertools.count(2))
    return next(name for name in itertools.chain([path], names) if not os.path.lexists(name))


# -- a file that has its name from the start, and grows


class Growing(Output):
    """An output that can be looked at while it is written. keep() keeps what is there, give_up() what was written."""

    def keep(self) -> None:
        """Ends the file; RecordingError if it is no longer where it was begun, or cannot be written to its end."""
        try:
            self.file.flush()
            if not self.target.streams:
                os.fsync(self._writer.descriptor)
                self._find()
        except OSError as error:
            raise cannot(self.target.path, reason(error)) from error
        finally:
            self.give_up()

    def _find(self) -> None:
        """MisplacedError unless the file is where it was begun."""
        own, there = os.fstat(self._writer.descriptor), about_of(self.target.real)
        if there is None or (own.st_dev, own.st_ino) != (there.st_dev, there.st_ino):
            raise MisplacedError(str(cannot(self.target.path, self._what_became_of_it(own, there))))

    def _what_became_of_it(self, own: os.stat_result, there: os.stat_result | None) -> str:
        """own: of the file; there: of what has its name, if anything."""
        if own.st_nlink:
            try:
                name = Path(f"/proc/self/fd/{self._writer.descriptor}").readlink()
            except OSError:  # there is no /proc
                return tr("it was moved while it was being written")
            return tr("it was moved while it was being written; what was in it is in {name}", name=name)
        if there is None:
            return tr("it was removed while it was being written, and what was in it is lost")
        return tr("it was replaced while it was being written, and what was in it is lost")

    def give_up(self, keep: bool = True) -> None:
        """Closes it; a file that is not to be kept, or into which nothing was written, is removed."""
        if not self._writer.closed and not self.target.streams and not (keep and self._writer.written):
            with contextlib.suppress(OSError, RecordingError):
                self._find()
                self.target.real.unlink()
        super().give_up()


def grow(path: Path, force: bool = False, patience: float = math.inf) -> Growing:
    """Begins a file that has its name from now on. patience: seconds in which a device or pipe must take something."""
    target = target_of(path, force)
    if target.streams:
        return Growing(target, stream_writer(target, patience))
    refuse_growing(target)
    try:
        if target.about is None:
            descriptor = os.open(target.real, OPENING | os.O_CREAT | os.O_EXCL, 0o666)
        else:
            descriptor = replaced(target)
    except FileExistsError as error:
        raise cannot(path, tr("another program has made it this moment")) from error
    except OSError as error:
        raise cannot(path, reason(error)) from error
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return Growing(target, Writer(descriptor))


def replaced(target: Target) -> int:
    """An empty file in the place of the one that is there, which lives on for whoever reads it."""
    unfinished = unused_beside(target.real)
    descriptor = os.open(unfinished, OPENING | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        look_like(descriptor, target.about)
        unfinished.replace(target.real)
    except OSError:
        os.close(descriptor)
        unfinished.unlink()
        raise
    return descriptor


def refuse_growing(target: Target) -> None:
    """RecordingError if a bellwire is writing to it just now."""
    try:
        file = os.open(target.real, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if is_growing(file):
            raise cannot(target.path, tr("another bellwire is writing to it"))
    finally:
        os.close(file)


def is_growing(file: int) -> bool:
    """Whether a bellwire is writing to what this descriptor leads to; not every file system lets anybody know."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    fcntl.flock(file, fcntl.LOCK_UN)
    return False
