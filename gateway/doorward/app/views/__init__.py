"""What the application shows to the outside: frozen values, no secret and no whole card number in them."""
