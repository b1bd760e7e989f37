"""`bellwire shots`: all pictures of a manual, from a list; made by several processes, compared, told of."""
