"""Views that move, as films: each frame painted by itself, none left out, and the sentences that go with them."""
