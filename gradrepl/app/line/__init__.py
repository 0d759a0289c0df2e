"""The line that is being typed: editing, completion, colours and hints."""
