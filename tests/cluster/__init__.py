"""`./kuji test --cluster`: the whole event on three broker nodes and three database members, whatever dies."""
