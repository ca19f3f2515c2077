"""Why a TLS handshake failed, in words that say what to do; OpenSSL's own name a line of its source."""

import ssl

# By OpenSSL's name for the reason; https://docs.openssl.org/3.0/man3/ERR_get_error/ has no list, ssl/ssl_err.c does.
_SAID = {
    "HTTP_REQUEST": "it speaks HTTP; this port is for MQTT",
    "HTTPS_PROXY_REQUEST": "it takes this port for a proxy",
    "NO_SHARED_CIPHER": "it knows no cipher that is good enough",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "it shows no certificate, and here everybody has to",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not trust our CA; give it ca.crt",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it does not take our certificate; look at its clock and the name it asks for",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "our certificate is over by its clock",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it does not take our certificate; give it ca.crt",
    "UNEXPECTED_EOF_WHILE_READING": "it hung up",
    "UNSUPPORTED_PROTOCOL": "it speaks no TLS 1.2 and nothing newer",
    "VERSION_TOO_LOW": "it speaks no TLS 1.2 and nothing newer",
    "WRONG_VERSION_NUMBER": "it speaks no TLS; MQTT without TLS is for this machine alone",
}


def handshake_problem(why: OSError) -> str:
    """One line without a word of the client's own."""
    if isinstance(why, ssl.SSLCertVerificationError):
        return f"its certificate is not good: {why.verify_message}"
    if isinstance(why, ssl.SSLError):
        reason = why.reason or "it is no TLS"
        return _SAID.get(reason, reason.replace("_", " ").lower())
    return why.strerror or str(why) or "it hung up"
