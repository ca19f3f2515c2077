# The way to the broker, as config.json has it: made once, and forgotten (start.py).

from doorward_node import forget
from doorward_node.link import Link


def connect(config, directory):
    # (date, Link, Wifi); date: of App.date. directory: where the board keeps its files.
    date = _date(config, directory)
    broker = config["broker"]
    link = Link(
        config["id"],
        broker["host"],
        broker["port"],
        config["id"],
        config["secret"],
        ssl=_tls(config["tls"], broker["name"]),
        names=_names(broker["host"], directory),
    )
    return date, link, _wifi(config.get("wifi"), link)


def _date(config, directory):
    # None for a board that verifies nobody: then its code is not loaded either.
    if not config["tls"]:
        return None
    from doorward_node import dates

    path = directory + "/date"
    dates.begin(path, config.get("date", 0))
    forget("dates")
    return path


def _names(host, directory):
    # None for an address: then the code that looks names up is not loaded either.
    if host.rsplit(".", 1)[-1].isdigit():
        return None
    from doorward_node.names import Names

    return Names(host, directory + "/broker")


def _tls(folder, name):
    # None for a board that talks to its own machine: then its code is not loaded either.
    if not folder:
        return None
    from doorward_node.tls_transport import Tls

    return Tls(folder, name)


def _wifi(settings, link):
    # None where something else brings the network: then its code is not loaded either.
    if not settings:
        return None
    from doorward_node.wifi import Wifi

    wifi = Wifi(settings)
    wifi.link = link
    return wifi
