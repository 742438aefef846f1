"""What goes through graphs."""
