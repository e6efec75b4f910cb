"""What an operator asks of a relay, and does to it: the same for the terminal and the console."""
