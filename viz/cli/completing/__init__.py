"""What a shell offers when Tab is pressed: the words that may stand there, from the commands themselves."""
