"""The field's terms: what each means, and where they stand in a text."""
