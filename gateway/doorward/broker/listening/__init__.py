"""Where clients come in: plain, over TLS, inside WebSocket messages."""
