"""What themes do beside their colours: line styles and hatchings."""
