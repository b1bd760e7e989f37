"""A run as one HTML file for any browser: every picture and sentence in it was made here, the page shows them."""
