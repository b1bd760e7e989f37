"""Labs as riddles: what is the matter with a guest, by what evidence one can tell, and who has named the cause."""
