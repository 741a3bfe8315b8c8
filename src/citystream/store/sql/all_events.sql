SELECT * FROM "{t}"
