# What the shared tests use instead of a test framework, on both interpreters.

import json

FOLDER = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."


def vectors(name):
    with open(FOLDER + "/vectors/" + name + ".json") as file:
        return json.load(file)


def raises(error, function, *arguments):
    # The error that function(*arguments) raises; fails if it raises none.
    try:
        function(*arguments)
    except error as found:
        return found
    raise AssertionError("no " + error.__name__ + " was raised")
