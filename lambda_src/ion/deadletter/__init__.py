"""Dead letters: what is written on them, which ones a query is about, and the way back."""
