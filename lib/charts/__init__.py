"""Chart specifications, built once and cached."""
