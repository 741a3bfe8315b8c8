"""A file as one stream of UTF-8 bytes: unpacked, transcoded, and checked while it is read.

`TextBytes` is what the readers of CSV and JSON read from. It is the only place that knows gzip, zstd and
encodings, and it holds one block in memory, however large the file is.
"""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Final

import pyarrow as pa

from citystream.errors import FileRefused
from citystream.portals.content import UTF16_BOMS

BLOCK: Final = 1 << 22
UTF8_BOM: Final = codecs.BOM_UTF8
_PACKINGS: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


def unpacked(path: Path) -> tuple[pa.NativeFile, str]:
    """The bytes of *path* and how they were packed ('', 'gzip', 'zstd'), judged by content, not by name."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
        packing = next((name for magic, name in _PACKINGS.items() if start.startswith(magic)), "")
        plain = pa.OSFile(str(path))
    except FileNotFoundError as missing:
        raise FileRefused(f"{path}: no such file", "check the path") from missing
    except IsADirectoryError as folder:
        raise FileRefused(f"{path}: is a directory", "name one file in it") from folder
    except OSError as fault:
        raise FileRefused(f"{path}: cannot be read: {fault.strerror or fault}", "check its rights") from fault
    if not start:
        raise FileRefused(f"{path}: is empty", "download it again")
    return (pa.CompressedInputStream(plain, packing) if packing else plain), packing


def damaged(path: Path, packing: str, fault: Exception) -> FileRefused:
    """The refusal of a file whose packed data cannot be unpacked."""
    return FileRefused(
        f"{path}: the {packing or 'file'} data is damaged or cut off ({fault})", "download the file again"
    )


class TextBytes:
    """A readable binary file of valid UTF-8 without a byte order mark.

    `read` raises `FileRefused` for packed data that is damaged or cut off and for bytes that are not text in
    *encoding*. `failure` keeps that error, for readers that wrap what they catch.
    """

    closed = False

    def __init__(self, path: Path, encoding: str = "utf-8") -> None:
        self.path = path
        self.failure: FileRefused | None = None
        self._stream, self._packing = unpacked(path)
        self._encoding, self._decoder = _decoder(encoding)
        self._pending = b""
        self._consumed = 0
        self._ended = False
        self._pending = self.peek(BLOCK).removeprefix(UTF8_BOM)

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most *size* and often fewer (all that are left, if negative); b'' at the end."""
        if size < 0:
            return b"".join(iter(lambda: self.read(BLOCK), b""))
        while not self._pending and not self._ended:
            self._pending = self._next()
        if len(self._pending) <= size:
            data, self._pending = self._pending, b""
        else:
            data, self._pending = self._pending[:size], self._pending[size:]
        return data

    def skip(self, size: int) -> None:
        """Drop *size* bytes that were seen with `peek`."""
        self._pending = self._pending[size:]

    def peek(self, size: int) -> bytes:
        """The next *size* bytes (fewer only at the end of the file), which stay there."""
        while len(self._pending) < size and not self._ended:
            self._pending += self._next()
        return self._pending[:size]

    def close(self) -> None:
        """Close the file."""
        self.closed = True
        self._stream.close()

    def readable(self) -> bool:
        """True: what asks for it wants to read."""
        return True

    def _next(self) -> bytes:
        """The next block, checked; what is wrong with it is remembered in `failure`."""
        try:
            data = bytes(self._stream.read(BLOCK))
            self._ended = not data
            text = self._checked(data)
        except UnicodeError as fault:
            self.failure = self._not_text(fault, data)
            raise self.failure from fault
        except (OSError, pa.ArrowException) as fault:
            self.failure = damaged(self.path, self._packing, fault)
            raise self.failure from fault
        self._consumed += len(data)
        return text

    def _checked(self, data: bytes) -> bytes:
        """*data* as UTF-8. Plain ASCII, the usual case, is not decoded at all."""
        if self._encoding == "utf-8" and data.isascii() and data and not self._decoder.getstate()[0]:
            return data
        text = self._decoder.decode(data, final=not data)
        return data if self._encoding == "utf-8" else text.encode()

    def _not_text(self, fault: UnicodeError, data: bytes) -> FileRefused:
        held = self._decoder.getstate()[0]
        at = self._consumed - len(held) + (fault.start if isinstance(fault, UnicodeDecodeError) else 0)
        hint = "name another --encoding"
        if self._encoding == "utf-8":
            guess = "utf-16" if at == 0 and data.startswith(UTF16_BOMS) else "windows-1252"
            hint = f"it may be {guess}: try --encoding {guess}"
        return FileRefused(f"{self.path}: byte {at} is not {self._encoding.upper()}", hint)


def _decoder(encoding: str) -> tuple[str, codecs.IncrementalDecoder]:
    """The decoder for *encoding*, and its usual name; a byte order mark is the caller's affair."""
    try:
        name = codecs.lookup(encoding).name.removesuffix("-sig")
        decoder = codecs.getincrementaldecoder(name)()
        "".encode(name)
    except LookupError as unknown:
        raise FileRefused(
            f"'{encoding}' is not a text encoding", "for example utf-8, windows-1252, latin-1, utf-16"
        ) from unknown
    return name, decoder
