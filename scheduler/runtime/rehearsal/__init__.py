"""The study played through on a simulated clock, by the real engine, drop folder, database and mail path."""
