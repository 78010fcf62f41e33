"""What a server says of itself to whoever keeps it: whether it can serve, how much there is of everything, and its log."""
