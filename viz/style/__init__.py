"""How it all looks: colours, type, icons, controls, cards, axes."""
