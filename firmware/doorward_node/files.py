# Small files that are either the old or the new one, whenever the power goes.

import os


def read(path: str) -> "bytes | None":
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def replace(path: str, data: bytes) -> None:
    # A new file takes the old one's name in one step. Never remove first: between the two
    # there would be neither.
    with open(path + ".new", "wb") as file:
        file.write(data)
    os.rename(path + ".new", path)


def remove(path: str) -> None:
    try:
        os.remove(path)
    except OSError:
        pass
