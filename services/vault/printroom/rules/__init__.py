"""Read address numbers and draw the customer barcode. Pure."""
