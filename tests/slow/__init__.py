"""Clients that hold on to connections and do next to nothing, by the hundred: nobody else may notice."""
