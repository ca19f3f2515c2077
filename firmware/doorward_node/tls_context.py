# What a board's TLS rests on: whom it trusts, and who it is. Loaded when it is made, once a start.

import tls


def context(folder):
    # An SSLContext of the certificates in this folder. Raises OSError for files that are none.
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    # Never left to the port: ssl.SSLContext takes anybody's certificate unless told not to.
    context.verify_mode = tls.CERT_REQUIRED  # pyright: ignore[reportAttributeAccessIssue]
    try:
        context.load_verify_locations(_read(folder + "/ca.der"))
        context.load_cert_chain(_read(folder + "/cert.der"), _read(folder + "/key.der"))
    except ValueError as error:
        raise OSError(folder + ": " + str(error))
    return context


def _read(path):
    with open(path, "rb") as file:
        return file.read()
