"""What boards and the gateway say to each other: who is at the other end, what came, what goes out."""
