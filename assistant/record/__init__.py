"""What the record of a session tells: its entries as an account, a drawing, a moment."""
