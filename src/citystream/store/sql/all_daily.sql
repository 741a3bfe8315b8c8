SELECT * FROM daily WHERE dataset = {name}
