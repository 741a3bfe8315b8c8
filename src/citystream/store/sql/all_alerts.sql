SELECT * FROM alerts WHERE dataset = {name}
