"""What the machine checks make of made-up documents: right and wrong verdicts, values read, time and memory."""
