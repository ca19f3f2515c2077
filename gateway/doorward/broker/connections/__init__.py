"""One client's connection: let in, heard at the rate it is allowed, answered, closed with a reason."""
