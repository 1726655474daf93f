"""The board: the web page at `/`, with its files and the routes that serve them."""

from taskflow.board.routes import BOARD_PATHS, board_routes

__all__ = ["BOARD_PATHS", "board_routes"]
