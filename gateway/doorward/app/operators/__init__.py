"""Who signs in, and as what: accounts, sessions, second factors and programs' tokens."""
