"""The page: what a person sees, and what programs call."""
