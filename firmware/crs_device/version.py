"""The application's version, journaled at each start."""

APP_VERSION = "0.1.0"
