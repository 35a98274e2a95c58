"""What runs in the background of the app or by cron."""
