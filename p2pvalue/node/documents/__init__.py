"""Documents: their text, which updates of it count, their past, and how it is taken back."""
