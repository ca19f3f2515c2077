"""What serves over the network: HTTP by uvicorn, TLS and its certificate."""
