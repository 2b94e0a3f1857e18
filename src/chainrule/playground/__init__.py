"""The playground: a page on which a network trains, with every number in reach, and the server that runs it.

The real engine trains in a thread of its own; what the page draws are this library's numbers. Between the two stand
the records of `messages`: what a page asks, what it is told.
"""
