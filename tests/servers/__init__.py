"""The real servers that tests speak to: started on free loopback ports, stopped by their process ids."""
