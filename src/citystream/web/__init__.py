"""The dashboard's server: what is in a store, as answers to a page's questions, from memory where it must be quick."""
