"""The HTTP routes beside the websocket, and the headers on everything."""
