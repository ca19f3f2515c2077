"""doorward: doors, vaults and lights, kept by a gateway of your own."""

__version__ = "0.1.0"
