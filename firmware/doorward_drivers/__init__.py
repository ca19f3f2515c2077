# Hardware, one file a part; only the files that a board's config names are loaded.
#
# Each has one function, make(settings): the ready part, from its dict under "pins" in config.json.


class ReaderError(OSError):
    # A reader's chip does not answer, or not like one: start() it again.
    pass


def make(driver, settings):
    # The part that this driver makes of its dict under "pins"; None if the board has none.
    if not settings:
        return None
    return __import__("doorward_drivers." + driver, None, None, ("make",)).make(settings)
