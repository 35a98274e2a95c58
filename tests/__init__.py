"""What Encore promises, by example and by law; README.md says where a test goes."""
