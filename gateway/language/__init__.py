"""What is said to people, in their language: catalogues of sentences, and how money, dates and numbers are written.

A `Language` is a value. It is chosen once for a request (`choice`) and handed to whoever says something in it.
"""
