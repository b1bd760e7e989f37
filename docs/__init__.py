"""The manual: pages in Markdown, and what of them is computed."""
