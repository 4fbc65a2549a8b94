"""A disk with a volatile write cache, for machines that lose their power.

What the guest has written and not flushed lies in the disk's cache. When the power
fails, each of these writes may have reached the disk wholly, in part or not at all,
and in any order: `lose` decides it by a random generator. The emulator alone cannot
do that: what it was given survives its end, flushed or not.

The disk speaks NBD on a Unix socket: reads, writes and flushes, no more, so the
emulator turns everything else into these. All that was written lies in memory, above
an image that is only read.
"""

import os
import socket
import struct
import threading

PAGE = 4096
SECTOR = 512

OPTION_MAGIC = b"IHAVEOPT"
REPLY_MAGIC = 0x3E889045565A9
REQUEST = struct.Struct(">IHHQQI")
REQUEST_MAGIC = 0x25609513
ANSWER = struct.Struct(">IIQ")
ANSWER_MAGIC = 0x67446698
READ, WRITE, DISCONNECT, FLUSH = 0, 1, 2, 3
OPTION_ABORT, OPTION_GO = 2, 7
REPLY_ACK, REPLY_INFO, REPLY_UNSUPPORTED = 1, 3, 0x80000001
# Flags are there, and flush is understood; no more.
EXPORT_FLAGS = 1 | 4


class Disk:
    """The image `raw`, above it `layer` (pages that somebody wrote earlier), above that
    what the guest writes now."""

    def __init__(self, raw, path, layer=None):
        self.image = os.open(raw, os.O_RDONLY)
        self.size = os.fstat(self.image).st_size
        self.path = str(path)
        self.layer = layer or {}
        self.pages = {}
        # Writes since the last flush, and the pages as they were at it.
        self.pending = []
        self.flushed_pages = {}
        # How many there have been; one that begins counts.
        self.count = {"write": 0, "flush": 0}
        # Called with "flush" before each flush and with "write" when a write is in the
        # cache; True: the power fails now.
        self.watch = None
        self.off = False
        self.lock = threading.Lock()
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()
        os.close(self.image)
        self.pages, self.layer = {}, {}

    # -- content --

    def _page(self, number):
        page = self.pages.get(number)
        if page is None:
            page = self.layer.get(number)
        if page is None:
            page = os.pread(self.image, PAGE, number * PAGE).ljust(PAGE, b"\0")
        return page

    def _read(self, offset, length):
        first, last = offset // PAGE, (offset + length - 1) // PAGE
        numbers = range(first, last + 1)
        if not any(number in self.pages or number in self.layer for number in numbers):
            return os.pread(self.image, length, offset).ljust(length, b"\0")
        skip = offset - first * PAGE
        return b"".join(map(self._page, numbers))[skip:skip + length]

    def _put(self, offset, data):
        at = 0
        while at < len(data):
            number, skip = divmod(offset + at, PAGE)
            part = data[at:at + PAGE - skip]
            if len(part) < PAGE:
                old = self._page(number)
                part, step = old[:skip] + part + old[skip + len(part):], len(part)
            else:
                step = PAGE
            self.pages[number] = bytes(part)
            at += step

    def _write(self, offset, data):
        for number in range(offset // PAGE, (offset + len(data) - 1) // PAGE + 1):
            if number not in self.flushed_pages:
                self.flushed_pages[number] = self.pages.get(number)
        self._put(offset, data)
        self.pending.append((offset, data))

    def _flush(self):
        self.pending, self.flushed_pages = [], {}

    def unflushed(self, pattern):
        """Whether bytes are in a write that only the cache has."""
        with self.lock:
            return any(pattern in data for _, data in self.pending)

    def snapshot(self):
        """A layer with everything written up to now."""
        with self.lock:
            return {**self.layer, **self.pages}

    # -- power --

    def power_off(self):
        """From now on nothing reaches the disk any more."""
        with self.lock:
            self.off = True

    def _fails(self, event):
        self.count[event] += 1
        if self.watch and self.watch(event):
            self.off = True
        return self.off

    def lose(self, random, keep=None):
        """What is left when the power comes back: all that was flushed, and of the rest
        what `random` leaves; `keep` is the share that stays (None: random, too)."""
        with self.lock:
            pending = self.pending
            for number, page in self.flushed_pages.items():
                if page is None:
                    self.pages.pop(number, None)
                else:
                    self.pages[number] = page
            if keep is None:
                keep = random.choice([0, 0.2, 0.5, 0.5, 0.8])
            kept = torn = 0
            for offset, data in pending:
                fate = random.random()
                if fate < keep:
                    kept += 1
                    self._put(offset, data)
                elif keep and fate < keep + 0.1 and len(data) > SECTOR:
                    torn += 1
                    for at in range(0, len(data), SECTOR):
                        if random.random() < 0.5:
                            self._put(offset + at, data[at:at + SECTOR])
            self.pending, self.flushed_pages = [], {}
            self.off = False
            self.watch = None
            return {"unflushed": len(pending), "kept": kept, "torn": torn, "lost": len(pending) - kept - torn}

    # -- NBD --

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rb", buffering=1 << 20) as stream:
            try:
                if self._greet(connection, stream):
                    self._requests(connection, stream)
            except (OSError, EOFError):
                pass  # the emulator was killed

    def _greet(self, connection, stream):
        connection.sendall(b"NBDMAGIC" + OPTION_MAGIC + struct.pack(">H", 3))
        exactly(stream, 4)
        while True:
            magic, option, length = struct.unpack(">8sII", exactly(stream, 16))
            exactly(stream, length)
            if magic != OPTION_MAGIC or option == OPTION_ABORT:
                return False

            def reply(kind, data=b"", option=option):
                connection.sendall(struct.pack(">QIII", REPLY_MAGIC, option, kind, len(data)) + data)

            if option == OPTION_GO:
                reply(REPLY_INFO, struct.pack(">HQH", 0, self.size, EXPORT_FLAGS))
                reply(REPLY_INFO, struct.pack(">HIII", 3, SECTOR, PAGE, 32 << 20))
                reply(REPLY_ACK)
                return True
            reply(REPLY_UNSUPPORTED)

    def _requests(self, connection, stream):
        while True:
            magic, _, kind, handle, offset, length = REQUEST.unpack(exactly(stream, REQUEST.size))
            if magic != REQUEST_MAGIC or kind == DISCONNECT:
                return
            data = exactly(stream, length) if kind == WRITE else b""
            answer = b""
            with self.lock:
                if self.off:
                    return
                if kind == READ:
                    answer = self._read(offset, length)
                elif kind == WRITE:
                    self._write(offset, data)
                    if self._fails("write"):
                        return
                elif kind == FLUSH:
                    if self._fails("flush"):
                        return
                    self._flush()
            error = 0 if kind in (READ, WRITE, FLUSH) else 22
            connection.sendall(ANSWER.pack(ANSWER_MAGIC, error, handle) + answer)


def exactly(stream, length):
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data
