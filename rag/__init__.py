"""Questions and answers from documents, every sentence quoted and cited."""
