"""What features are taken by."""
