"""The coordinators' console: web pages over the same engine calls as the command line; nothing is decided in a page."""
