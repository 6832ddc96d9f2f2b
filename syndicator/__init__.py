"""Mirror an association's free-network presence everywhere else, once, truthfully, one way."""

__version__ = "0.1.0"
