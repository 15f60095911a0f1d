"""From an empty machine to a running application and back: settings, embedded server, commands, backups."""
